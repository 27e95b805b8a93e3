// The nearest point in the L∞ ball of radius ε around an origin and in [0, 1], rounded and with NaN as in libtorch's operators.
#pragma once

#include "portable.h"

namespace satin {

// NaN stays NaN.
SATIN_INLINE float clamped(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

SATIN_INLINE float inCube(float x, float origin, float epsilon) {
  const float below = origin + epsilon < x ? origin + epsilon : x;
  const float within = origin - epsilon > below ? origin - epsilon : below;
  return clamped(origin == origin ? within : origin, 0, 1);
}

}  // namespace satin
