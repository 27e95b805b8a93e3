// satin::activate, reached through the same generic call as libtorch's operators. float32 and float64 on the CPU have
// kernels; other devices run the reference implementation, and half precision computes in float32. Second derivatives are the
// reference implementation's.
#include "activate.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <array>
#include <cmath>

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Fewer numbers are not worth another thread.
constexpr int64_t kGrain = 32768;

// The curve of three numbers: kind, a, b.
Curve curveAt(ActivationArgument activation, size_t start) {
  const double number = activation[start];
  const bool small = number >= 0 && number < 1000;  // else the conversion to an integer would be undefined
  const auto kind = static_cast<Activation>(small ? static_cast<int64_t>(number) : -1);
  TORCH_CHECK(nameOf(kind) != nullptr && static_cast<double>(kind) == number, "Expected the number of an activation but received ",
              number, ".");
  return {kind, activation[start + 1], activation[start + 2]};
}

void checkCurve(const Curve& curve, bool learned) {
  const char* name = nameOf(curve.kind);
  const auto expect = [&](bool holds, const char* what, double value) {
    TORCH_CHECK(holds, "Expected ", what, " for ", name, " but received ", value, ".");
  };
  // A learned coefficient may become NaN, as a loss may: whoever looks for that finds it in the result.
  const auto finite = [&](double value) { return std::isfinite(value) || learned; };
  const int count = coefficientsOf(curve.kind);
  if (count > 0) expect(finite(curve.a), "a finite coefficient", curve.a);
  switch (curve.kind) {
    case Activation::kSoftplus:
    case Activation::kElu:
    case Activation::kCelu: expect(!(curve.a <= 0), "a coefficient above 0", curve.a); break;
    case Activation::kSmoothRelu: expect(!(curve.a < 0), "a coefficient of at least 0", curve.a); break;
    case Activation::kPssilu:
      expect(!(curve.a < 0), "a first coefficient of at least 0", curve.a);
      expect(!(curve.b < 0 || curve.b >= 1) && (learned || !std::isnan(curve.b)), "a second coefficient from 0 to below 1", curve.b);
      break;
    default: break;
  }
}

void checkCoefficients(const Curve& curve, const at::Tensor& x, const at::Tensor& coefficients) {
  const int count = coefficientsOf(curve.kind);
  const char* name = nameOf(curve.kind);
  TORCH_CHECK(count > 0, "Expected no learned coefficients for ", name, ", which takes none.");
  TORCH_CHECK(coefficients.dim() == 1 && coefficients.size(0) == count, "Expected learned coefficients of shape [", count,
              "] for ", name, " but received ", coefficients.sizes(), ".");
  TORCH_CHECK(coefficients.scalar_type() == x.scalar_type() && coefficients.device() == x.device(),
              "Expected learned coefficients of x's dtype and device for ", name, " but received ", coefficients.scalar_type(),
              " on ", coefficients.device(), " for ", x.scalar_type(), " on ", x.device(), ".");
}

// The same places in the same order, whatever the strides of dimensions of size 1.
bool sameLayout(const at::Tensor& one, const at::Tensor& other) {
  for (int64_t i = 0; i < one.dim(); i++)
    if (one.size(i) > 1 && one.stride(i) != other.stride(i)) return false;
  return true;
}

at::Tensor likeLayout(const at::Tensor& source, const at::Tensor& layout) {
  if (sameLayout(source, layout)) return source;
  return at::empty_like(layout, layout.options().requires_grad(false)).copy_(source);
}

template <typename Real>
void parallelValues(const Curve& curve, const at::Tensor& x, const at::Tensor& y) {
  const Real* from = x.data_ptr<Real>();
  Real* to = y.data_ptr<Real>();
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    activationValues(curve, end - begin, from + begin, to + begin);
  });
}

// Also adds up the coefficients' gradients where `sums` has places for them: one for each thread, added in their order.
template <typename Real>
void parallelGradients(const Curve& curve, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx, const at::Tensor& sums) {
  const Real *upstream = dy.data_ptr<Real>(), *from = x.data_ptr<Real>();
  Real* to = dx.data_ptr<Real>();
  std::vector<std::array<double, 2>> threads(static_cast<size_t>(at::get_num_threads()));
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!sums.defined()) return activationGradients(curve, end - begin, upstream + begin, from + begin, to + begin);
    CoefficientSums<Real> part;
    activationGradients(curve, end - begin, upstream + begin, from + begin, to + begin, part);
    threads[static_cast<size_t>(at::get_thread_num())] = {part.total(0), part.total(1)};
  });
  if (!sums.defined()) return;
  for (int64_t i = 0; i < sums.size(0); i++) {
    double total = 0;
    for (const auto& each : threads) total += each[static_cast<size_t>(i)];
    sums.data_ptr<Real>()[i] = static_cast<Real>(total);
  }
}

// Keeps x and the coefficients; the reference implementation's gradient, or the kernel's.
class Activate : public torch::autograd::Function<Activate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const OptionalTensor& coefficients,
                            ActivationArgument activation, bool kernel) {
    const ActivationSpec spec = activationSpec(activation, x, coefficients);
    context->save_for_backward({x, coefficients.has_value() ? *coefficients : at::Tensor()});
    context->saved_data["activation"] = activation;
    context->saved_data["kernel"] = kernel;
    if (!kernel) {
      const at::Tensor y = activateTraced(x, coefficients, spec.curve);
      return y.is_same(x) ? x.clone() : y;
    }
    const Curve effective = coefficients.has_value() ? learnedCurve(spec.curve, *coefficients) : spec.curve;
    at::Tensor y = at::empty_like(x, x.options().requires_grad(false));
    if (x.scalar_type() == at::kFloat) parallelValues<float>(effective, x, y);
    else parallelValues<double>(effective, x, y);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &coefficients = saved[1], &dy = gradients[0];
    const auto numbers = context->saved_data["activation"].toDoubleVector();
    const auto spec = activationSpec(numbers, x, coefficients.defined() ? OptionalTensor(coefficients) : OptionalTensor());
    const bool own = !spec.derivative.has_value();
    const Curve derivative = spec.derivative.value_or(spec.curve);
    const bool learning = coefficients.defined() && context->needs_input_grad(1);
    TORCH_CHECK(own || !learning, kNoCoefficientGradient);
    const bool learned = own && coefficients.defined();
    if (at::GradMode::is_enabled() || !context->saved_data["kernel"].toBool()) {
      const ComposedCurve composed = learned ? ComposedCurve(derivative, coefficients) : ComposedCurve(derivative);
      at::Tensor sums;
      if (learning) {
        std::vector<at::Tensor> each;
        for (int i = 0; i < coefficients.size(0); i++) each.push_back((dy * composed.coefficientSlope(x, i)).sum());
        sums = at::stack(each);
      }
      return {dy * composed.slope(x), sums, {}, {}};
    }
    const Curve effective = learned ? learnedCurve(derivative, coefficients) : derivative;
    const at::Tensor upstream = likeLayout(dy, x);
    at::Tensor dx = at::empty_like(x, x.options().requires_grad(false));
    const at::Tensor sums = learning ? at::empty_like(coefficients, coefficients.options().requires_grad(false)) : at::Tensor();
    if (x.scalar_type() == at::kFloat) parallelGradients<float>(effective, upstream, x, dx, sums);
    else parallelGradients<double>(effective, upstream, x, dx, sums);
    return {dx, sums, {}, {}};
  }
};

bool hasKernel(const at::Tensor& x) {
  return x.device().is_cpu() && x.layout() == at::kStrided && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

at::Tensor activateWith(bool kernels, const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16) {
    activationSpec(activation, x, coefficients);
    const OptionalTensor wide = coefficients.has_value() ? OptionalTensor(coefficients->to(at::kFloat)) : OptionalTensor();
    return activateWith(kernels, x.to(at::kFloat), wide, activation).to(x.scalar_type());
  }
  const bool kernel = kernels && hasKernel(x);
  // Kernels run along memory: every layout without gaps and overlaps will do.
  const bool flat = !kernel || x.is_non_overlapping_and_dense();
  return Activate::apply(flat ? x : x.contiguous(x.suggest_memory_format()), coefficients, activation, kernel);
}

at::Tensor activateOperator(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  return activateWith(true, x, coefficients, activation);
}

// The reference implementation wherever it runs, for tests: where there is a kernel, nothing else calls it.
at::Tensor composedOperator(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  return activateWith(false, x, coefficients, activation);
}

at::Tensor tracedOperator(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  return activateTraced(x, coefficients, activationSpec(activation, x, coefficients).curve);
}

TORCH_LIBRARY_FRAGMENT(satin, library) {
  const std::string arguments = "(Tensor x, Tensor? coefficients, float[] activation) -> Tensor";
  library.def(("activate" + arguments).c_str(), &activateOperator);
  library.def(("activate_composed" + arguments).c_str(), &composedOperator);
}

TORCH_LIBRARY_IMPL(satin, Tracer, library) { library.impl("activate", &tracedOperator); }

}  // namespace

ActivationSpec activationSpec(ActivationArgument activation, const at::Tensor& x, const OptionalTensor& coefficients) {
  TORCH_CHECK(activation.size() == 3 || activation.size() == 6, "Expected 3 or 6 numbers for an activation but received ",
              activation.size(), ".");
  ActivationSpec spec{curveAt(activation, 0), {}};
  if (activation.size() == 6) {
    spec.derivative = curveAt(activation, 3);
    checkCurve(*spec.derivative, false);
  }
  TORCH_CHECK(at::isFloatingType(x.scalar_type()), "Expected x of a floating dtype for an activation but received ", x.scalar_type(), ".");
  if (coefficients.has_value()) checkCoefficients(spec.curve, x, *coefficients);
  else checkCurve(spec.curve, false);
  return spec;
}

Curve learnedCurve(const Curve& curve, const at::Tensor& coefficients) {
  const at::Tensor numbers = coefficients.to(at::kDouble).contiguous();
  const double* first = numbers.data_ptr<double>();
  const Curve result{curve.kind, first[0], numbers.size(0) > 1 ? first[1] : 0};
  checkCurve(result, true);
  return result;
}

at::Tensor activate(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  return activateWith(true, x, coefficients, activation);
}

at::Tensor activateTraced(const at::Tensor& x, const OptionalTensor& coefficients, const Curve& curve) {
  return coefficients.has_value() ? ComposedCurve(curve, *coefficients).value(x) : ComposedCurve(curve).value(x);
}

}  // namespace satin
