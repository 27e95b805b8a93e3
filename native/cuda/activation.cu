// satin::activate on a graphics card: one pass forward and one backward over tensors of any dense layout.
#include "../activation_math.h"
#include "activation_arguments.h"
#include "block.h"
#include "storage.h"

namespace satin {

// y = f(x)
template <template <typename> class F, typename Storage>
__global__ void __launch_bounds__(kThreads) activateForward(const ActivateForward arguments) {
  using Real = RealOf<Storage>;
  constexpr int kPack = kWidest<Storage>;
  const F<Real> f = curveOf<F, Real>(arguments.curve);
  const Storage* x = static_cast<const Storage*>(arguments.x);
  Storage* y = static_cast<Storage*>(arguments.y);
  const bool aligned = isAligned<16>(x) && isAligned<16>(y);
  const int64_t count = arguments.count, stride = static_cast<int64_t>(gridDim.x) * kThreads * kPack;
  for (int64_t start = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPack; start < count; start += stride) {
    const int64_t left = count - start;
    const bool whole = aligned && left >= kPack;
    const auto in = whole ? loaded<Storage, kPack>(x + start) : loadedPart<Storage, kPack>(x + start, left);
    Pack<Storage, kPack> out;
    for (int i = 0; i < kPack; i++) narrow(f.value(widened(in.at[i])), out.at[i]);
    if (whole) store(out, y + start);
    else storePart(out, left, y + start);
  }
}

// dx = dy · f'(x); where the coefficients learn, also each block's sums of dy · df/da and dy · df/db. A thread adds a pack
// up in Real, and packs in double.
template <template <typename> class F, typename Storage, bool kLearning>
__global__ void __launch_bounds__(kThreads) activateBackward(const ActivateBackward arguments) {
  using Real = RealOf<Storage>;
  constexpr int kPack = kWidest<Storage>;
  const F<Real> f = curveOf<F, Real>(arguments.curve);
  const Storage *dy = static_cast<const Storage*>(arguments.dy), *x = static_cast<const Storage*>(arguments.x);
  Storage* dx = static_cast<Storage*>(arguments.dx);
  const bool aligned = isAligned<16>(dy) && isAligned<16>(x) && isAligned<16>(dx);
  const int64_t count = arguments.count, stride = static_cast<int64_t>(gridDim.x) * kThreads * kPack;
  double sums[2] = {0, 0};
  for (int64_t start = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kPack; start < count; start += stride) {
    const int64_t left = count - start;
    const bool whole = aligned && left >= kPack;
    const auto upstream = whole ? loaded<Storage, kPack>(dy + start) : loadedPart<Storage, kPack>(dy + start, left);
    const auto in = whole ? loaded<Storage, kPack>(x + start) : loadedPart<Storage, kPack>(x + start, left);
    Pack<Storage, kPack> out;
    Real near[2] = {0, 0};
    for (int i = 0; i < kPack; i++) {
      const Real number = widened(in.at[i]), above = widened(upstream.at[i]);
      narrow(above * f.slope(number), out.at[i]);
      if constexpr (kLearning) {
        if (i < left) near[0] += above * f.slopeA(number);
        if constexpr (Kind<F>::kCoefficients > 1) {
          if (i < left) near[1] += above * f.slopeB(number);
        }
      }
    }
    if (whole) store(out, dx + start);
    else storePart(out, left, dx + start);
    sums[0] += near[0];
    sums[1] += near[1];
  }
  if constexpr (kLearning) {
    __shared__ double shared[2][kThreads];
    sumBlock(sums, shared);
    if (threadIdx.x < 2) arguments.partials[2 * static_cast<int64_t>(blockIdx.x) + threadIdx.x] = threadIdx.x == 0 ? sums[0] : sums[1];
  }
}

// The gradients of the coefficients from the sums of all blocks; one block.
template <typename Real>
__global__ void __launch_bounds__(kThreads) sumCoefficients(const SumCoefficients arguments) {
  double sums[2] = {0, 0};
  for (int64_t block = threadIdx.x; block < arguments.blocks; block += kThreads)
    for (int i = 0; i < 2; i++) sums[i] += arguments.partials[2 * block + i];
  __shared__ double shared[2][kThreads];
  sumBlock(sums, shared);
  if (threadIdx.x < arguments.coefficients) static_cast<Real*>(arguments.sums)[threadIdx.x] = static_cast<Real>(threadIdx.x == 0 ? sums[0] : sums[1]);
}

}  // namespace satin
