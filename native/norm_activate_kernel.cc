#include "norm_activate_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

// One binary serves every processor: the best of these is chosen when the program starts.
#if defined(__x86_64__) && defined(__linux__)
#define SATIN_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2,fma", "default")))
#else
#define SATIN_CLONES
#endif
#define SATIN_INLINE inline __attribute__((always_inline))

namespace satin {
namespace {

// Inner loops run over a tile of whole rows, with the channels' numbers repeated along it, so that narrow networks
// fill the vector units as well as wide ones.
constexpr int64_t kTile = 512;

struct Tiling {
  explicit Tiling(Rows rows) : length(rows.channels * std::max<int64_t>(1, kTile / rows.channels)), total(rows.count * rows.channels) {}
  int64_t length;  // numbers in a tile
  int64_t total;
};

std::vector<float> repeated(const float* values, int64_t channels, int64_t length) {
  std::vector<float> result(static_cast<size_t>(length));
  for (int64_t start = 0; start < length; start += channels) std::memcpy(&result[static_cast<size_t>(start)], values, sizeof(float) * static_cast<size_t>(channels));
  return result;
}

// Sums of a tile, kept in float for a few tiles and then in double: as exact as double, nearly as fast as float.
constexpr int kTilesInFloat = 64;

void fold(std::vector<float>& sums, int64_t channels, double* out) {
  for (size_t i = 0; i < sums.size(); i++) out[static_cast<int64_t>(i) % channels] += sums[i];
  std::fill(sums.begin(), sums.end(), 0.0f);
}

// e^x without a branch for x in [-87, 88] and NaN (Cephes' expf, at most 8e-8 off). Callers hold x inside once:
// two clamps in a row lead GCC to a loop ten times slower.
SATIN_INLINE float exponential(float x) {
  const float n = std::floor(x * 1.44269504088896341f + 0.5f);
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // 2^n by its bits; a copy through memory would keep the loop from being vectorised
  return p * __builtin_bit_cast(float, (static_cast<int32_t>(n) + 127) << 23);
}

struct Identity {
  static SATIN_INLINE float value(float z) { return z; }
  static SATIN_INLINE float slope(float) { return 1.0f; }
};

struct Relu {
  // written so that NaN passes through
  static SATIN_INLINE float value(float z) { return z < 0.0f ? 0.0f : z; }
  static SATIN_INLINE float slope(float z) { return z > 0.0f ? 1.0f : 0.0f; }
};

struct Silu {
  // Beyond 87 the sigmoid is 0 or 1 in float. NaN fails every comparison and passes through; at -infinity the value is
  // -87 * sigmoid(-87), which is the limit 0 but for 1e-36.
  static SATIN_INLINE float held(float z) {
    const float low = -87.0f > z ? -87.0f : z;
    return 87.0f < low ? 87.0f : low;
  }
  static SATIN_INLINE float value(float z) {
    const float low = -87.0f > z ? -87.0f : z;
    return low / (1.0f + exponential(-(87.0f < low ? 87.0f : low)));
  }
  static SATIN_INLINE float slope(float z) {
    const float h = held(z);
    const float s = 1.0f / (1.0f + exponential(-h));
    return s + h * s * (1.0f - s);
  }
};

template <typename F, bool kResidual>
SATIN_INLINE float argument(const float* x, const float* residual, const float* scale, const float* shift, int64_t i) {
  const float z = x[i] * scale[i] + shift[i];
  return kResidual ? z + residual[i] : z;
}

template <typename F, bool kResidual>
SATIN_INLINE void forwardTile(int64_t n, const float* x, const float* residual, const float* scale, const float* shift, float* y) {
  for (int64_t i = 0; i < n; i++) y[i] = F::value(argument<F, kResidual>(x, residual, scale, shift, i));
}

template <typename F, bool kResidual>
SATIN_INLINE void reduceTile(int64_t n, const float* dy, const float* x, const float* residual, const float* scale,
                             const float* shift, const float* mean, float* g, float* sum, float* product) {
  for (int64_t i = 0; i < n; i++) {
    const float slope = dy[i] * F::slope(argument<F, kResidual>(x, residual, scale, shift, i));
    g[i] = slope;
    sum[i] += slope;
    product[i] += slope * (x[i] - mean[i]);
  }
}

template <typename F, bool kResidual>
SATIN_INLINE void scaleTile(int64_t n, const float* dy, const float* x, const float* residual, const float* scale,
                            const float* shift, float* g, float* dx) {
  for (int64_t i = 0; i < n; i++) {
    const float slope = dy[i] * F::slope(argument<F, kResidual>(x, residual, scale, shift, i));
    if (kResidual) g[i] = slope;
    dx[i] = slope * scale[i];
  }
}

// target_clones wants plain functions: one set for each activation, with and without residual.
#define SATIN_TILES(F, R, NAME)                                                                                          \
  SATIN_CLONES void forward##NAME(int64_t n, const float* __restrict x, const float* __restrict residual,                \
                                  const float* __restrict scale, const float* __restrict shift, float* __restrict y) {   \
    forwardTile<F, R>(n, x, residual, scale, shift, y);                                                                  \
  }                                                                                                                      \
  SATIN_CLONES void reduce##NAME(int64_t n, const float* __restrict dy, const float* __restrict x,                       \
                                 const float* __restrict residual, const float* __restrict scale,                        \
                                 const float* __restrict shift, const float* __restrict mean, float* __restrict g,       \
                                 float* __restrict sum, float* __restrict product) {                                     \
    reduceTile<F, R>(n, dy, x, residual, scale, shift, mean, g, sum, product);                                           \
  }                                                                                                                      \
  SATIN_CLONES void scale##NAME(int64_t n, const float* __restrict dy, const float* __restrict x,                        \
                                const float* __restrict residual, const float* __restrict scale,                         \
                                const float* __restrict shift, float* __restrict g, float* __restrict dx) {              \
    scaleTile<F, R>(n, dy, x, residual, scale, shift, g, dx);                                                            \
  }

SATIN_TILES(Identity, false, Identity)
SATIN_TILES(Identity, true, IdentityResidual)
SATIN_TILES(Relu, false, Relu)
SATIN_TILES(Relu, true, ReluResidual)
SATIN_TILES(Silu, false, Silu)
SATIN_TILES(Silu, true, SiluResidual)

struct Tiles {
  decltype(&forwardIdentity) forward;
  decltype(&reduceIdentity) reduce;
  decltype(&scaleIdentity) scale;
};

Tiles tilesOf(FusedActivation f, bool residual) {
  switch (f) {
    case FusedActivation::kRelu:
      return residual ? Tiles{forwardReluResidual, reduceReluResidual, scaleReluResidual} : Tiles{forwardRelu, reduceRelu, scaleRelu};
    case FusedActivation::kSilu:
      return residual ? Tiles{forwardSiluResidual, reduceSiluResidual, scaleSiluResidual} : Tiles{forwardSilu, reduceSilu, scaleSilu};
    default:
      return residual ? Tiles{forwardIdentityResidual, reduceIdentityResidual, scaleIdentityResidual}
                      : Tiles{forwardIdentity, reduceIdentity, scaleIdentity};
  }
}

SATIN_CLONES void momentsTile(int64_t n, const float* __restrict x, const float* __restrict pivot, float* __restrict sum,
                              float* __restrict squares) {
  for (int64_t i = 0; i < n; i++) {
    const float d = x[i] - pivot[i];
    sum[i] += d;
    squares[i] += d * d;
  }
}

// no __restrict on g and dx: they may be the same array, element for element
SATIN_CLONES void backwardTile(int64_t n, const float* g, const float* __restrict x, const float* __restrict mean,
                               const float* __restrict scale, const float* __restrict offset,
                               const float* __restrict slope, float* dx) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) dx[i] = g[i] * scale[i] - offset[i] - (x[i] - mean[i]) * slope[i];
}

}  // namespace

void addMoments(Rows rows, const float* x, const float* pivot, double* sum, double* squares) {
  const Tiling tiling(rows);
  const auto pivots = repeated(pivot, rows.channels, tiling.length);
  std::vector<float> sums(pivots.size(), 0.0f), squareSums(pivots.size(), 0.0f);
  int held = 0;
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    momentsTile(std::min(tiling.length, tiling.total - start), x + start, pivots.data(), sums.data(), squareSums.data());
    if (++held == kTilesInFloat) {
      fold(sums, rows.channels, sum);
      fold(squareSums, rows.channels, squares);
      held = 0;
    }
  }
  fold(sums, rows.channels, sum);
  fold(squareSums, rows.channels, squares);
}

void normActivate(FusedActivation f, Rows rows, const float* x, const float* residual, const float* scale,
                  const float* shift, float* y) {
  const Tiling tiling(rows);
  const auto scales = repeated(scale, rows.channels, tiling.length), shifts = repeated(shift, rows.channels, tiling.length);
  const Tiles tiles = tilesOf(f, residual != nullptr);
  for (int64_t start = 0; start < tiling.total; start += tiling.length)
    tiles.forward(std::min(tiling.length, tiling.total - start), x + start, residual == nullptr ? nullptr : residual + start,
                  scales.data(), shifts.data(), y + start);
}

void activateBackward(FusedActivation f, Rows rows, const float* dy, const float* x, const float* residual,
                      const float* scale, const float* shift, const float* mean, float* g, double* sum, double* product) {
  const Tiling tiling(rows);
  const auto scales = repeated(scale, rows.channels, tiling.length), shifts = repeated(shift, rows.channels, tiling.length);
  const auto means = repeated(mean, rows.channels, tiling.length);
  std::vector<float> sums(scales.size(), 0.0f), products(scales.size(), 0.0f);
  const Tiles tiles = tilesOf(f, residual != nullptr);
  int held = 0;
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    tiles.reduce(std::min(tiling.length, tiling.total - start), dy + start, x + start,
                 residual == nullptr ? nullptr : residual + start, scales.data(), shifts.data(), means.data(), g + start,
                 sums.data(), products.data());
    if (++held == kTilesInFloat) {
      fold(sums, rows.channels, sum);
      fold(products, rows.channels, product);
      held = 0;
    }
  }
  fold(sums, rows.channels, sum);
  fold(products, rows.channels, product);
}

void normBackward(Rows rows, const float* g, const float* x, const float* mean, const float* scale, const float* offset,
                  const float* slope, float* dx) {
  const Tiling tiling(rows);
  const auto means = repeated(mean, rows.channels, tiling.length), scales = repeated(scale, rows.channels, tiling.length);
  const auto offsets = repeated(offset, rows.channels, tiling.length), slopes = repeated(slope, rows.channels, tiling.length);
  for (int64_t start = 0; start < tiling.total; start += tiling.length)
    backwardTile(std::min(tiling.length, tiling.total - start), g + start, x + start, means.data(), scales.data(),
                 offsets.data(), slopes.data(), dx + start);
}

void activateScaleBackward(FusedActivation f, Rows rows, const float* dy, const float* x, const float* residual,
                           const float* scale, const float* shift, float* g, float* dx) {
  const Tiling tiling(rows);
  const auto scales = repeated(scale, rows.channels, tiling.length), shifts = repeated(shift, rows.channels, tiling.length);
  const Tiles tiles = tilesOf(f, residual != nullptr);
  for (int64_t start = 0; start < tiling.total; start += tiling.length)
    tiles.scale(std::min(tiling.length, tiling.total - start), dy + start, x + start,
                residual == nullptr ? nullptr : residual + start, scales.data(), shifts.data(),
                residual == nullptr ? nullptr : g + start, dx + start);
}

}  // namespace satin
