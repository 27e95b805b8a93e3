// What the kernels of norm_activate.cu are started with. Host and card read the same declaration. Every vector has one float
// a channel; x, residual, y and their gradients are [rows, channels] of float or bfloat16.
#pragma once

#include "curve.h"
#include "tiles.h"

namespace satin {

// Sums of each block of rows, first [2, row blocks, channels] of double.
struct ChannelMoments {
  Tiles tiles;
  const void* x;
  double* partials;  // Σ (x - pivot), then Σ (x - pivot)²; the pivots are the first row of x
};

// Channels that a block of the kernels for the next and for NormGradients finishes, each by as many threads as there are left.
constexpr int kFinished = 8;

struct NormStatistics {
  int64_t rows, channels, rowBlocks;
  const void* x;
  const double* partials;
  const float *weight, *bias;
  float *runningMean, *runningVariance;  // or null
  double momentum, epsilon;
  float *mean, *inverse, *scale, *shift;
};

struct NormActivateForward {
  Tiles tiles;
  const void *x, *residual;
  void* y;
  CurveArguments curve;
  // In training from NormStatistics. In evaluation the kernel computes them of the four below, and writes them if not null.
  float *mean, *inverse, *scale, *shift;
  const float *weight, *bias, *runningMean, *runningVariance;  // null in training
  double epsilon;
};

struct NormActivateSums {
  Tiles tiles;
  const void *dy, *x, *residual;
  CurveArguments curve;
  const float *mean, *scale, *shift;
  double* partials;      // Σ g, then Σ g (x - mean), with g = dy f'(z)
  double* coefficients;  // [blocks, 2]: each block's sums for the coefficients, where they learn
};

struct NormGradients {
  int64_t rows, channels, rowBlocks;
  const double* partials;
  const float *inverse, *scale;
  float *dWeight, *dBias;
  float *offset, *slope;  // dx = g scale - offset - (x - mean) slope
};

struct NormActivateBackward {
  Tiles tiles;
  const void *dy, *x, *residual;
  CurveArguments curve;
  const float *mean, *scale, *shift;
  const float *offset, *slope;  // in training
  void *dx, *dResidual;
};

}  // namespace satin
