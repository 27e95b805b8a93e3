// How numbers lie in the card's memory, and what is computed with: half precision becomes float. Neighbouring numbers are
// read and written as one pack, the widest that a thread can.
#pragma once

#include "../portable.h"

namespace satin {

struct BFloat16 {
  uint16_t bits;
};
struct Half {
  uint16_t bits;
};

template <typename Storage>
struct Computed {
  using Real = Storage;
};
template <>
struct Computed<BFloat16> {
  using Real = float;
};
template <>
struct Computed<Half> {
  using Real = float;
};
template <typename Storage>
using RealOf = typename Computed<Storage>::Real;

#ifdef __CUDACC_RTC__
SATIN_INLINE float halfNumber(uint16_t bits) {
  float number;
  asm("cvt.f32.f16 %0, %1;" : "=f"(number) : "h"(bits));
  return number;
}
SATIN_INLINE uint16_t halfBits(float number) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(number));
  return bits;
}
#endif

// To the nearest, ties to even.
SATIN_INLINE uint16_t bfloat16Bits(float number) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(number));
  return bits;
#else
  const uint32_t bits = bitsOf(number);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>(number != number ? 0x7fc0u : rounded);
#endif
}

SATIN_INLINE float widened(float number) { return number; }
SATIN_INLINE double widened(double number) { return number; }
SATIN_INLINE float widened(BFloat16 number) { return numberOf(static_cast<uint32_t>(number.bits) << 16); }
SATIN_INLINE float widened(Half number) { return halfNumber(number.bits); }

SATIN_INLINE void narrow(float number, float& to) { to = number; }
SATIN_INLINE void narrow(double number, double& to) { to = number; }
SATIN_INLINE void narrow(float number, BFloat16& to) { to.bits = bfloat16Bits(number); }
SATIN_INLINE void narrow(float number, Half& to) { to.bits = halfBits(number); }

template <typename Storage, int kCount>
struct alignas(sizeof(Storage) * kCount) Pack {
  Storage at[kCount];
};

// The numbers of a pack of 16 bytes.
template <typename Storage>
constexpr int kWidest = 16 / static_cast<int>(sizeof(Storage));

template <typename Storage, int kCount>
SATIN_INLINE Pack<Storage, kCount> loaded(const Storage* from) {
  return *reinterpret_cast<const Pack<Storage, kCount>*>(from);
}

template <typename Storage, int kCount>
SATIN_INLINE void store(const Pack<Storage, kCount>& pack, Storage* to) {
  *reinterpret_cast<Pack<Storage, kCount>*>(to) = pack;
}

// The same for the first `count` numbers of a pack, at any address; the others are 0.
template <typename Storage, int kCount>
SATIN_INLINE Pack<Storage, kCount> loadedPart(const Storage* from, int64_t count) {
  Pack<Storage, kCount> pack = {};
  for (int i = 0; i < kCount; i++)
    if (i < count) pack.at[i] = from[i];
  return pack;
}

template <typename Storage, int kCount>
SATIN_INLINE void storePart(const Pack<Storage, kCount>& pack, int64_t count, Storage* to) {
  for (int i = 0; i < kCount; i++)
    if (i < count) to[i] = pack.at[i];
}

// Whether packs may start here.
template <int kBytes>
SATIN_INLINE bool isAligned(const void* address) {
  return reinterpret_cast<uint64_t>(address) % kBytes == 0;
}

}  // namespace satin
