// Where the values of an execution plan lie while a thread takes its images through the steps.
#pragma once

#include <cstdint>
#include <vector>

#include "plan_steps.h"

namespace satin {

// Steps that go through `images` of a thread's images at a time, so that their values stay in the cache.
struct Segment {
  size_t begin, end;  // of the steps
  int64_t images;
};

struct PlanMemory {
  std::vector<Segment> segments;
  // Of each value: where it begins, in numbers, and whether it has room for all of the thread's images, since another segment
  // reads it; else for those of its segment.
  std::vector<int64_t> begin;
  std::vector<bool> isWhole;
  int64_t size;  // numbers of all
};

// For a thread that has `images`. `weights`: bytes of each step's weights.
PlanMemory layOut(const Plan& plan, const std::vector<Step>& steps, const std::vector<int64_t>& weights, int64_t images);

}  // namespace satin
