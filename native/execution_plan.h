// A network in evaluation mode as a list of fused steps: all of them for a few images at a time, which stay in a thread's
// cache, in place of one operator after the other for all images. Forward, and back to the gradient of the images.
// src/models/execution-plan/ makes the list; docs/execution-plan.md has the picture.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// A convolution's weights as the plan's kernels take them: `geometry` as in a step; `back` leads from outputs to inputs.
using PlanWeightsSignature = at::Tensor(const at::Tensor& weight, at::IntArrayRef geometry, bool back);
PlanWeightsSignature planWeightsCpu;

// images [N, C, H, W] → logits [N, K], differentiable once with respect to the images. The plan is a tensor of int64 and its curves are one
// of float64 (plan_steps.h): a list of numbers would be converted for each pass, which for a single image takes as long as some layers.
using RunPlanSignature = at::Tensor(const at::Tensor& images, at::TensorList constants, const at::Tensor& plan, const at::Tensor& curves);
RunPlanSignature runPlanAutogradCpu, runPlanCpu;

// The same, up to rounding, for images that differ in few places from `near` [N, C, H, W]: of the `leading` steps only those places are
// computed that see a difference (plan_near.h). `memory` [slots, numbers], at first of NaN, is what is known of each slot's
// neighbour; each image has a slot of its own.
using RunPlanNearSignature = at::Tensor(const at::Tensor& images, const at::Tensor& near, const at::Tensor& memory, at::IntArrayRef slots,
                                        int64_t leading, at::TensorList constants, const at::Tensor& plan, const at::Tensor& curves);
RunPlanNearSignature runPlanNearCpu;

}  // namespace satin
