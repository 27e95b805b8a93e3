#include "winograd_gradient_kernel.h"

#include <algorithm>

#include "winograd_transforms.h"

namespace satin {
namespace {

// Tiles that are worked on together: more where the sums, which are read and written once for them, are large.
int64_t tilesAtOnce(const ConvolutionShape& shape, int64_t outputs) { return shape.inputs + outputs <= 128 ? 64 : 128; }

// From one point's transforms of so many tiles to the next: no multiple of a page.
int64_t pointStride(int64_t tiles, int64_t channels) { return tiles * channels + 16; }

// The 4x4 output gradients of a tile → 36 points x outputs; zeros replace what reaches over the edge.
template <int lanes>
SATIN_INLINE void transformGradient(const ConvolutionShape& shape, const float* dy, const Place& place, Range outputs, int64_t stride, float* to) {
  const int64_t rows = std::min<int64_t>(4, shape.height - place.row), columns = std::min<int64_t>(4, shape.width - place.column);
  const float* corner = dy + ((place.image * shape.height + place.row) * shape.width + place.column) * shape.outputs;
  for (int64_t channel = outputs.begin; channel < outputs.end; channel += lanes) {
    Vec<lanes> half[6][4];
    for (int column = 0; column < 4; column++) {
      Vec<lanes> y[4] = {}, m[6];
      for (int row = 0; row < 4; row++)
        if (row < rows && column < columns) y[row] = load<lanes>(corner + (row * shape.width + column) * shape.outputs + channel);
      outputTransposed(y, m);
      for (int row = 0; row < 6; row++) half[row][column] = m[row];
    }
    for (int row = 0; row < 6; row++) {
      Vec<lanes> m[6];
      outputTransposed(half[row], m);
      for (int column = 0; column < 6; column++) store<lanes>(to + (row * 6 + column) * stride + channel - outputs.begin, m[column]);
    }
  }
}

// Adds to some rows and vectors of one point's sums the products of some tiles, added up before, so that a sum over many tiles
// rounds little.
template <int lanes, int rows, int vectors>
SATIN_INLINE void addProducts(int64_t tiles, const float* gradients, int64_t outputs, const float* inputs, int64_t channels, float* sums) {
  Vec<lanes> sum[rows][vectors] = {};
  for (int64_t tile = 0; tile < tiles; tile++) {
    Vec<lanes> input[vectors];
    for (int v = 0; v < vectors; v++) input[v] = load<lanes>(inputs + tile * channels + v * lanes);
    for (int row = 0; row < rows; row++) {
      const float number = gradients[tile * outputs + row];
      for (int v = 0; v < vectors; v++) sum[row][v] += number * input[v];
    }
  }
  for (int row = 0; row < rows; row++)
    for (int v = 0; v < vectors; v++) {
      float* to = sums + row * channels + v * lanes;
      store<lanes>(to, load<lanes>(to) + sum[row][v]);
    }
}

template <int lanes, int rows, int vectors>
SATIN_INLINE void addPoint(int64_t tiles, const float* gradients, int64_t outputs, const float* inputs, int64_t channels, float* sums) {
  for (int64_t output = 0; output < outputs; output += rows)
    for (int64_t channel = 0; channel < channels; channel += vectors * lanes)
      addProducts<lanes, rows, vectors>(tiles, gradients + output, outputs, inputs + channel, channels, sums + output * channels + channel);
}

template <int lanes>
SATIN_INLINE void sumTiles(const ConvolutionShape& shape, const float* x, const float* dy, Range tiles, Range outputs, float* scratch, float* sums) {
  const int64_t count = outputs.end - outputs.begin, atOnce = tilesAtOnce(shape, count);
  const int64_t inputStride = pointStride(atOnce, shape.inputs), gradientStride = pointStride(atOnce, count);
  float* zeros = scratch;
  float* inputs = zeros + shape.inputs;
  float* gradients = inputs + kPoints * inputStride;
  std::fill(zeros, inputs, 0.0f);
  std::fill(sums, sums + winogradSumCount(shape, count), 0.0f);
  const bool ahead = !isCached(shape);
  for (int64_t first = tiles.begin; first < tiles.end; first += atOnce) {
    const int64_t some = std::min(atOnce, tiles.end - first);
    for (int64_t tile = 0; tile < some; tile++) {
      const Place place = placeOf(shape, first + tile);
      transformInput<lanes>(shape, x, place, zeros, inputStride, inputs + tile * shape.inputs);
      transformGradient<lanes>(shape, dy, place, outputs, gradientStride, gradients + tile * count);
    }
    for (int point = 0; point < kPoints; point++) {
      if (ahead) {
        const Range next = partOf(std::min(atOnce, tiles.end - first - some), point, kPoints);
        for (int64_t tile = first + some + next.begin; tile < first + some + next.end; tile++) {
          const Place place = placeOf(shape, tile);
          prefetchTile<false>(shape, x, shape.inputs, place);
          prefetchTile<false>(shape, dy, shape.outputs, place);
        }
      }
      const float *dPoint = gradients + point * gradientStride, *xPoint = inputs + point * inputStride;
      float* to = sums + point * winogradSumStride(shape, count);
      if constexpr (lanes < 16) {
        addPoint<lanes, 4, 2>(some, dPoint, count, xPoint, shape.inputs, to);
      } else if (shape.inputs % (2 * lanes) == 0) {
        addPoint<lanes, 8, 2>(some, dPoint, count, xPoint, shape.inputs, to);
      } else {
        addPoint<lanes, 16, 1>(some, dPoint, count, xPoint, shape.inputs, to);
      }
    }
  }
}

template <int lanes>
SATIN_INLINE void transformSums(const ConvolutionShape& shape, const float* sums, int64_t parts, int64_t partStride, int64_t outputs, Range rows,
                                float* gradient) {
  const int64_t stride = winogradSumStride(shape, outputs);
  for (int64_t output = rows.begin; output < rows.end; output++)
    for (int64_t channel = 0; channel < shape.inputs; channel += lanes) {
      const float* from = sums + output * shape.inputs + channel;
      Vec<lanes> half[3][6];
      for (int column = 0; column < 6; column++) {
        Vec<lanes> u[6], g[3];
        for (int row = 0; row < 6; row++) {
          const float* point = from + (row * 6 + column) * stride;
          u[row] = load<lanes>(point);
          for (int64_t part = 1; part < parts; part++) u[row] += load<lanes>(point + part * partStride);
        }
        weightTransposed(u, g);
        for (int row = 0; row < 3; row++) half[row][column] = g[row];
      }
      for (int row = 0; row < 3; row++) {
        Vec<lanes> g[3];
        weightTransposed(half[row], g);
        for (int column = 0; column < 3; column++) store<lanes>(gradient + ((output * 3 + row) * 3 + column) * shape.inputs + channel, g[column]);
      }
    }
}

// One binary serves every processor.
#define SATIN_GRADIENT_CODE(name, target, lanes)                                                                                      \
  target void sums##name(const ConvolutionShape& shape, const float* x, const float* dy, Range tiles, Range outputs, float* scratch,  \
                         float* sums) {                                                                                               \
    sumTiles<lanes>(shape, x, dy, tiles, outputs, scratch, sums);                                                                     \
  }                                                                                                                                   \
  target void weights##name(const ConvolutionShape& shape, const float* sums, int64_t parts, int64_t partStride, int64_t outputs,     \
                            Range rows, float* gradient) {                                                                            \
    transformSums<lanes>(shape, sums, parts, partStride, outputs, rows, gradient);                                                    \
  }
#if defined(__x86_64__)
SATIN_GRADIENT_CODE(16, SATIN_AVX512, 16)
SATIN_GRADIENT_CODE(8, SATIN_AVX2, 8)
#endif
SATIN_GRADIENT_CODE(4, , 4)

struct Code {
  decltype(&sums4) sums;
  decltype(&weights4) weights;
};

Code code() {
#if defined(__x86_64__)
  if (vectorLanes() == 16) return {sums16, weights16};
  if (vectorLanes() == 8) return {sums8, weights8};
#endif
  return {sums4, weights4};
}

}  // namespace

int64_t winogradSumStride(const ConvolutionShape& shape, int64_t outputs) { return shape.inputs * outputs + 16; }

int64_t winogradSumCount(const ConvolutionShape& shape, int64_t outputs) { return kPoints * winogradSumStride(shape, outputs); }

int64_t winogradSumScratch(const ConvolutionShape& shape, int64_t outputs) {
  const int64_t tiles = tilesAtOnce(shape, outputs);
  return shape.inputs + kPoints * (pointStride(tiles, shape.inputs) + pointStride(tiles, outputs));
}

void winogradSums(const ConvolutionShape& shape, const float* x, const float* dy, Range tiles, Range outputs, float* scratch, float* sums) {
  code().sums(shape, x, dy, tiles, outputs, scratch, sums);
}

void winogradWeightGradient(const ConvolutionShape& shape, const float* sums, int64_t parts, int64_t partStride, int64_t outputs, Range rows,
                            float* gradient) {
  code().weights(shape, sums, parts, partStride, outputs, rows, gradient);
}

}  // namespace satin
