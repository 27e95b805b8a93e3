// The shortest step from a point of the box [0, 1] to a hyperplane within the box: see src/attacks/projection.ts, which
// says how it is found. Plain arrays of one example; no torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// step[i] for `count` numbers x of one example, so that Σ w (x + step) = Σ w x - excess and 0 <= x + step <= 1, or as near
// to that as the box allows. `euclidean`: shortest in L2, else in L∞. `scratch` holds 2 * count numbers.
void stepToHyperplane(bool euclidean, int64_t count, const float* x, const float* w, float excess, float* scratch, float* step);
void stepToHyperplane(bool euclidean, int64_t count, const double* x, const double* w, double excess, double* scratch, double* step);

}  // namespace satin
