// The threads that share the steps of an execution plan: one alone, or several.
#pragma once

#include <ATen/Parallel.h>

#include <cstdint>

#include "winograd_kernel.h"

namespace satin {

class Team {
 public:
  // `scratch`: so many numbers to work in for each thread.
  Team(int64_t threads, float* scratch, int64_t scratchSize) : threads_(threads), scratch_(scratch), scratchSize_(scratchSize) {}

  int64_t threads() const { return threads_; }

  // Calls `work(range, scratch)` for nearly equal ranges of `count`, one a thread, and waits for all.
  template <typename Work>
  void share(int64_t count, Work work) const {
    if (threads_ == 1 || count == 1) return work({0, count}, scratch_);
    at::parallel_for(0, threads_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) work(partOf(count, part, threads_), scratch_ + part * scratchSize_);
    });
  }

 private:
  int64_t threads_;
  float* scratch_;
  int64_t scratchSize_;
};

}  // namespace satin
