// Sums over the threads of a block, always in the same order, so that a result has the same bits each time.
#pragma once

#include "../portable.h"

namespace satin {

// Every kernel runs in blocks of so many threads.
constexpr int kThreads = 256;

#ifdef SATIN_DEVICE_CODE

// The threads of a block as lanes of `columns` threads each; threads beyond the last lane hold zeros. Adds each of `kCount`
// numbers over the lanes; lane 0 receives the sums. `shared` is the block's, and free again afterwards.
template <int kCount>
SATIN_INLINE void sumLanes(double (&values)[kCount], int columns, int lanes, double (*shared)[kThreads]) {
  const int thread = static_cast<int>(threadIdx.x), lane = thread / columns;
  for (int i = 0; i < kCount; i++) shared[i][thread] = values[i];
  __syncthreads();
  for (int reach = 1; reach < lanes; reach *= 2) {
    if (lane % (2 * reach) == 0 && lane + reach < lanes)
      for (int i = 0; i < kCount; i++) shared[i][thread] += shared[i][thread + reach * columns];
    __syncthreads();
  }
  for (int i = 0; i < kCount; i++) values[i] = shared[i][thread];
  __syncthreads();
}

// The sums over the whole block, for every thread.
template <int kCount>
SATIN_INLINE void sumBlock(double (&values)[kCount], double (*shared)[kThreads]) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = 0; i < kCount; i++) shared[i][thread] = values[i];
  __syncthreads();
  for (int reach = kThreads / 2; reach > 0; reach /= 2) {
    if (thread < reach)
      for (int i = 0; i < kCount; i++) shared[i][thread] += shared[i][thread + reach];
    __syncthreads();
  }
  for (int i = 0; i < kCount; i++) values[i] = shared[i][0];
  __syncthreads();
}

#endif

}  // namespace satin
