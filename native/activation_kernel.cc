#include "activation_kernel.h"

#include <algorithm>
#include <cstring>

#include "activation_math.h"
#include "simd.h"

namespace satin {
namespace {

// Loops run over whole blocks only; the remainder is computed in a padded block. So an element never meets the
// other code that compilers append for a remainder, and there is none.
constexpr int64_t kBlock = 64;

template <typename F, typename Real>
SATIN_INLINE void values(F f, int64_t blocks, const Real* __restrict x, Real* __restrict y) {
  for (int64_t block = 0; block < blocks; block++, x += kBlock, y += kBlock)
    for (int64_t i = 0; i < kBlock; i++) y[i] = f.value(x[i]);
}

template <typename F, typename Real>
SATIN_INLINE void gradients(F f, int64_t blocks, const Real* __restrict dy, const Real* __restrict x, Real* __restrict dx) {
  for (int64_t block = 0; block < blocks; block++, dy += kBlock, x += kBlock, dx += kBlock)
    for (int64_t i = 0; i < kBlock; i++) dx[i] = dy[i] * f.slope(x[i]);
}

template <typename F, typename Real>
SATIN_INLINE void both(F f, int64_t blocks, const Real* __restrict x, Real* __restrict y, Real* __restrict slopes) {
  for (int64_t block = 0; block < blocks; block++, x += kBlock, y += kBlock, slopes += kBlock)
    for (int64_t i = 0; i < kBlock; i++) {
      y[i] = f.value(x[i]);
      slopes[i] = f.slope(x[i]);
    }
}

template <int kCoefficients, typename F, typename Real>
SATIN_INLINE void sums(F f, int64_t blocks, const Real* __restrict dy, const Real* __restrict x, Real* __restrict dx,
                       Real* __restrict sumA, Real* __restrict sumB) {
  for (int64_t block = 0; block < blocks; block++, dy += kBlock, x += kBlock, dx += kBlock, sumA += kBlock, sumB += kBlock)
    for (int64_t i = 0; i < kBlock; i++) {
      dx[i] = dy[i] * f.slope(x[i]);
      if constexpr (kCoefficients > 0) sumA[i] += dy[i] * f.slopeA(x[i]);
      if constexpr (kCoefficients > 1) sumB[i] += dy[i] * f.slopeB(x[i]);
    }
}

// target_clones needs plain functions.
#define SATIN_LOOPS(NAME, REAL)                                                                                         \
  SATIN_CLONES void values##NAME(REAL a, REAL b, int64_t blocks, const REAL* x, REAL* y) {                              \
    values(NAME<REAL>(a, b), blocks, x, y);                                                                             \
  }                                                                                                                     \
  SATIN_CLONES void gradients##NAME(REAL a, REAL b, int64_t blocks, const REAL* dy, const REAL* x, REAL* dx) {          \
    gradients(NAME<REAL>(a, b), blocks, dy, x, dx);                                                                     \
  }                                                                                                                     \
  SATIN_CLONES void both##NAME(REAL a, REAL b, int64_t blocks, const REAL* x, REAL* y, REAL* slopes) {                  \
    both(NAME<REAL>(a, b), blocks, x, y, slopes);                                                                       \
  }
#define SATIN_SUMS(NAME, REAL, COEFFICIENTS)                                                                            \
  SATIN_CLONES void sums##NAME(REAL a, REAL b, int64_t blocks, const REAL* dy, const REAL* x, REAL* dx, REAL* sumA,     \
                               REAL* sumB) {                                                                            \
    sums<COEFFICIENTS>(NAME<REAL>(a, b), blocks, dy, x, dx, sumA, sumB);                                                \
  }
// by the number of coefficients
#define SATIN_LOOPS_0(NAME, REAL) SATIN_LOOPS(NAME, REAL)
#define SATIN_LOOPS_1(NAME, REAL) SATIN_LOOPS(NAME, REAL) SATIN_SUMS(NAME, REAL, 1)
#define SATIN_LOOPS_2(NAME, REAL) SATIN_LOOPS(NAME, REAL) SATIN_SUMS(NAME, REAL, 2)
#define SATIN_SUMS_OF_0(NAME) nullptr
#define SATIN_SUMS_OF_1(NAME) sums##NAME
#define SATIN_SUMS_OF_2(NAME) sums##NAME

template <typename Real>
struct Loops {
  void (*values)(Real a, Real b, int64_t blocks, const Real* x, Real* y);
  void (*gradients)(Real a, Real b, int64_t blocks, const Real* dy, const Real* x, Real* dx);
  void (*both)(Real a, Real b, int64_t blocks, const Real* x, Real* y, Real* slopes);
  void (*sums)(Real a, Real b, int64_t blocks, const Real* dy, const Real* x, Real* dx, Real* sumA, Real* sumB);
};

#define SATIN_FLOAT(NAME, NUMBER, TEXT, COEFFICIENTS) SATIN_LOOPS_##COEFFICIENTS(NAME, float)
#define SATIN_DOUBLE(NAME, NUMBER, TEXT, COEFFICIENTS) SATIN_LOOPS_##COEFFICIENTS(NAME, double)
#define SATIN_CASE(NAME, NUMBER, TEXT, COEFFICIENTS) \
  case Activation::k##NAME: return {values##NAME, gradients##NAME, both##NAME, SATIN_SUMS_OF_##COEFFICIENTS(NAME)};

namespace single {
SATIN_ACTIVATIONS(SATIN_FLOAT)
Loops<float> loops(Activation kind) {
  switch (kind) { SATIN_ACTIVATIONS(SATIN_CASE) }
  return {};
}
}  // namespace single

namespace twofold {
SATIN_ACTIVATIONS(SATIN_DOUBLE)
Loops<double> loops(Activation kind) {
  switch (kind) { SATIN_ACTIVATIONS(SATIN_CASE) }
  return {};
}
}  // namespace twofold

Loops<float> loopsOf(Activation kind, float) { return single::loops(kind); }
Loops<double> loopsOf(Activation kind, double) { return twofold::loops(kind); }

// `count` numbers in one block, padded with zeros.
template <typename Real>
struct Padded {
  Padded(const Real* from, int64_t count) { std::memcpy(numbers, from, sizeof(Real) * static_cast<size_t>(count)); }
  Real numbers[kBlock] = {};
};

template <typename Real>
void applyValues(const Curve& curve, int64_t n, const Real* x, Real* y) {
  const Real a = static_cast<Real>(curve.a), b = static_cast<Real>(curve.b);
  const auto loop = loopsOf(curve.kind, Real()).values;
  const int64_t rest = n % kBlock, whole = n - rest;
  loop(a, b, whole / kBlock, x, y);
  if (rest == 0) return;
  const Padded<Real> in(x + whole, rest);
  Real out[kBlock];
  loop(a, b, 1, in.numbers, out);
  std::memcpy(y + whole, out, sizeof(Real) * static_cast<size_t>(rest));
}

// Calls loop(blocks, dy, x, dx) for whole blocks of at most `most` numbers at once, and for what is left over.
template <typename Real, typename Loop>
void applyGradients(int64_t n, int64_t most, const Real* dy, const Real* x, Real* dx, Loop loop) {
  const int64_t rest = n % kBlock, whole = n - rest;
  for (int64_t start = 0; start < whole; start += most)
    loop(std::min(most, whole - start) / kBlock, dy + start, x + start, dx + start);
  if (rest == 0) return;
  const Padded<Real> upstream(dy + whole, rest), in(x + whole, rest);
  Real out[kBlock];
  loop(1, upstream.numbers, in.numbers, out);
  std::memcpy(dx + whole, out, sizeof(Real) * static_cast<size_t>(rest));
}

template <typename Real>
void applyGradients(const Curve& curve, int64_t n, const Real* dy, const Real* x, Real* dx) {
  const Real a = static_cast<Real>(curve.a), b = static_cast<Real>(curve.b);
  const auto loop = loopsOf(curve.kind, Real()).gradients;
  applyGradients(n, std::max(n, kBlock), dy, x, dx, [&](int64_t blocks, const Real* upstream, const Real* in, Real* out) {
    loop(a, b, blocks, upstream, in, out);
  });
}

template <typename Real>
void applyGradients(const Curve& curve, int64_t n, const Real* dy, const Real* x, Real* dx, CoefficientSums<Real>& sums) {
  const Real a = static_cast<Real>(curve.a), b = static_cast<Real>(curve.b);
  const auto loop = loopsOf(curve.kind, Real()).sums;
  applyGradients(n, kActivationTile, dy, x, dx, [&](int64_t blocks, const Real* upstream, const Real* in, Real* out) {
    loop(a, b, blocks, upstream, in, out, sums.of(0), sums.of(1));
    sums.tileDone();
  });
}

}  // namespace

const char* nameOf(Activation kind) {
#define SATIN_NAME(NAME, NUMBER, TEXT, COEFFICIENTS) \
  case Activation::k##NAME: return TEXT;
  switch (kind) { SATIN_ACTIVATIONS(SATIN_NAME) }
  return nullptr;
}

int coefficientsOf(Activation kind) {
#define SATIN_COUNT(NAME, NUMBER, TEXT, COEFFICIENTS) \
  case Activation::k##NAME: return COEFFICIENTS;
  switch (kind) { SATIN_ACTIVATIONS(SATIN_COUNT) }
  return 0;
}

template <typename Real>
void CoefficientSums<Real>::tileDone() {
  if (++held_ == kTilesHeld) fold();
}

template <typename Real>
void CoefficientSums<Real>::fold() {
  for (int coefficient = 0; coefficient < 2; coefficient++)
    for (int64_t i = 0; i < kActivationTile; i++) {
      far_[coefficient][i] += near_[coefficient][i];
      near_[coefficient][i] = 0;
    }
  held_ = 0;
}

template <typename Real>
double CoefficientSums<Real>::total(int coefficient) {
  fold();
  double sum = 0;
  for (const double each : far_[coefficient]) sum += each;
  return sum;
}

template class CoefficientSums<float>;
template class CoefficientSums<double>;

void activationValues(const Curve& curve, int64_t n, const float* x, float* y) { applyValues(curve, n, x, y); }
void activationValues(const Curve& curve, int64_t n, const double* x, double* y) { applyValues(curve, n, x, y); }

void activationValuesAndSlopes(const Curve& curve, int64_t n, const float* x, float* y, float* slopes) {
  const float a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  const auto loop = loopsOf(curve.kind, float()).both;
  const int64_t rest = n % kBlock, whole = n - rest;
  loop(a, b, whole / kBlock, x, y, slopes);
  if (rest == 0) return;
  const Padded<float> in(x + whole, rest);
  float values[kBlock], derivatives[kBlock];
  loop(a, b, 1, in.numbers, values, derivatives);
  std::memcpy(y + whole, values, sizeof(float) * static_cast<size_t>(rest));
  std::memcpy(slopes + whole, derivatives, sizeof(float) * static_cast<size_t>(rest));
}

void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx) {
  applyGradients(curve, n, dy, x, dx);
}
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx) {
  applyGradients(curve, n, dy, x, dx);
}
void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx, CoefficientSums<float>& sums) {
  applyGradients(curve, n, dy, x, dx, sums);
}
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx, CoefficientSums<double>& sums) {
  applyGradients(curve, n, dy, x, dx, sums);
}

}  // namespace satin
