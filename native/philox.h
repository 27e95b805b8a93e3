// Counter-based random numbers: which number belongs to which key and place. The kernels of the CPU and of CUDA draw by it.
#pragma once

#include "portable.h"

namespace satin {

enum class Distribution { kUniform, kNormal };

// Philox4x32-10 (Salmon et al., 2011, 'Parallel random numbers: as easy as 1, 2, 3').
struct Philox {
  uint32_t word[4];
};

SATIN_INLINE Philox philox(uint64_t key, const Philox& counter) {
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

SATIN_INLINE double unit53(uint32_t high, uint32_t low) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

// Box and Muller (1958); 1 - u keeps the logarithm finite.
SATIN_INLINE void normalPair(double u, double v, double* first, double* second) {
  constexpr double kTau = 6.283185307179586476925286766559;
  const double radius = squareRoot(-2.0 * logarithm(1.0 - u));
  *first = radius * cosine(kTau * v);
  *second = radius * sine(kTau * v);
}

// Four numbers of float32, or two of float64, come from one block.
SATIN_INLINE void fill(Distribution distribution, const Philox& bits, float (&out)[4]) {
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

SATIN_INLINE void fill(Distribution distribution, const Philox& bits, double (&out)[2]) {
  out[0] = unit53(bits.word[0], bits.word[1]);
  out[1] = unit53(bits.word[2], bits.word[3]);
  if (distribution == Distribution::kNormal) normalPair(out[0], out[1], &out[0], &out[1]);
}

// The numbers of one block, counted within its example.
template <typename Number, int kCount>
SATIN_INLINE void drawBlock(Distribution distribution, uint64_t key, uint64_t block, uint64_t id, Number (&out)[kCount]) {
  const Philox counter = {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(id),
                           static_cast<uint32_t>(id >> 32)}};
  fill(distribution, philox(key, counter), out);
}

}  // namespace satin
