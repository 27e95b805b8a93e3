// satin::step_to_hyperplane: see src/attacks/projection.ts.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

using StepToHyperplaneSignature = at::Tensor(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, bool euclidean);
StepToHyperplaneSignature stepToHyperplaneCpu, stepToHyperplaneCuda;
// Nothing but the shape.
StepToHyperplaneSignature stepToHyperplaneMeta;

// What the kernels take and fill, without gaps.
struct Hyperplanes {
  at::Tensor x, w, excess, step;
};

// Throws where x, w and excess do not belong together.
Hyperplanes hyperplanes(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess);

}  // namespace satin
