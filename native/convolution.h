// satin::conv2d and what is computed together with it. operators.cc says which function serves which device.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

#include "activation.h"
#include "optional_tensor.h"

namespace satin {

using Conv2dSignature = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                                   at::IntArrayRef padding);
Conv2dSignature conv2dAutogradCpu, conv2dCpu, conv2dComposed, conv2dTraced;

// activation(batch_norm(conv2d(x)) + residual) in evaluation mode. `transformed` and `back` are the convolution's weights as
// satin::winograd_weights made them.
using ConvolveNormActivateSignature = at::Tensor(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor& transformed,
                                                 const OptionalTensor& back, at::IntArrayRef stride, at::IntArrayRef padding,
                                                 const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                                                 const at::Tensor& runningMean, const at::Tensor& runningVariance, double epsilon,
                                                 const OptionalTensor& coefficients, ActivationArgument activation);
ConvolveNormActivateSignature convolveNormActivateAutogradCpu, convolveNormActivateCpu, convolveNormActivateComposed;

// The weights of a convolution as Winograd's method takes them, towards its outputs and back to its inputs, to be used as
// long as they do not change; two empty tensors where it does not serve.
using WinogradWeightsSignature = std::tuple<at::Tensor, at::Tensor>(const at::Tensor& weight);
WinogradWeightsSignature winogradWeightsCpu, noWinogradWeights;

}  // namespace satin
