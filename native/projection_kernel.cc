#include "projection_kernel.h"

#include "lane_sum.h"
#include "projection_math.h"
#include "simd.h"

namespace satin {
namespace {

// |w| and the way to the wall that a step against the hyperplane's side would hit.
template <typename Number>
SATIN_INLINE void prepare(int64_t count, const Number* __restrict x, const Number* __restrict w, Number side,
                          Number* __restrict steepness, Number* __restrict room) {
  for (int64_t i = 0; i < count; i++) {
    const Pixel<Number> pixel = pixelOf(side, x[i], w[i]);
    steepness[i] = pixel.steepness;
    room[i] = pixel.room;
  }
}

template <bool kEuclidean, typename Number>
SATIN_INLINE Shares sharesAt(Number length, int64_t count, const Number* __restrict steepness, const Number* __restrict room) {
  // Pixel's formulas, spelled out: GCC makes other code of them here, in which float64 rounds differently.
  const auto isFree = [&](int64_t i) { return room[i] > (kEuclidean ? length * steepness[i] : length); };
  const auto rate = [&](int64_t i) { return isFree(i) ? (kEuclidean ? steepness[i] * steepness[i] : steepness[i]) : Number(0); };
  const auto wall = [&](int64_t i) { return isFree(i) ? Number(0) : steepness[i] * room[i]; };
  return {laneSum(count, rate), laneSum(count, wall), static_cast<int64_t>(laneSum(count, [&](int64_t i) { return isFree(i) ? 1.0 : 0.0; }))};
}

template <bool kEuclidean, typename Number>
SATIN_INLINE void write(Number length, Number side, int64_t count, const Number* __restrict w, const Number* __restrict steepness,
                        const Number* __restrict room, Number* __restrict step) {
  for (int64_t i = 0; i < count; i++) {
    const Pixel<Number> pixel = {steepness[i], room[i]};
    step[i] = pixel.template step<kEuclidean>(length, side * w[i]);
  }
}

template <bool kEuclidean, typename Number>
SATIN_INLINE void stepOf(int64_t count, const Number* x, const Number* w, Number excess, Number* scratch, Number* step) {
  Number *steepness = scratch, *room = scratch + count;
  const Number side = excess < 0 ? -1 : 1;
  prepare(count, x, w, side, steepness, room);
  Newton<Number> newton(excess);
  while (!newton.isDone(sharesAt<kEuclidean>(newton.length, count, steepness, room))) {}
  write<kEuclidean>(newton.length, side, count, w, steepness, room, step);
}

SATIN_CLONES void linfFloat(int64_t count, const float* x, const float* w, float excess, float* scratch, float* step) {
  stepOf<false>(count, x, w, excess, scratch, step);
}
SATIN_CLONES void l2Float(int64_t count, const float* x, const float* w, float excess, float* scratch, float* step) {
  stepOf<true>(count, x, w, excess, scratch, step);
}
SATIN_CLONES void linfDouble(int64_t count, const double* x, const double* w, double excess, double* scratch, double* step) {
  stepOf<false>(count, x, w, excess, scratch, step);
}
SATIN_CLONES void l2Double(int64_t count, const double* x, const double* w, double excess, double* scratch, double* step) {
  stepOf<true>(count, x, w, excess, scratch, step);
}

}  // namespace

void stepToHyperplane(bool euclidean, int64_t count, const float* x, const float* w, float excess, float* scratch, float* step) {
  (euclidean ? l2Float : linfFloat)(count, x, w, excess, scratch, step);
}

void stepToHyperplane(bool euclidean, int64_t count, const double* x, const double* w, double excess, double* scratch, double* step) {
  (euclidean ? l2Double : linfDouble)(count, x, w, excess, scratch, step);
}

}  // namespace satin
