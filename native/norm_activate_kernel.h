// Batch norm, residual addition and activation in one pass over memory, for channels-last float32:
//   y = f(z), z = x * scale + shift + residual, with scale and shift one number a channel.
// Plain arrays: [rows, channels], rows = N * H * W. Every function is serial over the rows it is given; the caller
// shares rows out between threads. No torch headers here.
#pragma once

#include <cstdint>

namespace satin {

enum class FusedActivation : int64_t { kIdentity = 0, kRelu = 1, kSilu = 2 };

struct Rows {
  int64_t count;
  int64_t channels;
};

// sum[c] += Σ (x - pivot[c]), squares[c] += Σ (x - pivot[c])²; the pivot keeps the difference of large numbers small.
void addMoments(Rows rows, const float* x, const float* pivot, double* sum, double* squares);

// y = f(x * scale + shift + residual); residual may be null.
void normActivate(FusedActivation f, Rows rows, const float* x, const float* residual, const float* scale,
                  const float* shift, float* y);

// g = dy * f'(z); sum[c] += Σ g, product[c] += Σ g * (x - mean[c]).
void activateBackward(FusedActivation f, Rows rows, const float* dy, const float* x, const float* residual,
                      const float* scale, const float* shift, const float* mean, float* g, double* sum, double* product);

// dx = g * scale - offset - (x - mean) * slope, in training; `g` and `dx` may be the same array.
void normBackward(Rows rows, const float* g, const float* x, const float* mean, const float* scale, const float* offset,
                  const float* slope, float* dx);

// g = dy * f'(z) and dx = g * scale, where the statistics are constants; g may be null.
void activateScaleBackward(FusedActivation f, Rows rows, const float* dy, const float* x, const float* residual,
                           const float* scale, const float* shift, float* g, float* dx);

}  // namespace satin
