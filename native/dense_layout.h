// Kernels that treat each number alike run along memory: every layout without gaps and overlaps will do.
#pragma once

#include <ATen/ATen.h>

namespace satin {

// The tensor itself, or a copy without gaps.
inline at::Tensor dense(const at::Tensor& x) {
  return x.is_non_overlapping_and_dense() ? x : x.contiguous(x.suggest_memory_format());
}

// The numbers of `source`, laid out as a dense tensor of its shape.
inline at::Tensor likeLayout(const at::Tensor& source, const at::Tensor& layout) {
  for (int64_t i = 0; i < source.dim(); i++)  // the strides of dimensions of size 1 make no difference
    if (source.size(i) > 1 && source.stride(i) != layout.stride(i)) return at::empty_like(layout).copy_(source);
  return source;
}

}  // namespace satin
