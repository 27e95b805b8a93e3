// satin::norm_activate on any device: its autograd function, and the implementation composed of libtorch's operators, which
// serves where the fused kernels do not (another device, dtype or layout, weights that want a gradient in evaluation mode).
// The kernels are called in batch_norm_activation_cpu.cc and batch_norm_activation_cuda.cc.
#include "batch_norm_activation.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "all_reduce.h"
#include "dispatch.h"
#include "process_group.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool isDense(const at::Tensor& tensor, const at::Tensor& like) {
  return tensor.scalar_type() == like.scalar_type() && tensor.sizes() == like.sizes() &&
         tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
}

bool isVector(const at::Tensor& tensor, int64_t length) {
  return tensor.scalar_type() == at::kFloat && tensor.dim() == 1 && tensor.size(0) == length && tensor.is_contiguous();
}

// What the activation acts on, of libtorch's operators.
at::Tensor normed(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                  const OptionalTensor& mean, const OptionalTensor& variance, bool train, double momentum, double epsilon,
                  bool synchronised) {
  const at::Tensor z = train && synchronised && rankCount() > 1
                           ? synchronisedBatchNorm(x, weight, bias, mean, variance, momentum, epsilon)
                           : at::batch_norm(x, weight, bias, mean, variance, train, momentum, epsilon, false);
  return residual.has_value() ? z + *residual : z;
}

class NormActivate : public torch::autograd::Function<NormActivate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const OptionalTensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
                            const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                            const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
    static const auto fused = operatorHandle<NormActivateForwardSignature>("satin::norm_activate_forward");
    const BelowAutograd below;
    const auto [y, mean, inverse, scale, shift] = fused.call(x, residual, weight, bias, runningMean, runningVariance, train, momentum,
                                                             epsilon, coefficients, activation, synchronised);
    context->save_for_backward({x, residual.value_or(at::Tensor()), mean, inverse, scale, shift, coefficients.value_or(at::Tensor())});
    context->saved_data["train"] = train;
    context->saved_data["synchronised"] = synchronised;
    // the index of the coefficients among the tensor arguments: x, weight and bias always precede them
    context->saved_data["place"] = int64_t{3} + residual.has_value() + runningMean.has_value() + runningVariance.has_value();
    context->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "The fused batch norm has no second derivatives; run the network without fusion for those.");
    static const auto fused = operatorHandle<NormActivateBackwardSignature>("satin::norm_activate_backward");
    const auto saved = context->get_saved_variables();
    const auto optional = [](const at::Tensor& tensor) { return tensor.defined() ? OptionalTensor(tensor) : OptionalTensor(); };
    const OptionalTensor coefficients = optional(saved[6]);
    const bool learning = coefficients.has_value() && context->needs_input_grad(context->saved_data["place"].toInt());
    const auto activation = context->saved_data["activation"].toDoubleVector();
    const BelowAutograd below;
    const auto [dx, dResidual, dWeight, dBias, dCoefficients] =
        fused.call(gradients[0], saved[0], optional(saved[1]), saved[2], saved[3], saved[4], saved[5], coefficients,
                   context->saved_data["train"].toBool(), activation, context->saved_data["synchronised"].toBool(), learning);
    return {dx, dResidual, dWeight, dBias, {}, {}, {}, {}, {}, dCoefficients, {}, {}};
  }
};

}  // namespace

bool fusedNormServes(at::ArrayRef<at::ScalarType> dtypes, const at::Tensor& x, const OptionalTensor& residual,
                     const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
                     const OptionalTensor& runningVariance, bool train) {
  const bool isKnown = std::find(dtypes.begin(), dtypes.end(), x.scalar_type()) != dtypes.end();
  if (!isKnown || x.dim() != 4 || x.numel() == 0 || !isDense(x, x)) return false;
  const int64_t channels = x.size(1);
  const bool statistics = runningMean.has_value();
  return isVector(weight, channels) && isVector(bias, channels) && (train || statistics) && runningVariance.has_value() == statistics &&
         (!statistics || (isVector(*runningMean, channels) && isVector(*runningVariance, channels))) &&
         (!residual.has_value() || isDense(*residual, x));
}

at::Tensor normActivate(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                        const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum,
                        double epsilon, const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  static const auto op = operatorHandle<NormActivateSignature>("satin::norm_activate");
  return op.call(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients, activation,
                 synchronised);
}

namespace {

// By the kernels of those dtypes, with their gradient, or composed.
at::Tensor recorded(at::ArrayRef<at::ScalarType> dtypes, const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                    const at::Tensor& bias, const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train,
                    double momentum, double epsilon, const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  if (!compute_requires_grad(x, residual, weight, bias, coefficients)) {
    const BelowAutograd below;
    return normActivate(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients, activation,
                        synchronised);
  }
  // In evaluation mode the fused kernels have no gradient of weight and bias.
  const bool serves = (train || !compute_requires_grad(weight, bias)) &&
                      fusedNormServes(dtypes, x, residual, weight, bias, runningMean, runningVariance, train);
  if (!serves)
    return normActivateComposed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                                activation, synchronised);
  return NormActivate::apply(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                             activation, synchronised);
}

}  // namespace

at::Tensor normActivateAutograd(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                const at::Tensor& bias, const OptionalTensor& runningMean,
                                const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  return recorded(kNormDtypesCpu, x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                  activation, synchronised);
}

at::Tensor normActivateAutogradCuda(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                    const at::Tensor& bias, const OptionalTensor& runningMean,
                                    const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                    const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  // Sums over ranks are libtorch's operators between its kernels.
  if (train && synchronised && rankCount() > 1)
    return normActivateComposed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                                activation, synchronised);
  return recorded(kNormDtypesCuda, x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                  activation, synchronised);
}

at::Tensor normActivateComposed(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                const at::Tensor& bias, const OptionalTensor& runningMean,
                                const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  const ActivationSpec spec = activationSpec(activation, x, coefficients);  // before the running statistics move
  const at::Tensor z = normed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, synchronised);
  // An operator of its own would copy what the identity leaves as it is.
  const bool isIdentity = spec.curve.kind == Activation::kIdentity && !spec.derivative.has_value();
  return isIdentity ? z : activate(z, coefficients, activation);
}

at::Tensor normActivateTraced(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                              const at::Tensor& bias, const OptionalTensor& runningMean,
                              const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                              const OptionalTensor& coefficients, ActivationArgument activation, bool) {
  const at::Tensor z = normed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, false);
  return activateTraced(z, coefficients, activation);
}

at::Tensor synchronisedBatchNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const OptionalTensor& runningMean, const OptionalTensor& runningVariance, double momentum,
                                 double epsilon) {
  const double count = static_cast<double>(x.numel() / x.size(1)) * rankCount();
  const auto perChannel = [](const at::Tensor& vector) { return vector.reshape({1, -1, 1, 1}); };
  const at::Tensor mean = allReduceSum(x.sum({0, 2, 3})) / count;
  const at::Tensor centred = x - perChannel(mean);
  const at::Tensor variance = allReduceSum((centred * centred).sum({0, 2, 3})) / count;
  if (runningMean.has_value() && runningVariance.has_value()) {
    at::NoGradGuard guard;
    at::Tensor movingMean = *runningMean, movingVariance = *runningVariance;
    movingMean.mul_(1 - momentum).add_(mean, momentum);
    movingVariance.mul_(1 - momentum).add_(variance, momentum * count / std::max(1.0, count - 1));
  }
  return centred * perChannel(weight * (variance + epsilon).rsqrt()) + perChannel(bias);
}

}  // namespace satin
