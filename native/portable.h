// What a header needs in order to be read both by the C++ compiler, for the CPU, and by NVRTC, CUDA's compiler at run time,
// which has no standard headers: whole numbers, functions of one number, its bits, and what makes a function inline.
#pragma once

#ifdef __CUDACC_RTC__

#define SATIN_DEVICE_CODE
#define SATIN_INLINE __device__ __forceinline__

namespace satin {

using int32_t = int;
using uint16_t = unsigned short;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;

SATIN_INLINE float magnitude(float x) { return ::fabsf(x); }
SATIN_INLINE double magnitude(double x) { return ::fabs(x); }
SATIN_INLINE float squareRoot(float x) { return ::sqrtf(x); }
SATIN_INLINE double squareRoot(double x) { return ::sqrt(x); }
SATIN_INLINE double logarithm(double x) { return ::log(x); }
SATIN_INLINE double sine(double x) { return ::sin(x); }
SATIN_INLINE double cosine(double x) { return ::cos(x); }

SATIN_INLINE uint32_t bitsOf(float x) { return __float_as_uint(x); }
SATIN_INLINE uint64_t bitsOf(double x) { return static_cast<uint64_t>(__double_as_longlong(x)); }
SATIN_INLINE float numberOf(uint32_t bits) { return __uint_as_float(bits); }
SATIN_INLINE double numberOf(uint64_t bits) { return __longlong_as_double(static_cast<int64_t>(bits)); }

}  // namespace satin

#else

#include <cmath>
#include <cstdint>

// For what loops of kernels call: it takes on the instruction set of the loop.
#define SATIN_INLINE inline __attribute__((always_inline))

namespace satin {

SATIN_INLINE float magnitude(float x) { return std::fabs(x); }
SATIN_INLINE double magnitude(double x) { return std::fabs(x); }
SATIN_INLINE float squareRoot(float x) { return std::sqrt(x); }
SATIN_INLINE double squareRoot(double x) { return std::sqrt(x); }
SATIN_INLINE double logarithm(double x) { return std::log(x); }
SATIN_INLINE double sine(double x) { return std::sin(x); }
SATIN_INLINE double cosine(double x) { return std::cos(x); }

// A copy of the bits; one through memory would keep the loop from becoming vectors.
SATIN_INLINE uint32_t bitsOf(float x) { return __builtin_bit_cast(uint32_t, x); }
SATIN_INLINE uint64_t bitsOf(double x) { return __builtin_bit_cast(uint64_t, x); }
SATIN_INLINE float numberOf(uint32_t bits) { return __builtin_bit_cast(float, bits); }
SATIN_INLINE double numberOf(uint64_t bits) { return __builtin_bit_cast(double, bits); }

}  // namespace satin

#endif
