#include "bump_move_kernel.h"

#include "lane_sum.h"
#include "simd.h"

namespace satin {
namespace {

// The reference's constant.
constexpr float kTiny = 1e-12f;

// What a number adds to a norm: |x| in L1, x² in L2.
template <bool kEuclidean>
SATIN_INLINE double part(float x) {
  return kEuclidean ? static_cast<double>(x) * x : magnitude(x);
}
template <bool kEuclidean>
SATIN_INLINE float normOf(double parts) {
  return static_cast<float>(kEuclidean ? squareRoot(parts) : parts);
}
template <bool kEuclidean>
SATIN_INLINE float normOf(int64_t count, const float* __restrict numbers) {
  return normOf<kEuclidean>(laneSum(count, [&](int64_t i) { return part<kEuclidean>(numbers[i]); }));
}

// Of the numbers of a channel that lie in one of two windows.
template <bool kEuclidean>
SATIN_INLINE float normInside(const Window& to, const Window& from, int64_t width, const float* __restrict channel) {
  double sum = 0;
  for (int64_t row = 0; row < to.side; row++)
    sum += laneSum(to.side, [&](int64_t i) { return part<kEuclidean>(channel[(to.top + row) * width + to.left + i]); });
  for (int64_t row = from.top; row < from.top + from.side; row++)
    for (int64_t column = from.left; column < from.left + from.side; column++)
      if (!to.holds(row, column)) sum += part<kEuclidean>(channel[row * width + column]);
  return normOf<kEuclidean>(sum);
}

// The norm that a channel of the new window gets: see `channelSize` of the norms.
template <bool kEuclidean>
SATIN_INLINE float lengthOf(float held, float whole, double epsilon, float channels) {
  const float most = static_cast<float>(kEuclidean ? epsilon * epsilon : epsilon);
  const float left = most - (kEuclidean ? whole * whole : whole), spare = left < 0 ? 0 : left;
  return kEuclidean ? squareRoot(spare / channels + held * held) : (spare / channels + held) * channels;
}

template <bool kEuclidean>
SATIN_INLINE void moveIn(const BumpMove& move, const float* __restrict x, const float* __restrict best, double epsilon,
                         float* __restrict scratch, float* __restrict delta) {
  const int64_t pixels = move.height * move.width, side = move.to.side;
  for (int64_t i = 0; i < move.channels * pixels; i++) delta[i] = best[i] - x[i];
  const float whole = normOf<kEuclidean>(move.channels * pixels, delta);
  for (int64_t at = 0; at < move.channels; at++) {
    float* channel = delta + at * pixels;
    const float* bump = move.bump + at * side * side;
    const float held = normInside<kEuclidean>(move.to, move.from, move.width, channel);
    const float length = lengthOf<kEuclidean>(held, whole, epsilon, static_cast<float>(move.channels));
    float* window = channel + move.to.top * move.width + move.to.left;
    for (int64_t row = 0; row < side; row++)
      for (int64_t i = 0; i < side; i++) scratch[row * side + i] = window[row * move.width + i];
    const float before = normOf<kEuclidean>(side * side, scratch) + kTiny;
    for (int64_t i = 0; i < side * side; i++) scratch[i] = bump[i] + scratch[i] / before;
    const float after = normOf<kEuclidean>(side * side, scratch) + kTiny;
    for (int64_t row = move.from.top; row < move.from.top + side; row++)
      for (int64_t i = 0; i < side; i++) channel[row * move.width + move.from.left + i] = 0;
    for (int64_t row = 0; row < side; row++)
      for (int64_t i = 0; i < side; i++) window[row * move.width + i] = scratch[row * side + i] / after * length;
  }
}

SATIN_CLONES void moveInL2(const BumpMove& move, const float* x, const float* best, double epsilon, float* scratch, float* delta) {
  moveIn<true>(move, x, best, epsilon, scratch, delta);
}
SATIN_CLONES void moveInL1(const BumpMove& move, const float* x, const float* best, double epsilon, float* scratch, float* delta) {
  moveIn<false>(move, x, best, epsilon, scratch, delta);
}

}  // namespace

void moveBump(bool euclidean, const BumpMove& move, const float* x, const float* best, double epsilon, float* scratch, float* delta) {
  (euclidean ? moveInL2 : moveInL1)(move, x, best, epsilon, scratch, delta);
}

}  // namespace satin
