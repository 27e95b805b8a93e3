// satin::norm_activate: activation(batch_norm(x) + residual), with a gradient. operators.cc lists which function serves
// which device.
#pragma once

#include <tuple>
#include <vector>

#include "activation.h"

namespace satin {

// `synchronised`: in training by the statistics of all ranks. `runningMean` and `runningVariance` move in training.
using NormActivateSignature = at::Tensor(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                         const at::Tensor& bias, const OptionalTensor& runningMean,
                                         const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                         const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised);
NormActivateSignature normActivate;  // through the dispatcher
NormActivateSignature normActivateAutograd, normActivateAutogradCuda, normActivateCpu, normActivateCuda, normActivateComposed,
    normActivateTraced;

// Whether a layer's fused kernels serve: x, and the residual like it, with channels last and of a dtype of the kernels; vectors
// of float32 without gaps.
bool fusedNormServes(at::ArrayRef<at::ScalarType> dtypes, const at::Tensor& x, const OptionalTensor& residual,
                     const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
                     const OptionalTensor& runningVariance, bool train);
constexpr at::ScalarType kNormDtypesCpu[] = {at::kFloat};
constexpr at::ScalarType kNormDtypesCuda[] = {at::kFloat, at::kBFloat16};

// Where they serve -> y, and what the gradient takes: for each channel mean, 1 / √(variance + epsilon), scale and shift
using NormActivateForwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
    const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
    const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
    const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised);
NormActivateForwardSignature normActivateForwardCpu, normActivateForwardCuda;

// -> the gradients of x, residual, weight, bias and coefficients; undefined where there is none: that of the residual
// without one, those of weight and bias in evaluation mode, that of the coefficients unless `learning`
using NormActivateBackwardSignature = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>(
    const at::Tensor& dy, const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& mean, const at::Tensor& inverse,
    const at::Tensor& scale, const at::Tensor& shift, const OptionalTensor& coefficients, bool train, ActivationArgument activation,
    bool synchronised, bool learning);
NormActivateBackwardSignature normActivateBackwardCpu, normActivateBackwardCuda;

// satin::synchronised_batch_norm: batch norm in training by the statistics of all ranks, of operators that can be
// differentiated any number of times. Every rank has the same number of images.
at::Tensor synchronisedBatchNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                 const OptionalTensor& runningMean, const OptionalTensor& runningVariance, double momentum,
                                 double epsilon);

// Batch norm in evaluation mode as x * scale + shift, one of each a channel. Takes vectors of float32 on the CPU.
struct NormScale {
  std::vector<float> scale, shift;
};
NormScale normScale(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& variance, double epsilon);

}  // namespace satin
