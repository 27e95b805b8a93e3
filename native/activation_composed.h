// The reference implementation of each activation, composed of libtorch's operators: it runs on devices without kernels and in
// a trace, and second derivatives are its own. Computes what activation_math.h computes.
#pragma once

#include <ATen/core/Tensor.h>

#include "activation_kernel.h"

namespace satin {

// A curve whose coefficients are tensors of one number and no dimension: learned ones, or numbers that take on the dtype of
// what they meet.
struct ComposedCurve {
  ComposedCurve(const Curve& curve);
  // The learned numbers take the place of the curve's.
  ComposedCurve(const Curve& curve, const at::Tensor& coefficients);

  // f(x). Where gradients are recorded, they are f'(x) to rounding for every finite x.
  at::Tensor value(const at::Tensor& x) const;
  // f'(x), to be differentiated again for every finite x and every coefficient.
  at::Tensor slope(const at::Tensor& x) const;
  // df/da for 0, df/db for 1; to be differentiated again too.
  at::Tensor coefficientSlope(const at::Tensor& x, int coefficient) const;

  Activation kind;
  at::Tensor a, b;
};

}  // namespace satin
