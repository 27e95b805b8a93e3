// The smallest step in L1 to a hyperplane within the box: see src/attacks/greedy-step.ts. Plain arrays of one image; no torch headers
// here.
#pragma once

#include <cstdint>

namespace satin {

// step[i] for `count` numbers x of one image: NaN throughout where one of x or w, or the excess, is not finite. `scratch` holds `count`
// numbers.
void greedyStep(int64_t count, const float* x, const float* w, float excess, double* scratch, float* step);

}  // namespace satin
