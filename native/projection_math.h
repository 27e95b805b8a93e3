// The arithmetic of the shortest step to a hyperplane, for one pixel and for one of Newton's steps; see
// src/attacks/projection.ts. The kernels of the CPU and of CUDA compute by it and differ in how they add pixels up.
#pragma once

#include "portable.h"

namespace satin {

// A pixel that moves against the hyperplane's side: |w|, and the way to the wall that it would hit.
template <typename Number>
struct Pixel {
  // Whether it is not yet at the wall after a step of this length.
  template <bool kEuclidean>
  SATIN_INLINE bool isFree(Number length) const {
    return room > (kEuclidean ? length * steepness : length);
  }
  // What it contributes for each unit of the length while it is free, and in all at the wall.
  template <bool kEuclidean>
  SATIN_INLINE Number rate() const {
    return kEuclidean ? steepness * steepness : steepness;
  }
  SATIN_INLINE Number wall() const { return steepness * room; }
  // Where `down`, the weight times the side, is 0 there is no way either.
  template <bool kEuclidean>
  SATIN_INLINE Number step(Number length, Number down) const {
    const Number reach = kEuclidean ? length * steepness : length;
    const Number way = reach < room ? reach : room;
    return down > 0 ? -way : way;
  }
  Number steepness, room;
};

template <typename Number>
SATIN_INLINE Pixel<Number> pixelOf(Number side, Number x, Number w) {
  const Number down = side * w;
  const Number wall = down > 0 ? x : 1 - x;
  return {magnitude(down), down == 0 ? Number(0) : wall};
}

// What the pixels contribute for a length: those still free for each unit of it, those at the wall in all.
struct Shares {
  double rate, wall;
  int64_t free;
};

// Newton's iteration climbs to the length from below; it ends when no further pixel comes to the wall.
template <typename Number>
struct Newton {
  SATIN_INLINE explicit Newton(Number excess) : length(0), far(magnitude(static_cast<double>(excess))), before(-1) {}
  // Whether the length was the last; else it becomes the next.
  SATIN_INLINE bool isDone(const Shares& shares) {
    constexpr double kHuge = 1e30;
    if (shares.free == before) return true;
    before = shares.free;
    const double next = shares.rate > 0 ? (far - shares.wall) / shares.rate : kHuge;
    const Number reached = static_cast<Number>(kHuge < next ? kHuge : next);
    length = length < reached ? reached : length;
    return false;
  }
  Number length;
  double far;
  int64_t before;
};

}  // namespace satin
