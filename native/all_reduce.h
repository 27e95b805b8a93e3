// satin::all_reduce_sum: the sum over all ranks, differentiable any number of times.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// Its gradient is the sum of the ranks' gradients.
at::Tensor allReduceSum(const at::Tensor& tensor);

}  // namespace satin
