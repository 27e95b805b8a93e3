// A step of APGD in L∞ or L2: see src/attacks/momentum-step.ts. Plain arrays of one image; no torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// An image of `count` numbers under attack: where it started, is, and was before, and the gradient where it is.
struct Ascent {
  const float *origin, *x, *previous, *gradient;
  float stepSize;
};

// next[i] within ε of the origin; `share` is the weight of the new direction. `euclidean`: in L2, else in L∞. `scratch` holds `count`
// numbers.
void momentumStep(bool euclidean, int64_t count, const Ascent& at, float epsilon, float share, float* scratch, float* next);

}  // namespace satin
