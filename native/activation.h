// satin::activate: activation(x) for each number, with a gradient. operators.cc lists which function serves which device.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

#include "activation_kernel.h"
#include "optional_tensor.h"

namespace satin {

// An operator's argument `float[] activation`: kind, a and b of the function, then those of the function whose derivative the
// gradient takes where that is another one. `activationArgument` in src/tensor/functional.ts makes it.
using ActivationArgument = at::ArrayRef<double>;

struct ActivationSpec {
  Curve curve;
  std::optional<Curve> derivative;  // none: the curve's own derivative
};

// Throws where a kind is none or a coefficient out of range, and where learned coefficients are not as many as the curve
// takes or not like x. Learned coefficients replace a and b, which are ignored then. Their values are not read.
ActivationSpec activationSpec(ActivationArgument activation, const at::Tensor& x, const OptionalTensor& coefficients);

// What a kernel computes forward, with the values of learned coefficients, which must be on the CPU. Throws where they are
// out of range.
Curve forwardCurve(const ActivationSpec& spec, const OptionalTensor& coefficients);

// The same for the derivative that its gradient takes.
Curve backwardCurve(const ActivationSpec& spec, const OptionalTensor& coefficients);

// Throws if a gradient of learned coefficients is requested that does not exist: there are none, or the derivative is
// another function's.
void checkLearning(const ActivationSpec& spec, const OptionalTensor& coefficients, bool learning);

using ActivateSignature = at::Tensor(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation);
ActivateSignature activate;  // through the dispatcher
ActivateSignature activateAutograd, activateCpu, activateCuda, activateComposed, activateTraced;
// Where the kernels take half precision as it is.
ActivateSignature activateAutogradCuda;
// The reference implementation on any device, for tests.
ActivateSignature activateByReference;

// -> the gradients of x and, where `learning`, of the coefficients; else undefined
using ActivateBackwardSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor& dy, const at::Tensor& x,
                                                                     const OptionalTensor& coefficients,
                                                                     ActivationArgument activation, bool learning);
ActivateBackwardSignature activateBackwardCpu, activateBackwardCuda, activateBackwardComposed;

// Half precision is computed in float32.
bool isHalf(const at::Tensor& x);
at::Tensor inFloat32(ActivateSignature& implementation, const at::Tensor& x, const OptionalTensor& coefficients,
                     ActivationArgument activation);

}  // namespace satin
