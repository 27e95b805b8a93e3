#include "l1_projection_kernel.h"

#include "lane_sum.h"
#include "simd.h"

namespace satin {
namespace {

// What float64 rounds away of a sum of thousands, and of a number.
constexpr double kOfSum = 1e-14, kOfNumber = 2.3e-16;
// Bisection alone would be at its end after fewer.
constexpr int kMostSteps = 200;

// How far the candidate is, and how far the wall.
SATIN_INLINE void prepare(int64_t count, const float* __restrict candidate, const float* __restrict x, double* __restrict length,
                          double* __restrict room) {
  for (int64_t i = 0; i < count; i++) {
    const double origin = x[i], step = static_cast<double>(candidate[i]) - origin;
    length[i] = magnitude(step);
    room[i] = step < 0 ? origin : 1 - origin;
  }
}

// The smaller of both; NaN where the length is.
SATIN_INLINE double withinBox(double length, double room) { return room < length ? room : length; }

// Σ min((length − λ)₊, room) at a λ, and how many of these numbers are on their way: by so much the sum falls with λ.
struct Shortened {
  double sum, free;
};

SATIN_INLINE Shortened shortenedBy(double lambda, int64_t count, const double* __restrict length, const double* __restrict room) {
  const auto way = [&](int64_t i) { return withinBox(length[i] - lambda, room[i]); };
  const auto isFree = [&](int64_t i) { return (length[i] > lambda) & (length[i] - lambda < room[i]) ? 1.0 : 0.0; };
  return {laneSum(count, [&](int64_t i) { return way(i) > 0 ? way(i) : 0.0; }), laneSum(count, isFree)};
}

SATIN_INLINE double longestOf(int64_t count, const double* length) {
  double longest = 0;
  for (int64_t i = 0; i < count; i++)
    if (length[i] > longest && length[i] <= 1e300) longest = length[i];
  return longest;
}

// The λ at which the sum is ε: by Newton's steps along the lines that it consists of, and by halving the interval where one of them
// leads out of it or gains little.
SATIN_INLINE double shortening(double epsilon, int64_t count, const double* length, const double* room) {
  double low = 0, high = longestOf(count, length), lambda = 0, before = 0;
  bool isNewton = false;
  for (int step = 0; step < kMostSteps; step++) {
    const Shortened at = shortenedBy(lambda, count, length, room);
    const double over = at.sum - epsilon;
    if (magnitude(over) <= kOfSum * epsilon + kOfNumber * lambda * at.free) return lambda;
    (over > 0 ? low : high) = lambda;
    const double next = lambda + over / at.free;  // not finite where none is on its way
    const bool isPoor = isNewton && magnitude(over) > before / 2;
    isNewton = !isPoor && next > low && next < high;
    lambda = isNewton ? next : low + (high - low) / 2;
    before = magnitude(over);
    if (lambda <= low || lambda >= high) break;
  }
  return high;
}

// The candidate shortened by λ, in float32 no farther than in float64.
SATIN_INLINE void write(double lambda, double epsilon, int64_t count, const float* __restrict candidate, const float* __restrict x,
                        const double* __restrict length, const double* __restrict room, float* __restrict point) {
  for (int64_t i = 0; i < count; i++) {
    const double origin = x[i], left = length[i] - lambda;
    const double inBall = left < 0 ? 0 : left > epsilon ? epsilon : left;
    const double kept = withinBox(inBall, room[i]);
    const double moved = candidate[i] < x[i] ? origin - kept : origin + kept;
    const double inBox = moved < 0 ? 0 : moved > 1 ? 1 : moved;
    const float rounded = static_cast<float>(inBox);
    const bool isFar = magnitude(static_cast<double>(rounded) - origin) > kept;
    // The next float32 on the way back; of 0 there is none within the box.
    const uint32_t bits = bitsOf(rounded);
    const float back = numberOf(rounded < x[i] ? bits + 1 : bits - (bits == 0 ? 0 : 1));
    point[i] = isFar ? back : rounded;
  }
}

}  // namespace

SATIN_CLONES void projectInL1(int64_t count, const float* candidate, const float* x, double epsilon, double* scratch, float* point) {
  double *length = scratch, *room = scratch + count;
  prepare(count, candidate, x, length, room);
  const double sum = laneSum(count, [&](int64_t i) { return withinBox(length[i], room[i]); });
  const double lambda = sum > epsilon ? shortening(epsilon, count, length, room) : 0;
  write(lambda, epsilon, count, candidate, x, length, room, point);
}

}  // namespace satin
