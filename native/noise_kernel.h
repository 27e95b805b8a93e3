// Counter-based noise: every number is a function of its key and its place, so it does not depend on the batch it
// was drawn in, on the order, or on how often a run was interrupted. No torch headers here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "philox.h"

namespace satin {

// What a draw is for. The key of its numbers is one Philox block of (stream, epoch, restart and rank, step) under the seed.
struct DrawKey {
  uint64_t seed;
  uint32_t stream, epoch, restart, rank, step;
};
uint64_t keyOf(const DrawKey& draw);

// out[i * elements + j] for example ids[i], element j. Uniform in [0, 1), or standard normal.
void drawFloat(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, float* out);
void drawDouble(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, double* out);

}  // namespace satin
