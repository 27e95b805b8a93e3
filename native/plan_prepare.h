// A step of an execution plan with what its kernel needs, its sizes checked.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "plan_convolution.h"
#include "plan_steps.h"

namespace satin {

struct PreparedStep {
  Step step;
  std::optional<PlanConvolution> convolution;
  const float* weights;
  const float* bias;
};

// Checks that a step's values and constants have the sizes that its kernel reads and writes.
PreparedStep prepare(const Plan& plan, const Step& step, at::TensorList constants);

int64_t valueSize(const Plan& plan, int64_t value);

// Throws for a geometry without windows.
void requireWindows(const Geometry& geometry);

// y = f(z) of a step's curve, and the slopes of the derivative that the gradient takes where `slopes` is not null.
void activate(const Plan& plan, const Step& step, int64_t count, const float* z, float* y, float* slopes);

}  // namespace satin
