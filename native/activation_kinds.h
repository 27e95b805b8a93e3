// The activations there are: their numbers, names and coefficients. activation_math.h defines what each computes.
#pragma once

#include "portable.h"

namespace satin {

// Each kind's number, name and how many coefficients it takes. `activationKinds` in src/tensor/functional.ts has the same
// names and numbers; a test compares the two.
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

// Whether the first (0) or second (1) coefficient of a kind may have this value. NaN may: a learned coefficient becomes that as
// a loss does, which is detected in the result.
SATIN_INLINE bool isInRange(Activation kind, int coefficient, double value) {
  switch (kind) {
    case Activation::kSoftplus:
    case Activation::kElu:
    case Activation::kCelu: return !(value <= 0);
    case Activation::kSmoothRelu: return !(value < 0);
    case Activation::kPssilu: return coefficient == 0 ? !(value < 0) : !(value < 0 || value >= 1);
    default: return true;
  }
}

}  // namespace satin
