// A gradient's number where it may be none: NaN counts as 0, and what is infinite as the largest number of float32.
#pragma once

#include "portable.h"

namespace satin {

// Its size as a whole number: these are ordered as the sizes are.
SATIN_INLINE uint32_t sizeOf(float gradient) {
  constexpr uint32_t kInfinity = 0x7f800000u;
  const uint32_t bits = bitsOf(magnitude(gradient));
  return bits > kInfinity ? 0 : bits == kInfinity ? kInfinity - 1 : bits;
}

SATIN_INLINE float known(float gradient) {
  const float size = numberOf(sizeOf(gradient));
  return gradient < 0 ? -size : size;
}

}  // namespace satin
