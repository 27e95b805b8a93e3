// Each activation of one number: value, slope f'(x), and the slope with respect to each coefficient. Written for loops that
// become vectors: no branches, no calls, selects only. NaN comes out as NaN, infinity as the limit. The kernels of the CPU and
// those of CUDA compute by these formulas; portable.h says what differs between their compilers.
//
// What to know before changing one:
// - Exponentials get -min(|x|, hold). Two clamps in a row lead GCC 12 to a loop ten times slower.
// - `hold < m ? hold : m` lets NaN through, and so does `x < 0 ? 0 : x`; the other way round they do not.
// - Products with what tends to 0 take the held number: infinity times 0 is NaN.
#pragma once

#include "portable.h"

namespace satin {

// c[0] + c[1] x + c[2] x² ...
template <typename Real>
SATIN_INLINE Real polynomial(Real, double c) {
  return static_cast<Real>(c);
}
template <typename Real, typename... More>
SATIN_INLINE Real polynomial(Real x, double c, More... more) {
  return static_cast<Real>(c) + x * polynomial(x, more...);
}

// What differs between the two floating types. The polynomials are Chebyshev fits with 60 digits.
template <typename Real>
struct Format;

template <>
struct Format<float> {
  using Bits = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr Bits kBias = 127;
  static constexpr Bits kUpperHalf = 0xfffff000u;   // 12 bits of the mantissa: the square is exact
  static constexpr float kRound = 0x1.8p23f;        // added and taken away again, it rounds to a whole number
  static constexpr float kHold = 87.0f;             // exp(-87) is near the smallest number without loss
  static constexpr float kGaussianHold = 13.1f;     // 13.1²/2 < 87
  static constexpr float kCubicHold = 9.9f;         // √(8/π)·(9.9 + 0.044715·9.9³) < 87
  static constexpr float kLargeHold = 0x1p125f;     // 1 / (1 + it) is not yet denormal
  static constexpr float kLargest = 0x1.fffffep127f;
  static constexpr uint32_t kInfinityBits = 0x7f800000u;
  static constexpr float kLn2High = 0.693359375f;   // few bits: times a whole number it is exact
  static constexpr float kLn2Low = -2.12194440e-4f;
  // (exp(r) - 1 - r) / r² for |r| <= log(2) / 2
  static SATIN_INLINE float exponential(float r) {
    return polynomial(r, 0.5, 0.1666657699, 0.04166655462, 0.008363179053, 0.001392618359);
  }
  // (t - log(1 + t)) / t² for 0 <= t <= 1
  static SATIN_INLINE float logarithm(float t) {
    return polynomial(t, 0.4999999952, -0.3333323735, 0.2499675991, -0.1995670795, 0.1636515287, -0.1303336424,
                      0.09139413774, -0.04930997343, 0.01718426698, -0.002801641993);
  }
  // (1 - Φ(m)) · exp(m²/2) / t with t = k / (m + k), u = 1 - 2t
  static constexpr float kTail = 4.0f;
  static SATIN_INLINE float gaussianTail(float u) {
    return polynomial(u, 0.1888212868, -0.1519742931, 0.09678394692, -0.04662738753, 0.01510638749, -0.001901067278,
                      -0.0009136904214, 0.0004162975399, 0.0001156126181);
  }
};

template <>
struct Format<double> {
  using Bits = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr Bits kBias = 1023;
  static constexpr Bits kUpperHalf = 0xfffffffff8000000u;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kHold = 708.0;
  static constexpr double kGaussianHold = 37.6;
  static constexpr double kCubicHold = 21.0;
  static constexpr double kLargeHold = 0x1p1021;
  static constexpr double kLargest = 0x1.fffffffffffffp1023;
  static constexpr uint64_t kInfinityBits = 0x7ff0000000000000u;
  static constexpr double kLn2High = 6.93145751953125e-1;
  static constexpr double kLn2Low = 1.42860682030941723212e-6;
  static SATIN_INLINE double exponential(double r) {
    return polynomial(r, 0.5000000000000001022, 0.1666666666666666745, 0.04166666666662412787, 0.008333333333330061833,
                      0.00138888889172137169, 0.0001984126986305361688, 0.00002480152129595437513,
                      2.755726845999706477e-6, 2.762008844540974816e-7, 2.510038549551031908e-8);
  }
  static SATIN_INLINE double logarithm(double t) {
    return polynomial(t, 0.4999999999999999902, -0.3333333333333246561, 0.2499999999987205005, -0.1999999999247162995,
                      0.1666666643097834008, -0.1428570974544554454, 0.1249994128150768744, -0.1111057114285580573,
                      0.09996324347550136829, -0.09071835292534260436, 0.0825618541627825036, -0.07444817019942226839,
                      0.06504010366036855782, -0.05322352246032121438, 0.0391250511523394424, -0.02468295019168493372,
                      0.01273215052824767314, -0.005081090478548994152, 0.001456924847332917437,
                      -0.0002652959705425310437, 0.00002293885681847143777);
  }
  static constexpr double kTail = 5.0;
  static SATIN_INLINE double gaussianTail(double u) {
    return polynomial(u, 0.153838609950012662, -0.1330765005780104675, 0.09906112319397774056, -0.06270663133435022729,
                      0.03300407323478447473, -0.01382372773854659147, 0.004159013349320814869, -0.0005986753917773209552,
                      -0.0001595738039099183703, 0.0001089800955737649192, -0.0000118754095909369348,
                      -9.953799657673434012e-6, 3.336568318669399119e-6, 7.994083104183655827e-7, -5.532334103357580864e-7,
                      -7.219642299089726899e-8, 8.399806477044216561e-8, 1.220138539034323102e-8, -9.859778452672277644e-9,
                      -2.678714805533174346e-9);
  }
};

template <typename Real>
SATIN_INLINE Real infinity() {
  return numberOf(Format<Real>::kInfinityBits);
}

// min(m, limit), and NaN for NaN.
template <typename Real>
SATIN_INLINE Real held(Real m, Real limit = Format<Real>::kHold) {
  return limit < m ? limit : m;
}

// max(x, 0), and NaN for NaN.
template <typename Real>
SATIN_INLINE Real ramp(Real x) {
  return x < 0 ? Real(0) : x;
}

// 0, and NaN for NaN: another select would cost more.
template <typename Real>
SATIN_INLINE Real nothing(Real x) {
  return 0 * held(magnitude(x), Real(1));
}

// exp(x) = scale · (1 + excess), scale a power of 2; for -hold <= x <= 0, and NaN.
template <typename Real>
struct Exponential {
  // `correction` is added to x, whose precision could not represent it.
  SATIN_INLINE explicit Exponential(Real x, Real correction = 0) {
    using F = Format<Real>;
    const Real shifted = x * Real(1.44269504088896340736) + F::kRound;
    const Real n = shifted - F::kRound;
    r = (x - n * F::kLn2High) - n * F::kLn2Low + correction;
    rest = r * r * F::exponential(r);
    excess = r + rest;
    // the whole number is what the low bits hold; those above fall out
    scale = numberOf((bitsOf(shifted) + F::kBias) << F::kMantissaBits);
  }
  SATIN_INLINE Real value() const { return scale + scale * excess; }
  SATIN_INLINE Real minusOne() const { return scale * excess + (scale - 1); }
  // (1 - x)·exp(x) - 1, exact near 0 too
  SATIN_INLINE Real bend(Real x) const { return scale * (rest + (r - x) - x * excess) + (scale - 1); }
  Real scale, excess;
  Real r, rest;  // excess = r + rest
};

// log(1 + e) for 0 <= e <= 1
template <typename Real>
SATIN_INLINE Real logOnePlus(Real e) {
  return e - e * e * Format<Real>::logarithm(e);
}

// x
template <typename Real>
struct Identity {
  explicit Identity(Real, Real) {}
  SATIN_INLINE Real value(Real x) const { return x; }
  SATIN_INLINE Real slope(Real) const { return 1; }
};

// max(0, x)
template <typename Real>
struct Relu {
  explicit Relu(Real, Real) {}
  SATIN_INLINE Real value(Real x) const { return ramp(x); }
  SATIN_INLINE Real slope(Real x) const { return (x > 0 ? Real(1) : Real(0)) + nothing(x); }
};

// x for x > 0, a·x else
template <typename Real>
struct LeakyRelu {
  explicit LeakyRelu(Real a, Real) : a(a) {}
  SATIN_INLINE Real value(Real x) const { return x > 0 ? x : a * x; }
  SATIN_INLINE Real slope(Real x) const { return (x > 0 ? Real(1) : a) + nothing(x); }
  SATIN_INLINE Real slopeA(Real x) const { return x > 0 ? Real(0) : x; }
  Real a;
};

// σ(-m) for m = min(|z|, hold); σ(m) is 1 less that.
template <typename Real>
SATIN_INLINE Real smallSigmoid(Real m) {
  const Real e = Exponential<Real>(-m).value();
  return e / (1 + e);
}

// x·σ(x) = max(x, 0) - |x|·σ(-|x|); the slope at -x is 1 less the slope at x.
template <typename Real>
struct Silu {
  explicit Silu(Real, Real) {}
  SATIN_INLINE Real value(Real x) const {
    const Real m = held(magnitude(x));
    return ramp(x) - m * smallSigmoid(m);
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real m = held(magnitude(x));
    const Real q = smallSigmoid(m);
    const Real d = q - m * q * (1 - q);
    return x >= 0 ? 1 - d : d;
  }
};

// log(1 + exp(a·x)) / a
template <typename Real>
struct Softplus {
  explicit Softplus(Real a, Real) : a(a), inverse(held(1 / a, Format<Real>::kLargest)) {}
  SATIN_INLINE Real value(Real x) const {
    return ramp(x) + logOnePlus(Exponential<Real>(-held(magnitude(a * x))).value()) * inverse;
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real e = Exponential<Real>(-held(magnitude(a * x))).value();
    return (x >= 0 ? Real(1) : e) / (1 + e);
  }
  // the entropy of the sigmoid, over a²
  SATIN_INLINE Real slopeA(Real x) const {
    const Real m = held(magnitude(a * x));
    const Real e = Exponential<Real>(-m).value();
    return -(logOnePlus(e) + m * (e / (1 + e))) * inverse * inverse;
  }
  Real a, inverse;
};

// x·Φ(x) = max(x, 0) - |x|·(1 - Φ(|x|))
template <typename Real>
struct Gelu {
  explicit Gelu(Real, Real) {}
  SATIN_INLINE Real value(Real x) const {
    const Real m = held(magnitude(x), Format<Real>::kGaussianHold);
    return ramp(x) - m * (gaussian(m) * tail(m));
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real m = held(magnitude(x), Format<Real>::kGaussianHold);
    const Real d = gaussian(m) * (tail(m) - m * Real(0.398942280401432677940));
    return x >= 0 ? 1 - d : d;
  }
  // exp(-m²/2), with the square's rounding error made good
  static SATIN_INLINE Real gaussian(Real m) {
    const Real high = numberOf(bitsOf(m) & Format<Real>::kUpperHalf);
    return Exponential<Real>(Real(-0.5) * high * high, Real(-0.5) * (m - high) * (m + high)).value();
  }
  // (1 - Φ(m)) · exp(m²/2)
  static SATIN_INLINE Real tail(Real m) {
    const Real t = Format<Real>::kTail / (m + Format<Real>::kTail);
    return t * Format<Real>::gaussianTail(1 - 2 * t);
  }
};

// x·σ(2u), u = √(2/π)·(x + 0.044715·x³)
template <typename Real>
struct GeluTanh {
  explicit GeluTanh(Real, Real) {}
  static constexpr Real kRoot = 1.59576912160573071176;  // 2·√(2/π)
  static constexpr Real kCube = 0.044715;
  SATIN_INLINE Real value(Real x) const {
    const Real m = held(magnitude(x), Format<Real>::kCubicHold);
    return ramp(x) - m * smallSigmoid(kRoot * m * (1 + kCube * (m * m)));
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real m = held(magnitude(x), Format<Real>::kCubicHold);
    const Real square = m * m;
    const Real q = smallSigmoid(kRoot * m * (1 + kCube * square));
    const Real d = q - m * q * (1 - q) * (kRoot * (1 + 3 * kCube * square));
    return x >= 0 ? 1 - d : d;
  }
};

// x for x > 0, a·(exp(x) - 1) else
template <typename Real>
struct Elu {
  explicit Elu(Real a, Real) : a(a) {}
  SATIN_INLINE Real value(Real x) const { return x > 0 ? x : a * Exponential<Real>(-held(magnitude(x))).minusOne(); }
  SATIN_INLINE Real slope(Real x) const { return x > 0 ? Real(1) : a * Exponential<Real>(-held(magnitude(x))).value(); }
  SATIN_INLINE Real slopeA(Real x) const { return x > 0 ? Real(0) : Exponential<Real>(-held(magnitude(x))).minusOne(); }
  Real a;
};

// x for x > 0, a·(exp(x/a) - 1) else
template <typename Real>
struct Celu {
  explicit Celu(Real a, Real) : a(a), inverse(held(1 / a, Format<Real>::kLargest)) {}
  SATIN_INLINE Real value(Real x) const { return x > 0 ? x : a * Exponential<Real>(-m(x)).minusOne(); }
  SATIN_INLINE Real slope(Real x) const { return x > 0 ? Real(1) : Exponential<Real>(-m(x)).value(); }
  SATIN_INLINE Real slopeA(Real x) const {
    const Real m = this->m(x);
    const Real value = Exponential<Real>(-m).bend(-m);
    return x > 0 ? Real(0) : value;
  }
  SATIN_INLINE Real m(Real x) const { return held(magnitude(x * inverse)); }
  Real a, inverse;
};

// x·t, t = tanh(log(1 + exp(x))) = e·(e + 2) / (e·(e + 2) + 2), e = exp(x); for x > 0 both sides over e².
template <typename Real>
struct Mish {
  explicit Mish(Real, Real) {}
  SATIN_INLINE Real value(Real x) const {
    const Real m = held(magnitude(x));
    const Real e = Exponential<Real>(-m).value();
    const Real top = x >= 0 ? 1 + 2 * e : e * (e + 2);
    return (x < 0 ? -m : x) * (top / (top + (x >= 0 ? 2 * (e * e) : Real(2))));
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real m = held(magnitude(x));
    const Real e = Exponential<Real>(-m).value();
    const Real top = x >= 0 ? 1 + 2 * e : e * (e + 2);
    const Real inverse = 1 / (top + (x >= 0 ? 2 * (e * e) : Real(2)));
    const Real bend = 4 * m * (1 + e) * (inverse * inverse);
    return top * inverse + (x >= 0 ? bend * (e * e) : -bend * e);
  }
};

// x - log(1 + a·x) / a for x > 0, 0 else. With y = a·x and Q(t) = (t - log(1 + t)) / t² on [0, 1]: x·y·Q(y) for y < 1, which
// loses nothing near 0; else 1 + y = 2^k·(1 + t), and its logarithm is k·log(2) + t - t²·Q(t).
template <typename Real>
struct SmoothRelu {
  explicit SmoothRelu(Real a, Real) : a(a), inverse(held(1 / a, Format<Real>::kLargest)) {}
  SATIN_INLINE Real value(Real x) const {
    const Real y = argument(x);
    const Parts p(y);
    const Real value = y < 1 ? x * (y * p.q) : x - p.log * inverse;
    return x < 0 ? Real(0) : value;
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real y = argument(x);
    const Real value = y * (1 / (1 + y));
    return x < 0 ? Real(0) : value;
  }
  // (log(1 + y) - y / (1 + y)) / a²
  SATIN_INLINE Real slopeA(Real x) const {
    const Real y = argument(x), share = 1 / (1 + y);
    const Parts p(y);
    const Real near = x * x * (share - p.q);
    const Real far = (p.log - y * share) * inverse * inverse;
    const Real value = y < 1 ? near : far;
    return x < 0 ? Real(0) : (x > Format<Real>::kLargest ? x : value);
  }
  SATIN_INLINE Real argument(Real x) const { return held(magnitude(a * x), Format<Real>::kLargeHold); }
  struct Parts {
    SATIN_INLINE explicit Parts(Real y) {
      using F = Format<Real>;
      using Bits = typename F::Bits;
      const Bits bits = bitsOf(1 + y);
      const Real w = numberOf((bits & ((Bits(1) << F::kMantissaBits) - 1)) | (F::kBias << F::kMantissaBits));
      // the exponent as the low bits of a number whose unit is 1
      const Real unit = Real(Bits(1) << F::kMantissaBits);
      const Real k = numberOf((bits >> F::kMantissaBits) | bitsOf(unit)) - (unit + Real(F::kBias));
      const Real t = y < 1 ? y : w - 1;
      q = F::logarithm(t);
      log = (k * F::kLn2High + t) + (k * F::kLn2Low - t * t * q);
    }
    Real q;
    Real log;  // where y is not below 1
  };
  Real a, inverse;
};

// x·σ(a·x)
template <typename Real>
struct Psilu {
  explicit Psilu(Real a, Real) : a(a) {}
  SATIN_INLINE Real value(Real x) const {
    const Real h = a * x, m = magnitude(h), q = smallSigmoid(held(m));
    const Real inside = x * (h >= 0 ? 1 - q : q);
    const Real limit = h >= 0 ? x : Real(0);
    return m > Format<Real>::kHold ? limit : inside;
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real h = a * x, m = held(magnitude(h)), q = smallSigmoid(m);
    const Real d = q - m * q * (1 - q);
    return h >= 0 ? 1 - d : d;
  }
  SATIN_INLINE Real slopeA(Real x) const {
    const Real m = magnitude(a * x), q = smallSigmoid(held(m));
    const Real inside = x * (x * (q * (1 - q)));
    return m > Format<Real>::kHold ? Real(0) : inside;
  }
  Real a;
};

// x·(σ(a·x) - b) / (1 - b)
template <typename Real>
struct Pssilu {
  explicit Pssilu(Real a, Real b)
      : a(a), scale(1 / (1 - b)), fall(b / (1 - b)), limit(b > 0 ? infinity<Real>() : Real(0)) {}
  SATIN_INLINE Real value(Real x) const {
    const Real h = a * x, m = magnitude(h), q = smallSigmoid(held(m));
    const Real inside = x * (h >= 0 ? 1 - q * scale : q * scale - fall);
    const Real outside = h >= 0 ? x : (magnitude(x) > Format<Real>::kLargest ? limit : -fall * x);
    return m > Format<Real>::kHold ? outside : inside;
  }
  SATIN_INLINE Real slope(Real x) const {
    const Real h = a * x, m = held(magnitude(h)), q = smallSigmoid(m);
    const Real d = q - m * q * (1 - q);
    return h >= 0 ? 1 - d * scale : d * scale - fall;
  }
  SATIN_INLINE Real slopeA(Real x) const {
    const Real m = magnitude(a * x), q = smallSigmoid(held(m));
    const Real inside = x * (x * (q * (1 - q) * scale));
    return m > Format<Real>::kHold ? Real(0) : inside;
  }
  // x·(σ(a·x) - 1) / (1 - b)²
  SATIN_INLINE Real slopeB(Real x) const {
    const Real h = a * x, m = magnitude(h), q = smallSigmoid(held(m));
    const Real inside = x * ((h >= 0 ? -q : q - 1) * (scale * scale));
    const Real outside = h >= 0 ? Real(0) : -x * (scale * scale);
    return m > Format<Real>::kHold ? outside : inside;
  }
  Real a, scale, fall, limit;
};

}  // namespace satin
