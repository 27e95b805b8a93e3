// The step in L1 that moves the pixels of the largest gradients: see src/attacks/sparse-direction.ts. Plain arrays of one image; no
// torch headers here.
#pragma once

#include <cstdint>

namespace satin {

// direction[i] of a gradient of `count` numbers, of which `share` are to move.
void sparseDirection(int64_t count, const float* gradient, float share, float* direction);

}  // namespace satin
