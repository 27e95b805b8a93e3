// A move of Square in L∞: see src/attacks/square/linf.ts. Plain arrays of one channel; no torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// Rows and columns of a channel, and the square window that moves.
struct Window {
  int64_t height, width, top, left, side;
};

// moved[i] = best[i], plus `change` inside the window, within ε of x and in [0, 1].
void changeSquare(const Window& window, const float* x, const float* best, float change, float epsilon, float* moved);

}  // namespace satin
