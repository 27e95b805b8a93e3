// Vectors of several lengths for kernels that are compiled once for each, where target_clones would compile the same length
// for all.
#pragma once

#include "portable.h"

namespace satin {

// `lanes` numbers that the processor computes with at once
template <int lanes>
struct Vector {
  typedef float Type __attribute__((vector_size(4 * lanes)));
  typedef float Unaligned __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
  typedef int Lanes __attribute__((vector_size(4 * lanes)));
};
template <int lanes>
using Vec = typename Vector<lanes>::Type;

template <int lanes>
SATIN_INLINE const typename Vector<lanes>::Unaligned& load(const float* from) {
  return *reinterpret_cast<const typename Vector<lanes>::Unaligned*>(from);
}
template <int lanes>
SATIN_INLINE void store(float* to, const Vec<lanes>& value) {
  *reinterpret_cast<typename Vector<lanes>::Unaligned*>(to) = value;
}

// In each lane the number in lane `from[lane]` of the others.
template <int lanes>
SATIN_INLINE Vec<lanes> permuted(const Vec<lanes>& numbers, const typename Vector<lanes>::Lanes& from) {
#ifdef __clang__
  Vec<lanes> result;
  for (int lane = 0; lane < lanes; lane++) result[lane] = numbers[from[lane]];
  return result;
#else
  return __builtin_shuffle(numbers, from);
#endif
}

#if defined(__x86_64__)
// Every processor with AVX-512 has prfchw too, with which a line of the cache is asked for in order to write it.
#define SATIN_AVX512 __attribute__((target("arch=x86-64-v4,prfchw")))
#define SATIN_AVX2 __attribute__((target("avx2,fma")))
#endif

// How many lanes the processor has: 16, 8 or 4.
inline int vectorLanes() {
#if defined(__x86_64__)
  static const int lanes =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")
          ? 16
          : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 8 : 4;
  return lanes;
#else
  return 4;
#endif
}

}  // namespace satin
