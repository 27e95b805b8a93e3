#include "momentum_step_kernel.h"

#include "in_cube.h"
#include "known_gradient.h"
#include "lane_sum.h"
#include "simd.h"

namespace satin {
namespace {

// Towards the stepped point, and on in the direction of the last step.
SATIN_INLINE float withMomentum(float x, float stepped, float previous, float share) {
  return x + (stepped - x) * share + (x - previous) * (1 - share);
}

SATIN_INLINE float largestOf(int64_t count, const float* __restrict gradient) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) largest = sizeOf(gradient[i]) > largest ? sizeOf(gradient[i]) : largest;
  return numberOf(largest);
}

SATIN_INLINE float lengthOf(int64_t count, const float* __restrict step) {
  const auto square = [&](int64_t i) { return static_cast<double>(step[i]) * step[i]; };
  return static_cast<float>(squareRoot(laneSum(count, square)));
}

// What a step of this length is multiplied by to end within ε.
SATIN_INLINE float shorteningOf(float length, float epsilon) {
  return epsilon == 0 ? 0 : 1 / (length < epsilon ? epsilon : length) * epsilon;
}

}  // namespace

SATIN_CLONES static void inLinf(int64_t count, const Ascent& at, float epsilon, float share, float* __restrict next) {
  const float *__restrict origin = at.origin, *__restrict x = at.x, *__restrict previous = at.previous, *__restrict gradient = at.gradient;
  const float stepSize = at.stepSize;
  for (int64_t i = 0; i < count; i++) {
    const float sign = gradient[i] > 0 ? 1.0f : gradient[i] < 0 ? -1.0f : 0.0f;
    const float stepped = inCube(x[i] + sign * stepSize, origin[i], epsilon);
    next[i] = inCube(withMomentum(x[i], stepped, previous[i], share), origin[i], epsilon);
  }
}

SATIN_CLONES static void inL2(int64_t count, const Ascent& at, float epsilon, float share, float* __restrict step, float* __restrict next) {
  const float *__restrict origin = at.origin, *__restrict x = at.x, *__restrict previous = at.previous, *__restrict gradient = at.gradient;
  const float stepSize = at.stepSize;
  // Divided by the largest first, so that the squares of a tiny gradient do not vanish.
  const float largest = largestOf(count, gradient), scale = largest == 0 ? 1 : largest;
  for (int64_t i = 0; i < count; i++) step[i] = known(gradient[i]) / scale;
  const float length = lengthOf(count, step), unit = length < 1 ? 1 : length;
  for (int64_t i = 0; i < count; i++) step[i] = x[i] + step[i] / unit * stepSize - origin[i];
  const float first = shorteningOf(lengthOf(count, step), epsilon);
  for (int64_t i = 0; i < count; i++) {
    const float stepped = clamped(origin[i] + step[i] * first, 0, 1);
    step[i] = withMomentum(x[i], stepped, previous[i], share) - origin[i];
  }
  const float second = shorteningOf(lengthOf(count, step), epsilon);
  for (int64_t i = 0; i < count; i++) next[i] = clamped(origin[i] + step[i] * second, 0, 1);
}

void momentumStep(bool euclidean, int64_t count, const Ascent& at, float epsilon, float share, float* scratch, float* next) {
  if (euclidean) inL2(count, at, epsilon, share, scratch, next);
  else inLinf(count, at, epsilon, share, next);
}

}  // namespace satin
