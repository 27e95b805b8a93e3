#include "curve_cuda.h"

#include <ATen/ATen.h>

#include "cuda/activation_arguments.h"
#include "launch_cuda.h"

namespace satin {

CudaCurve CudaCurve::forward(const ActivationSpec& spec, const at::Tensor& x, const OptionalTensor& coefficients) {
  if (!coefficients.has_value()) return {spec.curve, {}};
  const at::ScalarType computed = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return {spec.curve, coefficients->to(computed).contiguous()};
}

CudaCurve CudaCurve::backward(const ActivationSpec& spec, const at::Tensor& x, const OptionalTensor& coefficients) {
  return spec.derivative.has_value() ? CudaCurve{*spec.derivative, {}} : forward(spec, x, coefficients);
}

at::Tensor coefficientGradient(const at::Tensor& partials, const CudaCurve& curve, const at::Tensor& coefficients) {
  at::Tensor sums = at::empty_like(curve.learned);
  const SumCoefficients arguments{partials.data_ptr<double>(), partials.size(0), sums.numel(), sums.data_ptr()};
  launch(partials, {"activation.cu", "sumCoefficients", {nameOfStorage(sums.scalar_type())}}, {1}, arguments);
  return sums.to(coefficients.scalar_type());
}

}  // namespace satin
