// satin::activate on any device: its argument, its autograd function and the implementation composed of libtorch's operators.
// The CPU's is in activation_cpu.cc, CUDA's in activation_cuda.cc.
#include "activation.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "activation_composed.h"
#include "dense_layout.h"
#include "dispatch.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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
  const auto finite = [&](double value) { return std::isfinite(value) || learned; };
  const bool first = isInRange(curve.kind, 0, curve.a), second = isInRange(curve.kind, 1, curve.b);
  if (coefficientsOf(curve.kind) > 0) expect(finite(curve.a), "a finite coefficient", curve.a);
  switch (curve.kind) {
    case Activation::kSmoothRelu: expect(first, "a coefficient of at least 0", curve.a); break;
    case Activation::kPssilu:
      expect(first, "a first coefficient of at least 0", curve.a);
      expect(second && (learned || !std::isnan(curve.b)), "a second coefficient from 0 to below 1", curve.b);
      break;
    default: expect(first, "a coefficient above 0", curve.a); break;
  }
}

void checkCoefficients(const Curve& curve, const at::Tensor& x, const at::Tensor& coefficients) {
  const int count = coefficientsOf(curve.kind);
  const char* name = nameOf(curve.kind);
  TORCH_CHECK(count > 0, "Expected no learned coefficients for ", name, ", which takes none.");
  TORCH_CHECK(coefficients.dim() == 1 && coefficients.size(0) == count, "Expected learned coefficients of shape [", count,
              "] for ", name, " but received ", coefficients.sizes(), ".");
  // Of half precision they may be float32, in which it is computed.
  const bool fits = coefficients.scalar_type() == x.scalar_type() || (isHalf(x) && coefficients.scalar_type() == at::kFloat);
  TORCH_CHECK(fits && coefficients.device() == x.device(),
              "Expected learned coefficients of x's dtype and device for ", name, " but received ", coefficients.scalar_type(),
              " on ", coefficients.device(), " for ", x.scalar_type(), " on ", x.device(), ".");
}

Curve learnedCurve(const Curve& curve, const at::Tensor& coefficients) {
  const at::Tensor numbers = coefficients.to(at::kDouble).contiguous();
  const double* first = numbers.data_ptr<double>();
  const Curve result{curve.kind, first[0], numbers.size(0) > 1 ? first[1] : 0};
  checkCurve(result, true);
  return result;
}

// Keeps x and the coefficients. Second derivatives are the reference implementation's, and first ones too for kByReference.
template <bool kByReference>
class Activate : public torch::autograd::Function<Activate<kByReference>> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const OptionalTensor& coefficients,
                            ActivationArgument activation) {
    context->save_for_backward({x, coefficients.value_or(at::Tensor())});
    context->saved_data["activation"] = activation;
    const BelowAutograd below;
    return kByReference ? activateComposed(x, coefficients, activation) : activate(x, coefficients, activation);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const OptionalTensor coefficients = saved[1].defined() ? OptionalTensor(saved[1]) : OptionalTensor();
    const bool learning = coefficients.has_value() && context->needs_input_grad(1);
    const auto activation = context->saved_data["activation"].toDoubleVector();
    at::Tensor dx, dCoefficients;
    if (kByReference || at::GradMode::is_enabled()) {
      std::tie(dx, dCoefficients) = activateBackwardComposed(gradients[0], saved[0], coefficients, activation, learning);
    } else {
      static const auto backward = operatorHandle<ActivateBackwardSignature>("satin::activate_backward");
      const BelowAutograd below;
      std::tie(dx, dCoefficients) = backward.call(gradients[0], saved[0], coefficients, activation, learning);
    }
    return {dx, dCoefficients, {}};
  }
};

at::Tensor recorded(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (!compute_requires_grad(x, coefficients)) {
    const BelowAutograd below;
    return activate(x, coefficients, activation);
  }
  return Activate<false>::apply(dense(x), coefficients, activation);  // a copy is kept for the gradient
}

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

Curve forwardCurve(const ActivationSpec& spec, const OptionalTensor& coefficients) {
  return coefficients.has_value() ? learnedCurve(spec.curve, *coefficients) : spec.curve;
}

Curve backwardCurve(const ActivationSpec& spec, const OptionalTensor& coefficients) {
  return spec.derivative.has_value() ? *spec.derivative : forwardCurve(spec, coefficients);
}

void checkLearning(const ActivationSpec& spec, const OptionalTensor& coefficients, bool learning) {
  TORCH_CHECK(!learning || coefficients.has_value(), "Expected learned coefficients where their gradient is asked for.");
  TORCH_CHECK(!learning || !spec.derivative.has_value(),
              "Expected no gradient of a learned coefficient where another function's derivative is used: a learned coefficient "
              "has no gradient then. Ask for the gradient of x alone.");
}

bool isHalf(const at::Tensor& x) { return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16; }

at::Tensor inFloat32(ActivateSignature& implementation, const at::Tensor& x, const OptionalTensor& coefficients,
                     ActivationArgument activation) {
  activationSpec(activation, x, coefficients);  // errors name the dtypes as given
  const OptionalTensor wide = coefficients.has_value() ? OptionalTensor(coefficients->to(at::kFloat)) : OptionalTensor();
  return implementation(x.to(at::kFloat), wide, activation).to(x.scalar_type());
}

at::Tensor activate(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  static const auto op = operatorHandle<ActivateSignature>("satin::activate");
  return op.call(x, coefficients, activation);
}

at::Tensor activateAutograd(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (isHalf(x) && compute_requires_grad(x, coefficients)) return inFloat32(activateAutograd, x, coefficients, activation);
  return recorded(x, coefficients, activation);
}

at::Tensor activateAutogradCuda(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  return recorded(x, coefficients, activation);
}

at::Tensor activateByReference(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (isHalf(x)) return inFloat32(activateByReference, x, coefficients, activation);
  return Activate<true>::apply(x, coefficients, activation);
}

at::Tensor activateComposed(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (isHalf(x)) return inFloat32(activateComposed, x, coefficients, activation);
  const at::Tensor y = activateTraced(x, coefficients, activation);
  return y.is_same(x) ? x.clone() : y;  // an operator's result is no input of it
}

// Nothing of Satin's stays in the trace.
at::Tensor activateTraced(const at::Tensor& x, const OptionalTensor& coefficients, ActivationArgument activation) {
  const Curve curve = activationSpec(activation, x, coefficients).curve;
  return coefficients.has_value() ? ComposedCurve(curve, *coefficients).value(x) : ComposedCurve(curve).value(x);
}

std::tuple<at::Tensor, at::Tensor> activateBackwardComposed(const at::Tensor& dy, const at::Tensor& x,
                                                            const OptionalTensor& coefficients, ActivationArgument activation,
                                                            bool learning) {
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  checkLearning(spec, coefficients, learning);
  if (isHalf(x)) {
    const OptionalTensor wide = coefficients.has_value() ? OptionalTensor(coefficients->to(at::kFloat)) : OptionalTensor();
    const auto [dx, sums] = activateBackwardComposed(dy.to(at::kFloat), x.to(at::kFloat), wide, activation, learning);
    return {dx.to(x.scalar_type()), learning ? sums.to(coefficients->scalar_type()) : sums};
  }
  const bool learned = !spec.derivative.has_value() && coefficients.has_value();
  const ComposedCurve composed = learned ? ComposedCurve(spec.curve, *coefficients) : ComposedCurve(spec.derivative.value_or(spec.curve));
  at::Tensor sums;
  if (learning) {
    std::vector<at::Tensor> each;
    for (int i = 0; i < coefficients->size(0); i++) each.push_back((dy * composed.coefficientSlope(x, i)).sum());
    sums = at::stack(each);
  }
  return {dy * composed.slope(x), sums};
}

}  // namespace satin
