// satin::step_to_hyperplane on a graphics card: a block for each example, which makes Newton's steps without the host.
#include "../projection_math.h"
#include "block.h"
#include "projection_arguments.h"

namespace satin {

template <typename Number, bool kEuclidean>
__global__ void __launch_bounds__(kThreads) stepToHyperplane(const StepToHyperplane arguments) {
  __shared__ double shared[3][kThreads];
  const int64_t count = arguments.count, first = static_cast<int64_t>(blockIdx.x) * count;
  const Number *x = static_cast<const Number*>(arguments.x) + first, *w = static_cast<const Number*>(arguments.w) + first;
  Number* step = static_cast<Number*>(arguments.step) + first;
  const Number excess = static_cast<const Number*>(arguments.excess)[blockIdx.x];
  const Number side = excess < 0 ? Number(-1) : Number(1);
  Newton<Number> newton(excess);
  for (bool isDone = false; !isDone;) {
    double shares[3] = {0, 0, 0};  // rate, wall, free
    for (int64_t i = threadIdx.x; i < count; i += kThreads) {
      const Pixel<Number> pixel = pixelOf(side, x[i], w[i]);
      const bool isFree = pixel.template isFree<kEuclidean>(newton.length);
      shares[0] += isFree ? pixel.template rate<kEuclidean>() : Number(0);
      shares[1] += isFree ? Number(0) : pixel.wall();
      shares[2] += isFree ? 1 : 0;
    }
    sumBlock(shares, shared);
    isDone = newton.isDone({shares[0], shares[1], static_cast<int64_t>(shares[2])});  // the same for all threads
  }
  for (int64_t i = threadIdx.x; i < count; i += kThreads)
    step[i] = pixelOf(side, x[i], w[i]).template step<kEuclidean>(newton.length, side * w[i]);
}

}  // namespace satin
