// What the kernels of activation.cu are started with. Host and card read the same declaration.
#pragma once

#include "curve.h"

namespace satin {

struct ActivateForward {
  const void* x;
  void* y;
  int64_t count;
  CurveArguments curve;
};

struct ActivateBackward {
  const void *dy, *x;
  void* dx;
  int64_t count;
  CurveArguments curve;
  double* partials;  // [blocks, 2]: each block's sums for the coefficients, where they learn
};

struct SumCoefficients {
  const double* partials;  // [blocks, 2]
  int64_t blocks;
  int64_t coefficients;
  void* sums;  // [coefficients]
};

}  // namespace satin
