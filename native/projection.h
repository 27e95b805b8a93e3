// satin::step_to_hyperplane, for the CPU. Elsewhere src/attacks/projection.ts composes the same of libtorch's operators.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

at::Tensor stepToHyperplaneCpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, bool euclidean);

}  // namespace satin
