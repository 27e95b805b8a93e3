#include "sparse_direction_kernel.h"

#include "known_gradient.h"
#include "simd.h"

namespace satin {
namespace {

// The size of the given place, from 0, in ascending order; bit by bit: the largest that at most `place` sizes are below.
SATIN_INLINE uint32_t sizeAt(int64_t place, int64_t count, const float* __restrict gradient) {
  uint32_t found = 0;
  for (int bit = 30; bit >= 0; bit--) {
    const uint32_t tried = found | (1u << bit);
    int32_t below = 0;
    for (int64_t i = 0; i < count; i++) below += sizeOf(gradient[i]) < tried ? 1 : 0;
    if (below <= place) found = tried;
  }
  return found;
}

// In float32, as the operators compute it.
SATIN_INLINE int64_t placeOf(float share, int64_t count) {
  const float place = (1 - share) * static_cast<float>(count), last = static_cast<float>(count - 1);
  return static_cast<int64_t>(place > 0 ? (place < last ? place : last) : 0);
}

}  // namespace

SATIN_CLONES void sparseDirection(int64_t count, const float* __restrict gradient, float share, float* __restrict direction) {
  const uint32_t least = sizeAt(placeOf(share, count), count, gradient);
  int32_t kept = 0;
  for (int64_t i = 0; i < count; i++) kept += sizeOf(gradient[i]) >= least && sizeOf(gradient[i]) > 0 ? 1 : 0;
  const float moved = static_cast<float>(kept) + 1e-10f;
  for (int64_t i = 0; i < count; i++) {
    const float sign = gradient[i] > 0 ? 1.0f : gradient[i] < 0 ? -1.0f : 0.0f;
    direction[i] = sign * (sizeOf(gradient[i]) >= least ? 1.0f : 0.0f) / moved;
  }
}

}  // namespace satin
