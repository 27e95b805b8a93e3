#include "execution_plan.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "dispatch.h"
#include "plan_convolution.h"
#include "plan_prepare.h"
#include "plan_run.h"
#include "plan_steps.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void checkImages(const at::Tensor& images, const Plan& plan) {
  TORCH_CHECK(images.scalar_type() == at::kFloat && images.dim() == 4 && images.size(1) == plan.channels &&
                  images.size(2) == plan.height && images.size(3) == plan.width,
              "Expected images of float32 in the shape for which the execution plan was made.");
}

// `kept` gets what the way back needs; without it nothing is kept.
at::Tensor forward(const at::Tensor& images, at::TensorList constants, const Plan& plan, variable_list* kept) {
  checkImages(images, plan);
  const at::Tensor source = images.contiguous();
  const int64_t count = images.size(0);
  at::Tensor logits = at::empty({count, plan.classes}, images.options().memory_format(c10::nullopt));
  // An array for each step, as operators have: the memory that they leave behind is in such pieces.
  if (kept != nullptr)
    for (const int64_t numbers : plan.kept) kept->push_back(at::empty({count, numbers}, logits.options()));
  if (count > 0)
    PlanRun(plan, plan.forward, constants, count)
        .run(source.data_ptr<float>(), logits.data_ptr<float>(), kept == nullptr ? at::TensorList() : *kept);
  return logits;
}

class RunPlan : public torch::autograd::Function<RunPlan> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& images, std::vector<at::Tensor> constants, const at::Tensor& numbers,
                            const at::Tensor& curves) {
    const Plan plan = readPlan(numbers, curves, static_cast<int64_t>(constants.size()));
    const BelowAutograd below;
    variable_list kept;
    at::Tensor logits = satin::forward(images, constants, plan, &kept);
    context->saved_data["constants"] = constants;
    context->saved_data["plan"] = numbers;
    context->saved_data["curves"] = curves;
    context->save_for_backward(kept);
    return logits;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "The input gradient of an execution plan cannot be differentiated again.");
    const std::vector<at::Tensor> constants = context->saved_data["constants"].toTensorVector();
    const Plan plan = readPlan(context->saved_data["plan"].toTensor(), context->saved_data["curves"].toTensor(), static_cast<int64_t>(constants.size()));
    const variable_list kept = context->get_saved_variables();
    const at::Tensor dy = gradients[0].contiguous();
    const int64_t count = dy.size(0);
    at::Tensor dx = at::empty({count, plan.channels, plan.height, plan.width}, dy.options());
    if (count > 0)
      PlanRun(plan, plan.backward, constants, count).run(dy.data_ptr<float>(), dx.data_ptr<float>(), kept);
    return {dx, {}, {}, {}};
  }
};

}  // namespace

at::Tensor planWeightsCpu(const at::Tensor& weight, at::IntArrayRef numbers, bool back) {
  const Geometry geometry = readGeometry(numbers);
  requireWindows(geometry);
  TORCH_CHECK(weight.scalar_type() == at::kFloat && weight.numel() == geometry.inputs / geometry.groups * geometry.outputs * geometry.kernel * geometry.kernel,
              "internal: weights do not fit the geometry of their convolution.");
  const PlanConvolution convolution(geometry, back);
  at::Tensor packed = at::empty({convolution.weightCount()}, weight.options().memory_format(c10::nullopt));
  const at::Tensor plain = weight.contiguous();
  at::parallel_for(0, convolution.weightParts(), 8, [&](int64_t begin, int64_t end) {
    convolution.packWeights(plain.data_ptr<float>(), begin, end, packed.data_ptr<float>());
  });
  return packed;
}

at::Tensor runPlanCpu(const at::Tensor& images, at::TensorList constants, const at::Tensor& numbers, const at::Tensor& curves) {
  return forward(images, constants, readPlan(numbers, curves, static_cast<int64_t>(constants.size())), nullptr);
}

at::Tensor runPlanNearCpu(const at::Tensor& images, const at::Tensor& near, const at::Tensor& memory, at::IntArrayRef slots, int64_t leading,
                          at::TensorList constants, const at::Tensor& numbers, const at::Tensor& curves) {
  const Plan plan = readPlan(numbers, curves, static_cast<int64_t>(constants.size()));
  checkImages(images, plan);
  checkImages(near, plan);
  const NearPrefix prefix(plan, constants, leading);
  const int64_t count = images.size(0);
  TORCH_CHECK(near.size(0) == count && slots.size() == static_cast<size_t>(count), "Expected a neighbour and a slot of each image.");
  TORCH_CHECK(memory.scalar_type() == at::kFloat && memory.dim() == 2 && memory.is_contiguous() && memory.size(1) == prefix.memorySize(),
              "Expected a memory that was made for this execution plan.");
  std::vector<bool> taken(static_cast<size_t>(memory.size(0)), false);
  for (const int64_t slot : slots) {
    TORCH_CHECK(slot >= 0 && slot < memory.size(0) && !taken[static_cast<size_t>(slot)], "Expected a slot of its own of each image.");
    taken[static_cast<size_t>(slot)] = true;
  }
  const at::Tensor source = images.contiguous(), others = near.contiguous();
  at::Tensor logits = at::empty({count, plan.classes}, images.options().memory_format(c10::nullopt));
  const NearBatch batch{prefix, others.data_ptr<float>(), memory.data_ptr<float>(), slots};
  const at::ArrayRef<Step> following = at::ArrayRef<Step>(plan.forward).slice(static_cast<size_t>(leading));
  if (count > 0) PlanRun(plan, following, constants, count, &batch).run(source.data_ptr<float>(), logits.data_ptr<float>(), {});
  return logits;
}

at::Tensor runPlanAutogradCpu(const at::Tensor& images, at::TensorList constants, const at::Tensor& numbers, const at::Tensor& curves) {
  if (!compute_requires_grad(images)) {
    const BelowAutograd below;
    return runPlanCpu(images, constants, numbers, curves);
  }
  return RunPlan::apply(images, constants.vec(), numbers, curves);
}

}  // namespace satin
