// A move of Square in L2 and L1: see src/attacks/square/bumps.ts. Plain arrays of one image; no torch headers here.
#pragma once

#include "square_window.h"

namespace satin {

// The perturbation of an image of so many channels, and what becomes of two windows of one size.
struct BumpMove {
  int64_t channels, height, width;
  Window to, from;
  const float* bump;  // [channels, side, side]
};

// delta[i] = best[i] - x[i] with `from` set to zero and a bump in `to`, of the length that `epsilon` leaves. `euclidean`: in L2, else in
// L1. `scratch` holds side² numbers.
void moveBump(bool euclidean, const BumpMove& move, const float* x, const float* best, double epsilon, float* scratch, float* delta);

}  // namespace satin
