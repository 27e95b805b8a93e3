#include "activation_composed.h"

#include <ATen/ATen.h>
#include <ATen/ScalarOps.h>

#include <initializer_list>
#include <iterator>
#include <limits>

namespace satin {
namespace {

using at::Tensor;

// Far beyond where every sigmoid is 0 or 1: what is held here can be multiplied by 0.
constexpr double kFar = 1000;
// Likewise for exp(-x²/2).
constexpr double kFarGaussian = 100;

constexpr double kRoot = 1.59576912160573071176;  // 2·√(2/π)
constexpr double kCube = 0.044715;

Tensor number(double value) { return at::native::wrapped_scalar_tensor(value); }

Tensor held(const Tensor& x, double limit = kFar) { return x.clamp(-limit, limit); }

// where(x > 0, above, below), and NaN for NaN if `below` is.
Tensor byPositive(const Tensor& x, const Tensor& above, const Tensor& below) { return at::where(x > 0, above, below); }

// A slope that does not depend on x but by its sign; NaN for NaN.
Tensor steps(const Tensor& x, const Tensor& below) {
  const Tensor one = at::ones_like(x);
  return at::where(x > 0, one, at::where(x <= 0, one * below, x));
}

// x · factor, and 0 where the factor is 0 and x infinite.
Tensor product(const Tensor& x, const Tensor& factor) {
  const double largest = x.scalar_type() == at::kDouble ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  return at::where(factor == 0, x.clamp(-largest, largest), x) * factor;
}

// σ(h) + h·σ(h)·σ(-h)
Tensor siluSlope(const Tensor& x) {
  const Tensor h = held(x);
  const Tensor s = h.sigmoid();
  return s + h * s * h.neg().sigmoid();
}

// tanh(log(1 + exp(x)))
Tensor mishGate(const Tensor& x) { return at::log_sigmoid(x.neg()).neg().tanh(); }

Tensor cubic(const Tensor& x) { return kRoot * x * (1 + kCube * x * x); }

Tensor gaussianShare(const Tensor& x) { return 0.5 * at::erfc(x * -0.70710678118654752440); }

Tensor belowZero(const Tensor& x) { return x.clamp_max(0); }

// SmoothReLU by y = a·x: below this its series, above it the logarithm.
constexpr double kSeriesEnd = 0.01;

// Held where libtorch 1.13's vectorised log1p still is finite: some way below the largest number it gives infinity.
Tensor smoothArgument(const Tensor& ramp, const Tensor& a) {
  return (ramp * a).clamp_max(ramp.scalar_type() == at::kDouble ? 1e307 : 1e38);
}

// c[0] + c[1] y + c[2] y² ...
Tensor series(const Tensor& y, std::initializer_list<double> coefficients) {
  auto next = std::rbegin(coefficients);
  Tensor sum = y * *next++;
  while (next != std::rend(coefficients) - 1) sum = (sum + *next++) * y;
  return sum + *next;
}

// 1 - log(1 + y) / y
Tensor smoothShare(const Tensor& y) {
  const Tensor far = y.clamp_min(kSeriesEnd);
  const Tensor near = series(y.clamp_max(kSeriesEnd), {0, 1. / 2, -1. / 3, 1. / 4, -1. / 5, 1. / 6, -1. / 7, 1. / 8});
  return at::where(y < kSeriesEnd, near, (far - far.log1p()) / far);
}

// (log(1 + y) - y / (1 + y)) / a² with ramp = y / a
Tensor smoothCoefficientSlope(const Tensor& ramp, const Tensor& y) {
  const Tensor far = y.clamp_min(kSeriesEnd), share = ramp / far;
  const Tensor near = series(y.clamp_max(kSeriesEnd), {1. / 2, -2. / 3, 3. / 4, -4. / 5, 5. / 6, -6. / 7, 7. / 8});
  return at::where(y < kSeriesEnd, ramp * ramp * near, share * share * (far.log1p() - far / (1 + far)));
}

}  // namespace

ComposedCurve::ComposedCurve(const Curve& curve) : kind(curve.kind), a(number(curve.a)), b(number(curve.b)) {}

ComposedCurve::ComposedCurve(const Curve& curve, const Tensor& coefficients)
    : kind(curve.kind), a(coefficients.select(0, 0)), b(coefficients.select(0, coefficients.size(0) - 1)) {}

Tensor ComposedCurve::value(const Tensor& x) const {
  switch (kind) {
    case Activation::kIdentity: return x;
    case Activation::kRelu: return x.relu();
    case Activation::kSilu: return x.clamp_min(-kFar) * x.sigmoid();
    case Activation::kLeakyRelu: return byPositive(x, x, x * a);
    case Activation::kSoftplus: return at::log_sigmoid((x * a).neg()).neg() / a;
    case Activation::kGelu: return x.clamp_min(-kFarGaussian) * gaussianShare(x);
    case Activation::kGeluTanh: return x.clamp_min(-kFarGaussian) * cubic(held(x, kFarGaussian)).sigmoid();
    case Activation::kElu: return byPositive(x, x, belowZero(x).expm1() * a);
    case Activation::kCelu: return byPositive(x, x, (belowZero(x) / a).expm1() * a);
    case Activation::kMish: return x.clamp_min(-kFar) * mishGate(x);
    case Activation::kSmoothRelu: {
      const Tensor ramp = x.relu();
      return ramp * smoothShare(smoothArgument(ramp, a));
    }
    case Activation::kPsilu: return product(x, (x * a).sigmoid());
    case Activation::kPssilu: return product(x, ((x * a).sigmoid() - b) / (1 - b));
  }
  return {};
}

Tensor ComposedCurve::slope(const Tensor& x) const {
  switch (kind) {
    case Activation::kIdentity: return at::ones_like(x);
    case Activation::kRelu: return steps(x, number(0));
    case Activation::kSilu: return siluSlope(x);
    case Activation::kLeakyRelu: return steps(x, a);
    case Activation::kSoftplus: return (x * a).sigmoid();
    case Activation::kGelu: {
      const Tensor h = held(x, kFarGaussian);
      return gaussianShare(x) + h * (h * h * -0.5).exp() * 0.39894228040143267794;
    }
    case Activation::kGeluTanh: {
      const Tensor h = held(x, kFarGaussian);
      const Tensor u = cubic(h), s = u.sigmoid();
      return s + h * s * u.neg().sigmoid() * (kRoot * (1 + 3 * kCube * h * h));
    }
    case Activation::kElu: return byPositive(x, at::ones_like(x), belowZero(x).exp() * a);
    case Activation::kCelu: return byPositive(x, at::ones_like(x), (belowZero(x) / a).exp());
    case Activation::kMish: {
      const Tensor h = held(x), t = mishGate(h);
      return t + h * (1 - t * t) * h.sigmoid();
    }
    case Activation::kSmoothRelu: {
      const Tensor y = smoothArgument(x.relu(), a);
      return y / (1 + y);
    }
    case Activation::kPsilu: return siluSlope(x * a);
    case Activation::kPssilu: return (siluSlope(x * a) - b) / (1 - b);
  }
  return {};
}

Tensor ComposedCurve::coefficientSlope(const Tensor& x, int coefficient) const {
  switch (kind) {
    case Activation::kLeakyRelu: return belowZero(x);
    case Activation::kSoftplus: {
      const Tensor h = held(x * a), opposite = h.neg();
      const Tensor entropy = h.sigmoid() * at::log_sigmoid(h) + opposite.sigmoid() * at::log_sigmoid(opposite);
      return entropy / (a * a);
    }
    case Activation::kElu: return belowZero(x).expm1();
    case Activation::kCelu: {
      const Tensor h = (belowZero(x) / a).clamp_min(-kFar);
      return h.expm1() - h * h.exp();
    }
    case Activation::kSmoothRelu: {
      const Tensor ramp = x.relu();
      return smoothCoefficientSlope(ramp, smoothArgument(ramp, a));
    }
    case Activation::kPsilu:
    case Activation::kPssilu: {
      const Tensor z = x * a, s = z.sigmoid(), opposite = z.neg().sigmoid();
      const Tensor scaled = kind == Activation::kPsilu ? s : s / (1 - b);
      if (coefficient == 0) return product(x, product(x, scaled * opposite));
      return product(x, opposite / (1 - b) / (b - 1));
    }
    default: return {};
  }
}

}  // namespace satin
