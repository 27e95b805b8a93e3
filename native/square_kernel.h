// A move of Square in L∞: see src/attacks/square/linf.ts. Plain arrays of one channel; no torch headers here.
#pragma once

#include "square_window.h"

namespace satin {

// moved[i] = best[i], plus `change` inside the window, within ε of x and in [0, 1].
void changeSquare(int64_t height, int64_t width, const Window& window, const float* x, const float* best, float change, float epsilon, float* moved);

}  // namespace satin
