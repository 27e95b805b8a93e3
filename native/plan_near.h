// The leading steps of an execution plan for images that differ in few places from neighbours whose values are kept: only the
// places that see a difference are computed. The numbers are those of the plan up to rounding: by Winograd's method an output depends on
// the bits of all that its tile reads.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "plan_prepare.h"

namespace satin {

// Convolutions and curves that lead from the images to a single value. A slot of memory has an image, and of it the value of each
// step.
class NearPrefix {
 public:
  // Checks that the first `leading` steps forward are such.
  NearPrefix(const Plan& plan, at::TensorList constants, int64_t leading);

  // Numbers of an image; of a slot; that `run` works in; of zeros that it wants.
  int64_t imageSize() const { return imageSize_; }
  int64_t memorySize() const { return imageSize_ + valuesSize_; }
  int64_t scratch() const { return valuesSize_ + scratch_; }
  int64_t zeros() const { return zeros_; }

  // What stands for the leading steps in the plan.
  Step step() const;

  // Writes what the steps lead to for one image. `memory` is a slot, which has any image's values, or NaN; thereafter it has those of
  // `near`, or of the image if they differ in so many places that nothing is gained.
  void run(const float* image, const float* near, float* memory, const float* zeros, float* scratch, float* to) const;

 private:
  struct Saved {
    size_t step;
    Region region;
  };
  // Brings the values of a slot from one image to another that differs from it in a region. What is overwritten goes to `saved`.
  void apply(const float* image, const Region& change, float* memory, const float* zeros, float* scratch, std::vector<Saved>* saved) const;
  void restore(const std::vector<Saved>& saved, const float* from, float* memory) const;

  // The region of each step's value that sees a difference, and what is computed for it.
  std::vector<Region> reachOf(const Region& change) const;
  Region computedFor(size_t step, const std::vector<Region>& reach) const;
  // Whether so much is computed that nothing is gained.
  bool isLarge(const Region& change) const;
  Region differenceOf(const float* a, const float* b) const;
  float* valueAt(size_t step, float* memory) const { return memory + imageSize_ + begin_[step]; }
  size_t stepOf(int64_t value) const;

  const Plan& plan_;
  std::vector<PreparedStep> steps_;
  // Of each step's value: where it begins in a slot, and its shape.
  std::vector<int64_t> begin_, height_, width_, channels_;
  int64_t imageSize_, valuesSize_ = 0, scratch_ = 0, zeros_ = 0;
};

// A batch of which each image has a neighbour and a slot.
struct NearBatch {
  const NearPrefix& prefix;
  const float* near;
  float* memory;
  c10::ArrayRef<int64_t> slots;

  // For number `image` of the batch.
  void run(int64_t image, const float* images, const float* zeros, float* scratch, float* to) const;
};

}  // namespace satin
