// The activation argument of the CUDA kernels. The host never reads learned coefficients, so it does not wait for the card.
#pragma once

#include "activation.h"
#include "cuda/curve.h"

namespace satin {

struct CudaCurve {
  // Of the function, or of the one whose derivative the gradient takes.
  static CudaCurve forward(const ActivationSpec& spec, const at::Tensor& x, const OptionalTensor& coefficients);
  static CudaCurve backward(const ActivationSpec& spec, const at::Tensor& x, const OptionalTensor& coefficients);

  CurveArguments arguments() const { return {learned.defined() ? learned.data_ptr() : nullptr, curve.a, curve.b}; }

  Curve curve;
  at::Tensor learned;  // in the dtype computed with, or undefined
};

// The gradient of the coefficients from sums [blocks, 2] of a kernel.
at::Tensor coefficientGradient(const at::Tensor& partials, const CudaCurve& curve, const at::Tensor& coefficients);

}  // namespace satin
