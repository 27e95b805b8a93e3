// A square window of an image.
#pragma once

#include <cstdint>

namespace satin {

struct Window {
  int64_t top, left, side;
  bool holds(int64_t row, int64_t column) const {
    return row >= top && row < top + side && column >= left && column < left + side;
  }
};

}  // namespace satin
