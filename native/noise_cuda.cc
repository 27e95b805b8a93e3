#include "noise_cuda.h"

#include <ATen/ATen.h>

#include "cuda/noise_arguments.h"
#include "launch_cuda.h"

namespace satin {

void drawNoiseCuda(Distribution distribution, uint64_t key, const at::Tensor& ids, at::Tensor& out) {
  TORCH_CHECK(out.scalar_type() == at::kFloat || out.scalar_type() == at::kDouble, "Expected noise of float32 or float64 but received ",
              out.scalar_type(), ".");
  TORCH_CHECK(out.is_contiguous() && out.dim() >= 1 && ids.dim() == 1 && ids.size(0) == out.size(0) && ids.is_contiguous() &&
                  ids.scalar_type() == at::kLong && ids.device() == out.device(),
              "Expected noise without gaps and an id for each example on its device.");
  if (out.numel() == 0) return;
  const int64_t examples = out.size(0), elements = out.numel() / examples, pack = 16 / static_cast<int64_t>(out.element_size());
  const DrawNoise arguments{key, ids.data_ptr<int64_t>(), examples, elements, out.data_ptr()};
  // a thread draws a pack, the last of an example maybe in part
  launch(out, {"noise.cu", "drawNoise", {nameOfStorage(out.scalar_type()), nameOf(distribution == Distribution::kNormal)}},
         gridOf(examples * ((elements + pack - 1) / pack), 1, 1 << 20), arguments);
}

}  // namespace satin
