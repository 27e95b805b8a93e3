// The gradient of a convolution's weights by Winograd's method (winograd_gradient_kernel.h), on tensors of the CPU.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// dy [N, O, H, W] and x [N, C, H, W] → [O, C, 3, 3], all of float32 with channels last.
at::Tensor winogradWeightGradient(const at::Tensor& dy, const at::Tensor& x);

}  // namespace satin
