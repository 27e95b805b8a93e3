// The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, 2016), and those of its gradient by the weights: with the output
// Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A of a tile, dg = Gᵀ[(A dY Aᵀ) ⊙ (Bᵀ d B)]G.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vectors.h"
#include "winograd_kernel.h"

namespace satin {

constexpr int kPoints = 36;

// The transforms of the points 0, ±√½, ±√2 and ∞, which round less than 0, ±1, ±2 and ∞.
constexpr float kRoot = 1.41421356237309505f;

// Bᵀ d, from six numbers to six
template <typename V>
SATIN_INLINE void inputTransform(const V d[6], V t[6]) {
  const V even = d[4] - 2.0f * d[2], odd = kRoot / 2 * d[3] - kRoot * d[1];
  const V evenHalf = d[4] - 0.5f * d[2], oddHalf = kRoot * d[3] - kRoot / 2 * d[1];
  t[0] = d[0] + d[4] - 2.5f * d[2];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = evenHalf + oddHalf;
  t[4] = evenHalf - oddHalf;
  t[5] = d[1] + d[5] - 2.5f * d[3];
}

// G g, from three numbers to six
template <typename V>
SATIN_INLINE void weightTransform(const V g[3], V u[6]) {
  const V near = g[0] + 0.5f * g[2], far = g[0] + 2.0f * g[2];
  u[0] = g[0];
  u[1] = (near + kRoot / 2 * g[1]) * (-2.0f / 3);
  u[2] = (near - kRoot / 2 * g[1]) * (-2.0f / 3);
  u[3] = (far + kRoot * g[1]) * (1.0f / 6);
  u[4] = (far - kRoot * g[1]) * (1.0f / 6);
  u[5] = g[2];
}

// Aᵀ m, from six numbers to four
template <typename V>
SATIN_INLINE void outputTransform(const V m[6], V y[4]) {
  const V sum = m[1] + m[2], difference = m[1] - m[2], farSum = m[3] + m[4], farDifference = m[3] - m[4];
  y[0] = m[0] + sum + farSum;
  y[1] = kRoot / 2 * difference + kRoot * farDifference;
  y[2] = 0.5f * sum + 2.0f * farSum;
  y[3] = kRoot / 4 * difference + 2 * kRoot * farDifference + m[5];
}

// A y, from four numbers to six
template <typename V>
SATIN_INLINE void outputTransposed(const V y[4], V m[6]) {
  const V even = y[0] + 0.5f * y[2], odd = kRoot / 2 * y[1] + kRoot / 4 * y[3];
  const V farEven = y[0] + 2.0f * y[2], farOdd = kRoot * y[1] + 2 * kRoot * y[3];
  m[0] = y[0];
  m[1] = even + odd;
  m[2] = even - odd;
  m[3] = farEven + farOdd;
  m[4] = farEven - farOdd;
  m[5] = y[3];
}

// Gᵀ u, from six numbers to three
template <typename V>
SATIN_INLINE void weightTransposed(const V u[6], V g[3]) {
  const V sum = u[1] + u[2], difference = u[1] - u[2], farSum = u[3] + u[4], farDifference = u[3] - u[4];
  g[0] = u[0] + (1.0f / 6) * farSum - (2.0f / 3) * sum;
  g[1] = kRoot / 6 * farDifference - kRoot / 3 * difference;
  g[2] = u[5] + (1.0f / 3) * (farSum - sum);
}

struct Place {
  int64_t image, row, column;  // of a tile's first output
};

SATIN_INLINE Place placeOf(const ConvolutionShape& shape, int64_t tile) {
  const int64_t across = shape.tilesAcross(), line = tile / across;
  return {line / shape.tilesDown(), line % shape.tilesDown() * 4, (tile - line * across) * 4};
}

// The 6x6 inputs around a tile → 36 points x inputs, each point `stride` numbers after the one before. `zeros` replaces
// positions outside the image.
template <int lanes>
SATIN_INLINE void transformInput(const ConvolutionShape& shape, const float* x, const Place& place, const float* zeros, int64_t stride,
                                 float* to) {
  const float* at[6][6];
  const float* image = x + place.image * shape.height * shape.width * shape.inputs;
  for (int row = 0; row < 6; row++) {
    const int64_t r = place.row - 1 + row;
    const bool rowInside = r >= 0 && r < shape.height;
    for (int column = 0; column < 6; column++) {
      const int64_t c = place.column - 1 + column;
      at[row][column] = rowInside && c >= 0 && c < shape.width ? image + (r * shape.width + c) * shape.inputs : zeros;
    }
  }
  for (int64_t channel = 0; channel < shape.inputs; channel += lanes) {
    Vec<lanes> half[6][6];
    for (int column = 0; column < 6; column++) {
      Vec<lanes> d[6], t[6];
      for (int row = 0; row < 6; row++) d[row] = load<lanes>(at[row][column] + channel);
      inputTransform(d, t);
      for (int row = 0; row < 6; row++) half[row][column] = t[row];
    }
    for (int row = 0; row < 6; row++) {
      Vec<lanes> t[6];
      inputTransform(half[row], t);
      for (int column = 0; column < 6; column++) store<lanes>(to + (row * 6 + column) * stride + channel, t[column]);
    }
  }
}

// Images of more bytes come from memory. Tiles are asked for while the products before them are computed, in which memory has
// nothing to do: for 16 channels that saves a fifth of the time.
constexpr int64_t kCachedBytes = 1 << 20;

SATIN_INLINE bool isCached(const ConvolutionShape& shape) {
  return 4 * shape.images * shape.height * shape.width * (shape.inputs + shape.outputs) <= kCachedBytes;
}

// Asks for the 4x4 places of a tile: to read them, or to write them.
template <bool write>
SATIN_INLINE void prefetchTile(const ConvolutionShape& shape, const float* images, int64_t channels, const Place& place) {
  const int64_t rows = std::min<int64_t>(4, shape.height - place.row), columns = std::min<int64_t>(4, shape.width - place.column);
  const float* corner = images + ((place.image * shape.height + place.row) * shape.width + place.column) * channels;
  constexpr int64_t line = 16;  // numbers of one of the cache's
  for (int64_t row = 0; row < rows; row++)
    for (int64_t at = 0; at < columns * channels; at += line) __builtin_prefetch(corner + row * shape.width * channels + at, write ? 1 : 0, 2);
}

}  // namespace satin
