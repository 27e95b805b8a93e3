#include "noise_kernel.h"

namespace satin {

uint64_t keyOf(const DrawKey& draw) {
  const Philox block = philox(draw.seed, {{draw.stream, draw.epoch, draw.restart << 16 | (draw.rank & 0xffffu), draw.step}});
  return uint64_t{block.word[1]} << 32 | block.word[0];
}

namespace {

template <typename Number, size_t kPerBlock>
void draw(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, Number* out) {
  const size_t blocks = (elements + kPerBlock - 1) / kPerBlock;
  const int64_t total = static_cast<int64_t>(examples * blocks);
#pragma omp parallel for schedule(static) if (total > 4096)
  for (int64_t n = 0; n < total; n++) {
    const size_t example = static_cast<size_t>(n) / blocks;
    const uint64_t block = static_cast<size_t>(n) % blocks;
    Number numbers[kPerBlock];
    drawBlock(distribution, key, block, ids[example], numbers);
    const size_t start = block * kPerBlock;
    for (size_t i = 0; i < kPerBlock && start + i < elements; i++) out[example * elements + start + i] = numbers[i];
  }
}

}  // namespace

void drawFloat(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, float* out) {
  draw<float, 4>(distribution, key, ids, examples, elements, out);
}

void drawDouble(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, double* out) {
  draw<double, 2>(distribution, key, ids, examples, elements, out);
}

}  // namespace satin
