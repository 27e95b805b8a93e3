// activation(x) for each number as one operator with its own gradient.
#pragma once

#include "activation_composed.h"
#include "optional.h"

#include <optional>

namespace satin {

// An operator's argument `float[] activation`: kind, a and b of the function, then those of the function whose derivative the
// gradient takes where that is another one. `activationArgument` in src/tensor/functional.ts makes it.
using ActivationArgument = at::ArrayRef<double>;

struct ActivationSpec {
  Curve curve;
  std::optional<Curve> derivative;  // none: the gradient is the curve's own
};

// Throws where a kind is none or a coefficient out of range, and where learned coefficients are not as many as the curve
// takes or not like x. Learned coefficients stand in for a and b, which are not looked at then.
ActivationSpec activationSpec(ActivationArgument activation, const at::Tensor& x, const OptionalTensor& coefficients);

// The curve with learned coefficients, which are on the CPU, in the place of its own. Throws where they are out of range.
Curve learnedCurve(const Curve& curve, const at::Tensor& coefficients);

at::Tensor activate(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation);

// Only of libtorch's operators, for traces: nothing of Satin's stays in the result.
at::Tensor activateTraced(const at::Tensor& x, const OptionalTensor& coefficients, const Curve& curve);

// What a backward pass says where both are wanted.
constexpr const char* kNoCoefficientGradient =
    "Expected no gradient of a learned coefficient where another function's derivative is used: a learned coefficient has "
    "no gradient then. Ask for the gradient of x alone.";

}  // namespace satin
