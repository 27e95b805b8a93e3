// The nearest point in L1 ball and box: see src/attacks/l1-projection.ts. Plain arrays of one image; no torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// point[i] of an image x of `count` numbers and a candidate; `scratch` holds 2 * count numbers.
void projectInL1(int64_t count, const float* candidate, const float* x, double epsilon, double* scratch, float* point);

}  // namespace satin
