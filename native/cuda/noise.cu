// The noise of noise_kernel.h on a graphics card: the same numbers of the same keys. Uniform numbers have the same bits;
// normal ones may differ in the last, where logarithm, sine and cosine do.
#include "../philox.h"
#include "block.h"
#include "noise_arguments.h"
#include "storage.h"

namespace satin {

// A thread draws what comes from one block of Philox.
template <typename Number, bool kNormal>
__global__ void __launch_bounds__(kThreads) drawNoise(const DrawNoise arguments) {
  constexpr int kPack = kWidest<Number>;
  Number* out = static_cast<Number*>(arguments.out);
  const int64_t elements = arguments.elements, blocks = (elements + kPack - 1) / kPack, total = arguments.examples * blocks;
  const bool aligned = isAligned<16>(out) && elements % kPack == 0;
  for (int64_t n = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; n < total; n += static_cast<int64_t>(gridDim.x) * kThreads) {
    const int64_t example = n / blocks, block = n % blocks, start = block * kPack;
    Pack<Number, kPack> pack;
    drawBlock(kNormal ? Distribution::kNormal : Distribution::kUniform, arguments.key, static_cast<uint64_t>(block),
              static_cast<uint64_t>(arguments.ids[example]), pack.at);
    Number* place = out + example * elements + start;
    if (aligned) store(pack, place);
    else storePart(pack, elements - start, place);
  }
}

}  // namespace satin
