// Winograd's method (winograd_kernel.h) on tensors of the CPU: 3x3 convolutions of float32 with channels last.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "batch_norm_activation_kernel.h"
#include "optional_tensor.h"
#include "winograd_kernel.h"

namespace satin {

// Whether the method serves this convolution.
bool winogradServes(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                    at::IntArrayRef padding);

// A plain image or weight: four dimensions of float32.
bool isPlain(const at::Tensor& tensor);

// Of images x [N, C, H, W] and so many outputs.
ConvolutionShape shapeOf(const at::Tensor& x, int64_t outputs);

WeightLayout layoutOf(const at::Tensor& weight);

// The weights that lead back from outputs to inputs: both exchanged, and turned half round.
WeightLayout turned(const WeightLayout& weight);

// The weights as the kernel takes them.
at::Tensor winogradWeights(const ConvolutionShape& shape, const WeightLayout& weight, const at::TensorOptions& options);

// x [N, C, H, W] and weights of C inputs → [N, O, H, W], all channels last. `kept`: the weights transformed, or undefined.
at::Tensor winogradConvolution(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept);

// The epilogue fused into a convolution: batch norm as a scale and a shift per channel, a residual, an activation.
struct Epilogue {
  Curve curve;
  std::vector<float> scale, shift;
  const float* residual;  // or null
};

// The same with an epilogue, which is computed while a part of the output is in the cache: lines of tiles that lie one behind
// the other.
at::Tensor winogradConvolution(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept,
                               const Epilogue& epilogue);

}  // namespace satin
