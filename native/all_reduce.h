// satin::all_reduce_sum: the sum over all ranks, to be differentiated as often as is wanted.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// Its gradient is the sum of the ranks' gradients.
at::Tensor allReduceSum(const at::Tensor& tensor);

}  // namespace satin
