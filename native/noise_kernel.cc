#include "noise_kernel.h"

#include <cmath>

namespace satin {

Philox philox(uint64_t key, const Philox& counter) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  Philox x = counter;
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * x.word[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * x.word[2];
    x = {{static_cast<uint32_t>(p1 >> 32) ^ x.word[1] ^ k0, static_cast<uint32_t>(p1),
          static_cast<uint32_t>(p0 >> 32) ^ x.word[3] ^ k1, static_cast<uint32_t>(p0)}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return x;
}

uint64_t keyOf(const DrawKey& draw) {
  const Philox block = philox(draw.seed, {{draw.stream, draw.epoch, draw.restart << 16 | (draw.rank & 0xffffu), draw.step}});
  return uint64_t{block.word[1]} << 32 | block.word[0];
}

namespace {

constexpr double kTau = 6.283185307179586476925286766559;

double unit53(uint32_t high, uint32_t low) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

// Box and Muller (1958); 1 - u keeps the logarithm finite.
void normalPair(double u, double v, double* first, double* second) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - u));
  *first = radius * std::cos(kTau * v);
  *second = radius * std::sin(kTau * v);
}

// Four numbers of float32, or two of float64, come from one block; `block` counts within the example.
void fill(Distribution distribution, const Philox& bits, float out[4]) {
  if (distribution == Distribution::kUniform) {
    for (int i = 0; i < 4; i++) out[i] = static_cast<float>(bits.word[i] >> 8) * 0x1p-24f;
    return;
  }
  for (int i = 0; i < 4; i += 2) {
    double first, second;
    normalPair((bits.word[i] + 0.5) * 0x1p-32, (bits.word[i + 1] + 0.5) * 0x1p-32, &first, &second);
    out[i] = static_cast<float>(first);
    out[i + 1] = static_cast<float>(second);
  }
}

void fill(Distribution distribution, const Philox& bits, double out[2]) {
  out[0] = unit53(bits.word[0], bits.word[1]);
  out[1] = unit53(bits.word[2], bits.word[3]);
  if (distribution == Distribution::kNormal) normalPair(out[0], out[1], &out[0], &out[1]);
}

template <typename Number, size_t kPerBlock>
void draw(Distribution distribution, uint64_t key, const uint64_t* ids, size_t examples, size_t elements, Number* out) {
  const size_t blocks = (elements + kPerBlock - 1) / kPerBlock;
  const int64_t total = static_cast<int64_t>(examples * blocks);
#pragma omp parallel for schedule(static) if (total > 4096)
  for (int64_t n = 0; n < total; n++) {
    const size_t example = static_cast<size_t>(n) / blocks;
    const uint64_t block = static_cast<size_t>(n) % blocks;
    const uint64_t id = ids[example];
    const Philox counter = {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(id),
                             static_cast<uint32_t>(id >> 32)}};
    Number numbers[kPerBlock];
    fill(distribution, philox(key, counter), numbers);
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
