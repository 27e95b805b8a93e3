// What the sources of native/cuda ask of CUDA, for a C++ compiler: their kernels become functions that one thread of the CPU
// runs for every thread of a grid, block by block.
#pragma once

#include "emulator.h"

#define SATIN_DEVICE_CODE
#define __global__
#define __launch_bounds__(threads)
#define __shared__ static

struct Coordinates {
  unsigned x, y;
};
extern Coordinates threadIdx, blockIdx, gridDim;

// The other threads of the block run until they are here too.
void __syncthreads();

namespace satin {

// IEEE 754's conversions, which a card has as instructions.
float halfNumber(uint16_t bits);
uint16_t halfBits(float number);

}  // namespace satin
