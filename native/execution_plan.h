// A network in evaluation mode as a list of fused steps: all of them for a few images at a time, which stay in a thread's
// cache, in place of one operator after the other for all images. Forward, and back to the gradient of the images.
// src/models/execution-plan/ makes the list; docs/execution-plan.md has the picture.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// A convolution's weights as the plan's kernels take them: `geometry` as in a step; `back` leads from outputs to inputs.
using PlanWeightsSignature = at::Tensor(const at::Tensor& weight, at::IntArrayRef geometry, bool back);
PlanWeightsSignature planWeightsCpu;

// images [N, C, H, W] → logits [N, K], differentiable once with respect to the images.
using RunPlanSignature = at::Tensor(const at::Tensor& images, at::TensorList constants, at::IntArrayRef plan, at::ArrayRef<double> curves);
RunPlanSignature runPlanAutogradCpu, runPlanCpu;

}  // namespace satin
