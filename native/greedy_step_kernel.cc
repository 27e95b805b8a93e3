#include "greedy_step_kernel.h"

#include <limits>

#include "lane_sum.h"
#include "simd.h"

namespace satin {
namespace {

// |w| as whole numbers of the same order.
SATIN_INLINE uint32_t steepnessOf(float w) { return bitsOf(magnitude(w)); }

// On the way to the wall that a step against the hyperplane's side would hit.
SATIN_INLINE double roomOf(float side, float w, float x) { return side * w > 0 ? x : 1 - static_cast<double>(x); }

// What the pixels cross that are at least so steep.
SATIN_INLINE double crossedFrom(uint32_t steepness, int64_t count, const float* __restrict w, const double* __restrict crossing) {
  return laneSum(count, [&](int64_t i) { return steepnessOf(w[i]) >= steepness ? crossing[i] : 0.0; });
}

// How steep the last pixel is that has to move; bit by bit: the most at which the pixels from there on cross far enough.
SATIN_INLINE uint32_t lastSteepness(double far, int64_t count, const float* w, const double* crossing) {
  uint32_t found = 0;
  for (int bit = 30; bit >= 0; bit--) {
    const uint32_t tried = found | (1u << bit);
    if (crossedFrom(tried, count, w, crossing) >= far) found = tried;
  }
  return found;
}

// A step that crosses so much, at most to the wall, against the hyperplane's side.
SATIN_INLINE float stepOf(double crossed, float side, float w, float x) {
  const double steepness = magnitude(w), room = roomOf(side, w, x);
  const double way = steepness > 0 ? crossed / steepness : 0;
  const double most = room < way ? room : way;
  return static_cast<float>(side * w > 0 ? -most : most);
}

}  // namespace

SATIN_CLONES void greedyStep(int64_t count, const float* __restrict x, const float* __restrict w, float excess, double* __restrict scratch,
                             float* __restrict step) {
  const float side = excess < 0 ? -1 : 1;
  const double far = magnitude(static_cast<double>(excess));
  double* crossing = scratch;
  for (int64_t i = 0; i < count; i++) crossing[i] = static_cast<double>(magnitude(w[i])) * roomOf(side, w[i], x[i]);
  const double all = laneSum(count, [&](int64_t i) { return crossing[i]; });
  if (!(magnitude(all) + far <= std::numeric_limits<double>::max())) {
    for (int64_t i = 0; i < count; i++) step[i] = std::numeric_limits<float>::quiet_NaN();
    return;
  }
  const uint32_t last = lastSteepness(far, count, w, crossing);
  for (int64_t i = 0; i < count; i++) step[i] = stepOf(steepnessOf(w[i]) > last ? crossing[i] : 0.0, side, w[i], x[i]);
  // Of those as steep as the last the first go first.
  double left = far - crossedFrom(last + 1, count, w, crossing);
  for (int64_t i = 0; i < count && left > 0; i++) {
    if (steepnessOf(w[i]) != last) continue;
    step[i] = stepOf(left < crossing[i] ? left : crossing[i], side, w[i], x[i]);
    left -= crossing[i];
  }
}

}  // namespace satin
