#include "mixed_projections_kernel.h"

#include "in_cube.h"
#include "simd.h"

namespace satin {

SATIN_CLONES void mixProjections(int64_t count, const Projected& at, float overshoot, float alpha, float* __restrict point) {
  const float *__restrict x = at.x, *__restrict fromX = at.fromX, *__restrict origin = at.origin, *__restrict fromOrigin = at.fromOrigin;
  int32_t unknown = 0;
  for (int64_t i = 0; i < count; i++) {
    const float mixed = (x[i] + fromX[i] * overshoot) * (1 - alpha) + (origin[i] + fromOrigin[i] * overshoot) * alpha;
    point[i] = clamped(mixed, 0, 1);
    unknown |= mixed == mixed ? 0 : 1;
  }
  if (unknown != 0)
    for (int64_t i = 0; i < count; i++) point[i] = x[i];
}

}  // namespace satin
