#include "batch_norm_activation_kernel.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "activation_math.h"
#include "simd.h"

namespace satin {
namespace {

// Inner loops run over a tile of whole rows, with the channels' numbers repeated along it, so that narrow networks
// fill the vector units as well as wide ones.
constexpr int64_t kTile = 512;

struct Tiling {
  explicit Tiling(Rows rows) : length(rows.channels * std::max<int64_t>(1, kTile / rows.channels)), total(rows.count * rows.channels) {}
  int64_t at(int64_t start) const { return std::min(length, total - start); }  // numbers in the tile from there
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

template <bool kResidual>
SATIN_INLINE float argument(const float* x, const float* residual, const float* scale, const float* shift, int64_t i) {
  const float z = x[i] * scale[i] + shift[i];
  return kResidual ? z + residual[i] : z;
}

template <bool kResidual, typename F>
SATIN_INLINE void forwardTile(F f, int64_t n, const float* __restrict x, const float* __restrict residual,
                              const float* __restrict scale, const float* __restrict shift, float* __restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] = f.value(argument<kResidual>(x, residual, scale, shift, i));
}

template <bool kResidual, typename F>
SATIN_INLINE void reduceTile(F f, int64_t n, const float* __restrict dy, const float* __restrict x,
                             const float* __restrict residual, const float* __restrict scale, const float* __restrict shift,
                             const float* __restrict mean, float* __restrict g, float* __restrict sum,
                             float* __restrict product) {
  for (int64_t i = 0; i < n; i++) {
    const float slope = dy[i] * f.slope(argument<kResidual>(x, residual, scale, shift, i));
    g[i] = slope;
    sum[i] += slope;
    product[i] += slope * (x[i] - mean[i]);
  }
}

template <bool kResidual, typename F>
SATIN_INLINE void scaleTile(F f, int64_t n, const float* __restrict dy, const float* __restrict x,
                            const float* __restrict residual, const float* __restrict scale, const float* __restrict shift,
                            float* __restrict g, float* __restrict dx) {
  for (int64_t i = 0; i < n; i++) {
    const float slope = dy[i] * f.slope(argument<kResidual>(x, residual, scale, shift, i));
    if (kResidual) g[i] = slope;
    dx[i] = slope * scale[i];
  }
}

// One loop for the whole pass, so that memory latency overlaps with the activation. target_clones needs plain functions.
#define SATIN_TILES(NAME, SUFFIX, RESIDUAL)                                                                                  \
  SATIN_CLONES void forward##NAME##SUFFIX(float a, float b, int64_t n, const float* x, const float* residual,                \
                                          const float* scale, const float* shift, float* y) {                                \
    forwardTile<RESIDUAL>(NAME<float>(a, b), n, x, residual, scale, shift, y);                                               \
  }                                                                                                                          \
  SATIN_CLONES void reduce##NAME##SUFFIX(float a, float b, int64_t n, const float* dy, const float* x, const float* residual, \
                                         const float* scale, const float* shift, const float* mean, float* g, float* sum,    \
                                         float* product) {                                                                   \
    reduceTile<RESIDUAL>(NAME<float>(a, b), n, dy, x, residual, scale, shift, mean, g, sum, product);                        \
  }                                                                                                                          \
  SATIN_CLONES void scale##NAME##SUFFIX(float a, float b, int64_t n, const float* dy, const float* x, const float* residual, \
                                        const float* scale, const float* shift, float* g, float* dx) {                       \
    scaleTile<RESIDUAL>(NAME<float>(a, b), n, dy, x, residual, scale, shift, g, dx);                                         \
  }
#define SATIN_KIND_TILES(NAME, NUMBER, TEXT, COEFFICIENTS) SATIN_TILES(NAME, Alone, false) SATIN_TILES(NAME, Added, true)
SATIN_ACTIVATIONS(SATIN_KIND_TILES)

struct Tiles {
  decltype(&forwardReluAlone) forward;
  decltype(&reduceReluAlone) reduce;
  decltype(&scaleReluAlone) scale;
};

Tiles tilesOf(Activation kind, bool residual) {
#define SATIN_TILES_OF(NAME, NUMBER, TEXT, COEFFICIENTS)                                   \
  case Activation::k##NAME:                                                                \
    return residual ? Tiles{forward##NAME##Added, reduce##NAME##Added, scale##NAME##Added} \
                    : Tiles{forward##NAME##Alone, reduce##NAME##Alone, scale##NAME##Alone};
  switch (kind) { SATIN_ACTIVATIONS(SATIN_TILES_OF) }
  return {};
}

// With a gradient of learned coefficients it goes step by step over a tile, which stays in the nearest cache, with the
// activation's own loops.
SATIN_CLONES void argumentTile(int64_t n, const float* __restrict x, const float* __restrict scale,
                               const float* __restrict shift, float* __restrict z) {
  for (int64_t i = 0; i < n; i++) z[i] = argument<false>(x, nullptr, scale, shift, i);
}

SATIN_CLONES void argumentTileAdded(int64_t n, const float* __restrict x, const float* __restrict residual,
                                    const float* __restrict scale, const float* __restrict shift, float* __restrict z) {
  for (int64_t i = 0; i < n; i++) z[i] = argument<true>(x, residual, scale, shift, i);
}

SATIN_CLONES void sumsTile(int64_t n, const float* __restrict g, const float* __restrict x, const float* __restrict mean,
                           float* __restrict sum, float* __restrict product) {
  for (int64_t i = 0; i < n; i++) {
    sum[i] += g[i];
    product[i] += g[i] * (x[i] - mean[i]);
  }
}

SATIN_CLONES void scaledTile(int64_t n, const float* __restrict g, const float* __restrict scale, float* __restrict dx) {
  for (int64_t i = 0; i < n; i++) dx[i] = g[i] * scale[i];
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

// Numbers a channel, repeated along a tile, and the activation's argument z of a tile.
struct Arguments {
  Arguments(Rows rows, const float* x, const float* residual, const float* scale, const float* shift)
      : tiling(rows), scales(repeated(scale, rows.channels, tiling.length)), shifts(repeated(shift, rows.channels, tiling.length)),
        x(x), residual(residual) {}
  const float* from(int64_t start) {
    z.resize(scales.size());
    if (residual == nullptr) argumentTile(tiling.at(start), x + start, scales.data(), shifts.data(), z.data());
    else argumentTileAdded(tiling.at(start), x + start, added(start), scales.data(), shifts.data(), z.data());
    return z.data();
  }
  const float* added(int64_t start) const { return residual == nullptr ? nullptr : residual + start; }
  Tiling tiling;
  std::vector<float> scales, shifts;

 private:
  const float *x, *residual;
  std::vector<float> z;
};

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

void normActivate(const Curve& curve, Rows rows, const float* x, const float* residual, const float* scale,
                  const float* shift, float* y) {
  const Arguments arguments(rows, x, residual, scale, shift);
  const Tiling& tiling = arguments.tiling;
  const float a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  const auto forward = tilesOf(curve.kind, residual != nullptr).forward;
  for (int64_t start = 0; start < tiling.total; start += tiling.length)
    forward(a, b, tiling.at(start), x + start, arguments.added(start), arguments.scales.data(), arguments.shifts.data(), y + start);
}

void activateBackward(const Curve& curve, Rows rows, const float* dy, const float* x, const float* residual,
                      const float* scale, const float* shift, const float* mean, float* g, double* sum, double* product,
                      CoefficientSums<float>* coefficients) {
  Arguments arguments(rows, x, residual, scale, shift);
  const Tiling& tiling = arguments.tiling;
  const auto means = repeated(mean, rows.channels, tiling.length);
  std::vector<float> sums(means.size(), 0.0f), products(means.size(), 0.0f);
  const float a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  const auto reduce = tilesOf(curve.kind, residual != nullptr).reduce;
  int held = 0;
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    const int64_t n = tiling.at(start);
    if (coefficients == nullptr) {
      reduce(a, b, n, dy + start, x + start, arguments.added(start), arguments.scales.data(), arguments.shifts.data(),
             means.data(), g + start, sums.data(), products.data());
    } else {
      activationGradients(curve, n, dy + start, arguments.from(start), g + start, *coefficients);
      sumsTile(n, g + start, x + start, means.data(), sums.data(), products.data());
    }
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

void activateScaleBackward(const Curve& curve, Rows rows, const float* dy, const float* x, const float* residual,
                           const float* scale, const float* shift, float* g, float* dx, CoefficientSums<float>* coefficients) {
  Arguments arguments(rows, x, residual, scale, shift);
  const Tiling& tiling = arguments.tiling;
  const float a = static_cast<float>(curve.a), b = static_cast<float>(curve.b);
  const auto scaled = tilesOf(curve.kind, residual != nullptr).scale;
  std::vector<float> slopes(static_cast<size_t>(tiling.length));
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    const int64_t n = tiling.at(start);
    float* kept = g == nullptr ? slopes.data() : g + start;
    if (coefficients == nullptr) {
      scaled(a, b, n, dy + start, x + start, arguments.added(start), arguments.scales.data(), arguments.shifts.data(), kept, dx + start);
    } else {
      activationGradients(curve, n, dy + start, arguments.from(start), kept, *coefficients);
      scaledTile(n, kept, arguments.scales.data(), dx + start);
    }
  }
}

}  // namespace satin
