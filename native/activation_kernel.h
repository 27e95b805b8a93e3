// Activations over plain arrays, forward and backward, for float and double. Serial: the caller shares an array out between
// threads. What an element becomes depends on neither its place nor the array's length. No torch headers here.
#pragma once

#include <cstdint>

#include "activation_kinds.h"

namespace satin {

// The name of a kind, or null for a number that is none's.
const char* nameOf(Activation kind);

// How many coefficients a kind takes: 0, 1 or 2.
int coefficientsOf(Activation kind);

// Numbers that are added up side by side: many sums in Real for a few tiles, then in double. As exact as double, nearly as
// fast as float.
constexpr int64_t kActivationTile = 512;
template <typename Real>
class CoefficientSums {
 public:
  // Where a tile adds its terms; after each tile, `tileDone`.
  Real* of(int coefficient) { return near_[coefficient]; }
  void tileDone();
  double total(int coefficient);

 private:
  static constexpr int kTilesHeld = 16;
  void fold();
  Real near_[2][kActivationTile] = {};
  double far_[2][kActivationTile] = {};
  int held_ = 0;
};

// y = f(x)
void activationValues(const Curve& curve, int64_t n, const float* x, float* y);
void activationValues(const Curve& curve, int64_t n, const double* x, double* y);

// y = f(x) and slopes = f'(x)
void activationValuesAndSlopes(const Curve& curve, int64_t n, const float* x, float* y, float* slopes);

// dx = dy · f'(x)
void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx);
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx);

// dx = dy · f'(x), and the sums of dy · df/da and dy · df/db.
void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx, CoefficientSums<float>& sums);
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx, CoefficientSums<double>& sums);

}  // namespace satin
