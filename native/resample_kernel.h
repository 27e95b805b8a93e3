// Resizing of 8-bit images as Pillow does it, to the bit, or as OpenCV's INTER_CUBIC. Plain loops, no torch headers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace satin {

enum class Filter { kBilinear, kBicubic, kOpencvCubic };

// Resizes an image [height, width, 3] to fullHeight x fullWidth and keeps the window of it.
struct Resampling {
  int height, width;
  int fullHeight, fullWidth;
  int top, left, windowHeight, windowWidth;
  Filter filter;
  bool flip;  // mirrors the window left to right
};

// The rows of the image that the window is made of: those from `begin` up to `end`.
void rowsOf(const Resampling& how, int* begin, int* end);

// `source` is [height, width, 3], of which only those rows are read; `target` is [3, windowHeight, windowWidth]. Throws std::bad_alloc.
void resample(const Resampling& how, const uint8_t* source, uint8_t* target);

}  // namespace satin
