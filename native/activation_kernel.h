// Activations over plain arrays, forward and backward, for float and double. Serial: the caller shares an array out between
// threads. What an element becomes depends on neither its place nor the array's length. No torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// Each kind's number, name and how many coefficients it takes. `activationKinds` in src/tensor/functional.ts has the same
// names and numbers; a test compares the two. activation_math.h defines what each computes.
#define SATIN_ACTIVATIONS(KIND)         \
  KIND(Identity, 0, "identity", 0)      \
  KIND(Relu, 1, "relu", 0)              \
  KIND(Silu, 2, "silu", 0)              \
  KIND(LeakyRelu, 3, "leaky-relu", 1)   \
  KIND(Softplus, 4, "softplus", 1)      \
  KIND(Gelu, 5, "gelu", 0)              \
  KIND(GeluTanh, 6, "gelu-tanh", 0)     \
  KIND(Elu, 7, "elu", 1)                \
  KIND(Celu, 8, "celu", 1)              \
  KIND(Mish, 9, "mish", 0)              \
  KIND(SmoothRelu, 10, "smooth-relu", 1) \
  KIND(Psilu, 11, "psilu", 1)           \
  KIND(Pssilu, 12, "pssilu", 2)

enum class Activation : int64_t {
#define SATIN_KIND(NAME, NUMBER, TEXT, COEFFICIENTS) k##NAME = NUMBER,
  SATIN_ACTIVATIONS(SATIN_KIND)
#undef SATIN_KIND
};

// A function with its coefficients; unused ones are ignored.
struct Curve {
  Activation kind;
  double a;
  double b;
};

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

// dx = dy · f'(x)
void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx);
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx);

// dx = dy · f'(x), and the sums of dy · df/da and dy · df/db.
void activationGradients(const Curve& curve, int64_t n, const float* dy, const float* x, float* dx, CoefficientSums<float>& sums);
void activationGradients(const Curve& curve, int64_t n, const double* dy, const double* x, double* dx, CoefficientSums<double>& sums);

}  // namespace satin
