// FAB's next point: see src/attacks/fab.ts. Plain arrays of one image; no torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// A point and the image it started from, and the steps from both to a hyperplane.
struct Projected {
  const float *x, *fromX, *origin, *fromOrigin;
};

// point[i] = (x + overshoot fromX)(1 - alpha) + (origin + overshoot fromOrigin) alpha, in [0, 1]; x where one of them is NaN.
void mixProjections(int64_t count, const Projected& at, float overshoot, float alpha, float* point);

}  // namespace satin
