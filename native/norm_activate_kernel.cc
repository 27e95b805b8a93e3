#include "norm_activate_kernel.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "vectorised.h"

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

SATIN_CLONES void argumentTile(int64_t n, const float* __restrict x, const float* __restrict scale,
                               const float* __restrict shift, float* __restrict z) {
  for (int64_t i = 0; i < n; i++) z[i] = x[i] * scale[i] + shift[i];
}

SATIN_CLONES void argumentTileResidual(int64_t n, const float* __restrict x, const float* __restrict residual,
                                       const float* __restrict scale, const float* __restrict shift, float* __restrict z) {
  for (int64_t i = 0; i < n; i++) z[i] = x[i] * scale[i] + shift[i] + residual[i];
}

SATIN_CLONES void sumsTile(int64_t n, const float* __restrict g, const float* __restrict x, const float* __restrict mean,
                           float* __restrict sum, float* __restrict product) {
  for (int64_t i = 0; i < n; i++) {
    sum[i] += g[i];
    product[i] += g[i] * (x[i] - mean[i]);
  }
}

SATIN_CLONES void scaleTile(int64_t n, const float* __restrict g, const float* __restrict scale, float* __restrict dx) {
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

// The activation's argument z, a tile at a time: it stays in the nearest cache, so that every activation can be computed
// behind it by the loops it has anyway.
struct Arguments {
  Arguments(Rows rows, const float* x, const float* residual, const float* scale, const float* shift)
      : tiling(rows), scales(repeated(scale, rows.channels, tiling.length)), shifts(repeated(shift, rows.channels, tiling.length)),
        x(x), residual(residual), z(scales.size()) {}
  const float* from(int64_t start) {
    if (residual == nullptr) argumentTile(tiling.at(start), x + start, scales.data(), shifts.data(), z.data());
    else argumentTileResidual(tiling.at(start), x + start, residual + start, scales.data(), shifts.data(), z.data());
    return z.data();
  }
  Tiling tiling;
  std::vector<float> scales, shifts;

 private:
  const float *x, *residual;
  std::vector<float> z;
};

void gradientTile(const Curve& curve, int64_t n, const float* dy, const float* z, float* g, CoefficientSums<float>* coefficients) {
  if (coefficients == nullptr) activationGradients(curve, n, dy, z, g);
  else activationGradients(curve, n, dy, z, g, *coefficients);
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

void normActivate(const Curve& curve, Rows rows, const float* x, const float* residual, const float* scale,
                  const float* shift, float* y) {
  Arguments arguments(rows, x, residual, scale, shift);
  const Tiling& tiling = arguments.tiling;
  for (int64_t start = 0; start < tiling.total; start += tiling.length)
    activationValues(curve, tiling.at(start), arguments.from(start), y + start);
}

void activateBackward(const Curve& curve, Rows rows, const float* dy, const float* x, const float* residual,
                      const float* scale, const float* shift, const float* mean, float* g, double* sum, double* product,
                      CoefficientSums<float>* coefficients) {
  Arguments arguments(rows, x, residual, scale, shift);
  const Tiling& tiling = arguments.tiling;
  const auto means = repeated(mean, rows.channels, tiling.length);
  std::vector<float> sums(means.size(), 0.0f), products(means.size(), 0.0f);
  int held = 0;
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    gradientTile(curve, tiling.at(start), dy + start, arguments.from(start), g + start, coefficients);
    sumsTile(tiling.at(start), g + start, x + start, means.data(), sums.data(), products.data());
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
  std::vector<float> slopes(static_cast<size_t>(g == nullptr ? tiling.length : 0));
  for (int64_t start = 0; start < tiling.total; start += tiling.length) {
    float* kept = g == nullptr ? slopes.data() : g + start;
    gradientTile(curve, tiling.at(start), dy + start, arguments.from(start), kept, coefficients);
    scaleTile(tiling.at(start), kept, arguments.scales.data(), dx + start);
  }
}

}  // namespace satin
