#include "plan_prepare.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "activation_kernel.h"

namespace satin {
namespace {

const float* constantOf(at::TensorList constants, int64_t number, int64_t count) {
  if (number < 0) return nullptr;
  const at::Tensor& constant = constants[static_cast<size_t>(number)];
  TORCH_CHECK(constant.scalar_type() == at::kFloat && constant.is_contiguous() && constant.device().is_cpu() && constant.numel() == count,
              "internal: a constant of an execution plan has ", constant.numel(), " numbers in place of ", count, ".");
  return constant.data_ptr<float>();
}

}  // namespace

int64_t valueSize(const Plan& plan, int64_t value) {
  TORCH_CHECK(value >= 0, "internal: a step of an execution plan lacks a value.");
  return plan.values[static_cast<size_t>(value)];
}

void requireWindows(const Geometry& g) {
  TORCH_CHECK(g.kernel > 0 && g.stride > 0 && std::min({g.inputs, g.outputs, g.height, g.width, g.outHeight, g.outWidth, g.groups}) > 0,
              "internal: a convolution of an execution plan has no windows.");
  const int64_t group = g.inputs / g.groups;
  TORCH_CHECK(g.groups == 1 || (g.inputs == g.outputs && g.inputs % 8 == 0 && g.inputs % g.groups == 0 && (group & (group - 1)) == 0),
              "internal: a convolution of an execution plan has groups of a size that no kernel takes.");
}

PreparedStep prepare(const Plan& plan, const Step& step, at::TensorList constants) {
  PreparedStep prepared{step, {}, nullptr, nullptr};
  const auto same = [](int64_t a, int64_t b) { TORCH_CHECK(a == b, "internal: the values of a step of an execution plan do not fit."); };
  if (step.other >= 0 && step.kind != StepKind::kGate) same(valueSize(plan, step.other), valueSize(plan, step.to));
  switch (step.kind) {
    case StepKind::kLoad:
      same(valueSize(plan, step.to), step.geometry.inputs * step.geometry.height * step.geometry.width);
      prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
      prepared.bias = constantOf(constants, step.bias, step.geometry.inputs);
      break;
    case StepKind::kConvolution:
    case StepKind::kConvolutionBack: {
      requireWindows(step.geometry);
      const bool back = step.kind == StepKind::kConvolutionBack;
      prepared.convolution.emplace(step.geometry, back);
      same(valueSize(plan, step.from), prepared.convolution->inputSize());
      same(valueSize(plan, step.to), prepared.convolution->outputSize());
      prepared.weights = constantOf(constants, step.weights, prepared.convolution->weightCount());
      TORCH_CHECK(prepared.weights != nullptr, "internal: a convolution of an execution plan has no weights.");
      if (!back) prepared.bias = constantOf(constants, step.bias, prepared.convolution->outputChannels());
      break;
    }
    case StepKind::kCurve:
      same(valueSize(plan, step.from), valueSize(plan, step.to));
      TORCH_CHECK(step.geometry.inputs > 0 && valueSize(plan, step.to) % step.geometry.inputs == 0,
                  "internal: the channels of a step of an execution plan do not fit.");
      prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
      prepared.bias = constantOf(constants, step.bias, step.geometry.inputs);
      break;
    case StepKind::kMean:
      TORCH_CHECK(step.geometry.height > 0, "internal: a mean of an execution plan is over nothing.");
      same(valueSize(plan, step.from), valueSize(plan, step.to) * step.geometry.height);
      break;
    case StepKind::kMeanBack:
      TORCH_CHECK(step.geometry.height > 0, "internal: a mean of an execution plan is over nothing.");
      same(valueSize(plan, step.from) * step.geometry.height, valueSize(plan, step.to));
      break;
    case StepKind::kSum: same(valueSize(plan, step.from), valueSize(plan, step.to)); break;
    case StepKind::kMaxPool:
    case StepKind::kMaxPoolBack: {
      const Geometry& g = step.geometry;
      const bool back = step.kind == StepKind::kMaxPoolBack;
      same(valueSize(plan, back ? step.to : step.from), g.inputs * g.height * g.width);
      same(valueSize(plan, back ? step.from : step.to), g.inputs * g.outHeight * g.outWidth);
      requireWindows(g);
      TORCH_CHECK(!back || step.saved >= 0, "internal: a pooling of an execution plan has no positions.");
      break;
    }
    case StepKind::kGate:
    case StepKind::kGateBack:
    case StepKind::kGateBackToGate: {
      const Geometry& g = step.geometry;
      TORCH_CHECK(std::min(g.inputs, g.height) > 0, "internal: a gate of an execution plan has no channels or places.");
      same(valueSize(plan, step.from), g.inputs * g.height);
      same(valueSize(plan, step.to), step.kind == StepKind::kGateBackToGate ? g.inputs : g.inputs * g.height);
      if (step.kind == StepKind::kGate) same(valueSize(plan, step.other), g.inputs);
      else TORCH_CHECK(step.saved >= 0, "internal: a gate of an execution plan has nothing saved.");
      break;
    }
    case StepKind::kNear: TORCH_CHECK(false, "internal: a step for images near others is not part of an execution plan.");
    case StepKind::kStore:
      prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
      break;
  }
  return prepared;
}

void activate(const Plan& plan, const Step& step, int64_t count, const float* z, float* y, float* slopes) {
  if (step.curve < 0) return;
  const Curve& curve = plan.curves[static_cast<size_t>(step.curve)];
  if (slopes == nullptr) return activationValues(curve, count, z, y);
  if (step.derivative == step.curve) return activationValuesAndSlopes(curve, count, z, y, slopes);
  std::fill(slopes, slopes + count, 1.0f);
  activationGradients(plan.curves[static_cast<size_t>(step.derivative)], count, slopes, z, slopes);
  activationValues(curve, count, z, y);
}

}  // namespace satin
