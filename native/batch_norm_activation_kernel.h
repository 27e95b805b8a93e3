// Batch norm, residual addition and activation in one pass over memory, for channels-last float32, with the activations of
// activation_kernel.h:
//   y = f(z), z = x * scale + shift + residual, with scale and shift one number a channel.
// Plain arrays: [rows, channels], rows = N * H * W. Every function is serial over the rows it is given; the caller
// shares rows out between threads. No torch headers here.
#pragma once

#include <cstdint>

#include "activation_kernel.h"

namespace satin {

struct Rows {
  int64_t count;
  int64_t channels;
};

// sum[c] += Σ (x - pivot[c]), squares[c] += Σ (x - pivot[c])²; the pivot keeps the difference of large numbers small.
void addMoments(Rows rows, const float* x, const float* pivot, double* sum, double* squares);

// y = f(x * scale + shift + residual); residual may be null.
void normActivate(const Curve& curve, Rows rows, const float* x, const float* residual, const float* scale,
                  const float* shift, float* y);

// g = dy * f'(z); sum[c] += Σ g, product[c] += Σ g * (x - mean[c]); and the coefficients' sums, where they are given.
void activateBackward(const Curve& curve, Rows rows, const float* dy, const float* x, const float* residual,
                      const float* scale, const float* shift, const float* mean, float* g, double* sum, double* product,
                      CoefficientSums<float>* coefficients);

// dx = g * scale - offset - (x - mean) * slope, in training; `g` and `dx` may be the same array.
void normBackward(Rows rows, const float* g, const float* x, const float* mean, const float* scale, const float* offset,
                  const float* slope, float* dx);

// g = dy * f'(z) and dx = g * scale, where the statistics are constants; g may be null, and the coefficients' sums too.
void activateScaleBackward(const Curve& curve, Rows rows, const float* dy, const float* x, const float* residual,
                           const float* scale, const float* shift, float* g, float* dx, CoefficientSums<float>* coefficients);

}  // namespace satin
