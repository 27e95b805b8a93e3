// A sum in float64 that becomes vectors: in lanes side by side, as many on every processor, so that it has the same bits everywhere.
#pragma once

#include "portable.h"

namespace satin {

// Σ term(i) for i below `count`. The terms are computed into a block first, and its lanes added as one vector: of a loop that does both,
// with a condition in the term, GCC 12 makes vectors that add the wrong lanes.
template <typename Term>
SATIN_INLINE double laneSum(int64_t count, const Term& term) {
  constexpr int kLanes = 16, kBlock = 16 * kLanes;
  typedef double Lanes __attribute__((vector_size(kLanes * sizeof(double))));
  Lanes sums = {};
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    alignas(Lanes) double terms[kBlock];
    const int size = static_cast<int>(count - begin < kBlock ? count - begin : kBlock);
    for (int i = 0; i < size; i++) terms[i] = term(begin + i);
    const int padded = (size + kLanes - 1) / kLanes * kLanes;
    for (int i = size; i < padded; i++) terms[i] = 0;
    for (int i = 0; i < padded; i += kLanes) {
      Lanes block;
      __builtin_memcpy(&block, terms + i, sizeof block);
      sums += block;
    }
  }
  double sum = 0;
  for (int lane = 0; lane < kLanes; lane++) sum += sums[lane];
  return sum;
}

}  // namespace satin
