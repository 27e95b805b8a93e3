// satin::conv2d: libtorch's convolution, on the CPU by Winograd's method where that serves: the output and both gradients.
// Second derivatives and every other convolution are libtorch's.
// satin::convolve_norm_activate: on the CPU, if no gradient is needed and Winograd's method applies, norm, residual and
// activation are its epilogue, computed while a part of the output is in the cache.
#include "convolution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "batch_norm_activation.h"
#include "winograd.h"
#include "winograd_gradient.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The gradient of the weights by libtorch, which can be differentiated again.
at::Tensor weightGradientComposed(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight) {
  const int64_t one[2] = {1, 1}, zero[2] = {0, 0};
  return std::get<1>(at::convolution_backward(dy, x, weight, c10::nullopt, one, one, one, false, zero, 1, {false, true, false}));
}

class WinogradConvolution : public torch::autograd::Function<WinogradConvolution> {
 public:
  // `transformed` and `back` are the weights as the two directions take them, or undefined.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& transformed,
                            const OptionalTensor& back) {
    // An attack needs no gradient of the weights, so intermediate activations need not be saved for it.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight, back.value_or(at::Tensor())});
    const BelowAutograd below;
    return winogradConvolution(x, weight.size(0), layoutOf(weight), transformed.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &kept = saved[2];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx, dWeight;
    if (context->needs_input_grad(0)) {
      if (at::GradMode::is_enabled())
        dx = at::conv2d(dy, weight.transpose(0, 1).flip({2, 3}), {}, 1, 1);  // differentiable again
      else
        dx = winogradConvolution(dy, weight.size(1), turned(layoutOf(weight)), kept);
    }
    if (context->needs_input_grad(1))
      dWeight = at::GradMode::is_enabled() ? weightGradientComposed(dy, x, weight) : winogradWeightGradient(dy, x);
    return {dx, dWeight, {}, {}};
  }
};

// oneDNN 2.6.3, with which Debian's libtorch 1.13 runs on the CPU, writes beyond its memory in the weight gradient of a 1x1
// convolution that skips places, with fewer than 16 inputs and large images.
bool isBrokenInOneDnn(const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride) {
  return x.dim() == 4 && weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1 && weight.size(1) < 16 &&
         (stride[0] > 1 || stride[1] > 1);
}

// libtorch's convolution, to run on the CPU.
at::Tensor byOneDnn(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                    at::IntArrayRef padding) {
  if (!isBrokenInOneDnn(x, weight, stride) || padding[0] != 0 || padding[1] != 0) return conv2dComposed(x, weight, bias, stride, padding);
  const at::Tensor taken = x.slice(2, 0, c10::nullopt, stride[0]).slice(3, 0, c10::nullopt, stride[1]);
  return at::conv2d(taken.contiguous(x.suggest_memory_format()), weight, bias);
}

// Weights of one input channel lie in both orders at once, and libtorch takes them for channels first: then its output lies
// so, and every following layer would have to convert it. These strides describe the same memory as channels last.
at::Tensor channelsLast(const at::Tensor& weight) {
  if (weight.dim() != 4 || weight.size(1) != 1 || !weight.is_contiguous()) return weight;
  return weight.squeeze(1).unsqueeze(-1).permute({0, 3, 1, 2});
}

// Images come channels first. cuDNN's convolution would reorder them by itself, but its input gradient first brings the output's
// gradient into the images' order and then back: 0.8 ms of a pass of 10 over 1,024 images by ResNet-18 in bfloat16 on an H100.
at::Tensor likeWeights(const at::Tensor& x, const at::Tensor& weight) {
  const bool reordered = x.is_cuda() && x.dim() == 4 && weight.dim() == 4 && weight.is_contiguous(at::MemoryFormat::ChannelsLast);
  return reordered ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

bool isVector(const at::Tensor& tensor, int64_t length) {
  return tensor.scalar_type() == at::kFloat && tensor.dim() == 1 && tensor.size(0) == length && tensor.is_contiguous();
}

}  // namespace

at::Tensor conv2dAutogradCpu(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                             at::IntArrayRef padding) {
  if (!compute_requires_grad(x, weight, bias)) {
    const BelowAutograd below;
    return conv2dCpu(x, weight, bias, stride, padding);
  }
  if (!winogradServes(x, weight, bias, stride, padding)) return byOneDnn(x, weight, bias, stride, padding);
  return WinogradConvolution::apply(x, weight, OptionalTensor(), OptionalTensor());
}

at::Tensor conv2dCpu(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                     at::IntArrayRef padding) {
  if (!winogradServes(x, weight, bias, stride, padding)) return byOneDnn(x, weight, bias, stride, padding);
  return winogradConvolution(x, weight.size(0), layoutOf(weight), at::Tensor());
}

at::Tensor conv2dComposed(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                          at::IntArrayRef padding) {
  const at::Tensor ordered = channelsLast(weight);
  return at::conv2d(likeWeights(x, ordered), ordered, bias, stride, padding);
}

// A trace may run on a CPU, wherever it was recorded.
at::Tensor conv2dTraced(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                        at::IntArrayRef padding) {
  return byOneDnn(x, weight, bias, stride, padding);
}

at::Tensor convolveNormActivateAutogradCpu(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor& transformed,
                                           const OptionalTensor& back, at::IntArrayRef stride, at::IntArrayRef padding,
                                           const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                                           const at::Tensor& runningMean, const at::Tensor& runningVariance, double epsilon,
                                           const OptionalTensor& coefficients, ActivationArgument activation) {
  if (!compute_requires_grad(x, convolution, residual, weight, bias, coefficients)) {
    const BelowAutograd below;
    return convolveNormActivateCpu(x, convolution, transformed, back, stride, padding, residual, weight, bias, runningMean,
                                   runningVariance, epsilon, coefficients, activation);
  }
  const at::Tensor y = winogradServes(x, convolution, {}, stride, padding)
                           ? WinogradConvolution::apply(x, convolution, transformed, back)
                           : byOneDnn(x, convolution, {}, stride, padding);
  return normActivate(y, residual, weight, bias, runningMean, runningVariance, false, 0, epsilon, coefficients, activation, false);
}

at::Tensor convolveNormActivateCpu(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor& transformed,
                                   const OptionalTensor&, at::IntArrayRef stride, at::IntArrayRef padding,
                                   const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                                   const at::Tensor& runningMean, const at::Tensor& runningVariance, double epsilon,
                                   const OptionalTensor& coefficients, ActivationArgument activation) {
  if (!winogradServes(x, convolution, {}, stride, padding)) {
    const at::Tensor y = byOneDnn(x, convolution, {}, stride, padding);
    return normActivate(y, residual, weight, bias, runningMean, runningVariance, false, 0, epsilon, coefficients, activation, false);
  }
  const int64_t outputs = convolution.size(0);
  const WeightLayout layout = layoutOf(convolution);
  const at::Tensor kept = transformed.value_or(at::Tensor());
  bool fused = true;
  for (const at::Tensor* each : {&weight, &bias, &runningMean, &runningVariance}) fused = fused && isVector(*each, outputs);
  if (fused && residual.has_value())
    fused = isPlain(*residual) && residual->is_contiguous(at::MemoryFormat::ChannelsLast) && residual->size(0) == x.size(0) &&
               residual->size(1) == outputs && residual->size(2) == x.size(2) && residual->size(3) == x.size(3);
  if (!fused) {
    const at::Tensor y = winogradConvolution(x, outputs, layout, kept);
    return normActivate(y, residual, weight, bias, runningMean, runningVariance, false, 0, epsilon, coefficients, activation, false);
  }
  const Curve curve = forwardCurve(activationSpec(activation, x, coefficients), coefficients);
  const NormScale norm = normScale(weight, bias, runningMean, runningVariance, epsilon);
  const float* added = residual.has_value() ? residual->data_ptr<float>() : nullptr;
  return winogradConvolution(x, outputs, layout, kept, {curve, norm.scale, norm.shift, added});
}

at::Tensor convolveNormActivateComposed(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor&,
                                        const OptionalTensor&, at::IntArrayRef stride, at::IntArrayRef padding,
                                        const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                                        const at::Tensor& runningMean, const at::Tensor& runningVariance, double epsilon,
                                        const OptionalTensor& coefficients, ActivationArgument activation) {
  // The weights of a network that computes in half precision stay float32.
  const at::Tensor y = conv2dComposed(x, convolution.to(x.scalar_type()), {}, stride, padding);
  return normActivate(y, residual, weight, bias, runningMean, runningVariance, false, 0, epsilon, coefficients, activation, false);
}

std::tuple<at::Tensor, at::Tensor> winogradWeightsCpu(const at::Tensor& weight) {
  if (!isPlain(weight) || weight.numel() == 0 || weight.size(2) != 3 || weight.size(3) != 3 || !winogradServes(weight.size(1), weight.size(0)))
    return noWinogradWeights(weight);
  const WeightLayout layout = layoutOf(weight);
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  return {winogradWeights({0, 0, 0, inputs, outputs}, layout, weight.options()),
          winogradWeights({0, 0, 0, outputs, inputs}, turned(layout), weight.options())};
}

std::tuple<at::Tensor, at::Tensor> noWinogradWeights(const at::Tensor& weight) {
  return {at::empty({0}, weight.options()), at::empty({0}, weight.options())};
}

}  // namespace satin
