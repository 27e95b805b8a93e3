// One direction of an execution plan for one batch: shares the images out between threads, and takes each through the steps.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "plan_memory.h"
#include "plan_near.h"
#include "plan_prepare.h"
#include "plan_team.h"

namespace satin {

class PlanRun {
 public:
  // `near`, if not null, computes what its leading steps would; `steps` are those that follow.
  PlanRun(const Plan& plan, c10::ArrayRef<Step> steps, at::TensorList constants, int64_t images, const NearBatch* near = nullptr);

  // `source` and `target`: images or logits of the batch, or their gradients. `kept`: of the batch for the way back, or nothing.
  void run(const float* source, float* target, at::TensorList kept);

 private:
  // Takes some images through the steps, with the team's threads sharing each.
  void runPart(Range images, const Team& team, const float* zeros, float* values, const float* source, float* target, at::TensorList kept) const;
  void runStep(const PreparedStep& each, Range images, const float* from, const float* other, float* to, float* slopes, float* saved,
               const float* zeros, const Team& team, const float* source, float* target) const;

  const Plan& plan_;
  const int64_t images_;
  const NearBatch* const near_;
  std::vector<PreparedStep> steps_;
  PlanMemory memory_{};
  int64_t scratch_ = 0, zeros_ = 0;
};

}  // namespace satin
