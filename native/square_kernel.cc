#include "square_kernel.h"

#include "in_cube.h"
#include "simd.h"

namespace satin {

SATIN_CLONES void changeSquare(int64_t height, int64_t width, const Window& window, const float* __restrict x, const float* __restrict best,
                               float change, float epsilon, float* __restrict moved) {
  const auto [top, left, side] = window;
  for (int64_t i = 0; i < height * width; i++) moved[i] = inCube(best[i], x[i], epsilon);
  for (int64_t row = top; row < top + side; row++)
    for (int64_t i = row * width + left; i < row * width + left + side; i++) moved[i] = inCube(best[i] + change, x[i], epsilon);
}

}  // namespace satin
