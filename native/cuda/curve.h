// The activation of a kernel: a class of activation_math.h with its coefficients.
#pragma once

#include "../activation_kinds.h"

namespace satin {

// Fixed coefficients, or learned ones: [1] or [2] of the dtype computed with, in the card's memory.
struct CurveArguments {
  const void* learned;
  double a, b;
};

#ifdef SATIN_DEVICE_CODE

template <template <typename> class F>
struct Kind;

#define SATIN_KIND(NAME, NUMBER, TEXT, COEFFICIENTS)        \
  template <>                                               \
  struct Kind<NAME> {                                       \
    static constexpr Activation kNumber = Activation::k##NAME; \
    static constexpr int kCoefficients = COEFFICIENTS;      \
  };
SATIN_ACTIVATIONS(SATIN_KIND)
#undef SATIN_KIND

// A learned coefficient. The host does not read it, so nothing can refuse one out of range: it becomes NaN, and so does what is
// computed with it.
template <template <typename> class F, typename Real>
SATIN_INLINE Real learnedCoefficient(const void* learned, int place) {
  const Real value = static_cast<const Real*>(learned)[place];
  return isInRange(Kind<F>::kNumber, place, static_cast<double>(value)) ? value : 0 * infinity<Real>();
}

template <template <typename> class F, typename Real>
SATIN_INLINE F<Real> curveOf(const CurveArguments& curve) {
  if (Kind<F>::kCoefficients == 0 || curve.learned == nullptr) return F<Real>(static_cast<Real>(curve.a), static_cast<Real>(curve.b));
  const Real a = learnedCoefficient<F, Real>(curve.learned, 0);
  const Real b = Kind<F>::kCoefficients > 1 ? learnedCoefficient<F, Real>(curve.learned, 1) : Real(0);
  return F<Real>(a, b);
}

#endif

}  // namespace satin
