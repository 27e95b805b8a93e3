// activation(batch_norm(x) + residual), for the operators that do it together with what stands before.
#pragma once

#include <vector>

#include "activate.h"

namespace satin {

// satin::norm_activate; `synchronised`: batch statistics of all ranks.
at::Tensor normActivateOperator(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                const at::Tensor& bias, const OptionalTensor& runningMean,
                                const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised = false);

// Batch norm in evaluation mode as x * scale + shift, one of each a channel. Takes vectors of float32 on the CPU.
struct NormScale {
  std::vector<float> scale, shift;
};
NormScale normScale(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& variance, double epsilon);

}  // namespace satin
