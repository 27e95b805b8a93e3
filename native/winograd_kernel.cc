#include "winograd_kernel.h"

#include <algorithm>

#include "winograd_transforms.h"

namespace satin {
namespace {

// From one point's weights to the next: no multiple of a page, or all 36 would share a few lines of the cache.
int64_t matrixStride(const ConvolutionShape& shape) { return shape.inputs * shape.outputs + 16; }

// Transformed weights lie [point][panel of outputs][input][output within the panel]: a panel is as many vectors as the
// product keeps in registers.
template <int lanes>
int64_t panelOf(int64_t outputs) {
  if (lanes < 16) return 2 * lanes;
  return outputs % (4 * lanes) == 0 ? 4 * lanes : outputs % (2 * lanes) == 0 ? 2 * lanes : lanes;
}

template <int lanes>
SATIN_INLINE void transformWeights(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed) {
  const int64_t panel = panelOf<lanes>(shape.outputs), matrix = matrixStride(shape);
  for (int64_t output = 0; output < shape.outputs; output += lanes)
    for (int64_t input = begin; input < end; input++) {
      const float* first = weight.first + input * weight.input + output * weight.output;
      Vec<lanes> half[6][3];
      for (int column = 0; column < 3; column++) {
        Vec<lanes> g[3], u[6];
        for (int row = 0; row < 3; row++) {
          float numbers[lanes];
          for (int lane = 0; lane < lanes; lane++) numbers[lane] = first[lane * weight.output + row * weight.row + column * weight.column];
          g[row] = load<lanes>(numbers);
        }
        weightTransform(g, u);
        for (int row = 0; row < 6; row++) half[row][column] = u[row];
      }
      float* to = transformed + output / panel * panel * shape.inputs + input * panel + output % panel;
      for (int row = 0; row < 6; row++) {
        Vec<lanes> u[6];
        weightTransform(half[row], u);
        for (int column = 0; column < 6; column++) store<lanes>(to + (row * 6 + column) * matrix, u[column]);
      }
    }
}

// 36 points x outputs → the 4x4 outputs of a tile
template <int lanes>
SATIN_INLINE void transformOutput(const ConvolutionShape& shape, Range outputs, const float* from, const Place& place, int64_t origin, float* y) {
  const int64_t rows = std::min<int64_t>(4, shape.height - place.row), columns = std::min<int64_t>(4, shape.width - place.column);
  float* corner = y + (((place.image * shape.height + place.row) * shape.width + place.column) * shape.outputs - origin);
  for (int64_t channel = outputs.begin; channel < outputs.end; channel += lanes) {
    Vec<lanes> half[4][6];
    for (int column = 0; column < 6; column++) {
      Vec<lanes> m[6], t[4];
      for (int row = 0; row < 6; row++) m[row] = load<lanes>(from + (row * 6 + column) * shape.outputs + channel);
      outputTransform(m, t);
      for (int row = 0; row < 4; row++) half[row][column] = t[row];
    }
    for (int row = 0; row < 4; row++) {
      Vec<lanes> t[4];
      outputTransform(half[row], t);
      float* to = corner + row * shape.width * shape.outputs + channel;
      for (int column = 0; column < 4; column++)
        if (row < rows && column < columns) store<lanes>(to + column * shape.outputs, t[column]);
    }
  }
}

// `tiles` rows of inputs times one panel of weights. Each sum runs over the inputs in order, however many tiles there
// are. `fixed` is the number of inputs if known at compile time: then no tile needs a separate address.
template <int lanes, int tiles, int vectors, int fixed>
SATIN_INLINE void multiply(int64_t inputs, const float* from, const float* panel, float* to, int64_t toStride) {
  const int64_t count = fixed > 0 ? fixed : inputs;
  Vec<lanes> sums[tiles][vectors] = {};
  for (int64_t input = 0; input < count; input++) {
    Vec<lanes> weight[vectors];
    for (int v = 0; v < vectors; v++) weight[v] = load<lanes>(panel + (input * vectors + v) * lanes);
    for (int tile = 0; tile < tiles; tile++) {
      const float number = from[tile * kPoints * count + input];
      for (int v = 0; v < vectors; v++) sums[tile][v] += number * weight[v];
    }
  }
  for (int tile = 0; tile < tiles; tile++)
    for (int v = 0; v < vectors; v++) store<lanes>(to + tile * toStride + v * lanes, sums[tile][v]);
}

// Fewer than `tiles` rows, all at once, so that the panel is read once.
template <int lanes, int tiles, int vectors, int fixed>
SATIN_INLINE void multiplyRest(int64_t count, int64_t inputs, const float* from, const float* panel, float* to, int64_t toStride) {
  if constexpr (tiles > 1) {
    if (count == tiles - 1) multiply<lanes, tiles - 1, vectors, fixed>(inputs, from, panel, to, toStride);
    else multiplyRest<lanes, tiles - 1, vectors, fixed>(count, inputs, from, panel, to, toStride);
  }
}

// The same for `count` rows and some panels: `tiles` rows at once as long as there are so many, then what is left.
template <int lanes, int tiles, int vectors, int fixed = 0>
SATIN_INLINE void multiplyPanels(const ConvolutionShape& shape, Range outputs, int64_t count, const float* from, const float* weights, float* to) {
  const int64_t fromStride = kPoints * shape.inputs, toStride = kPoints * shape.outputs;
  for (int64_t output = outputs.begin; output < outputs.end; output += vectors * lanes) {
    const float* panel = weights + output * shape.inputs;
    int64_t tile = 0;
    for (; tile + tiles <= count; tile += tiles)
      multiply<lanes, tiles, vectors, fixed>(shape.inputs, from + tile * fromStride, panel, to + tile * toStride + output, toStride);
    multiplyRest<lanes, tiles, vectors, fixed>(count - tile, shape.inputs, from + tile * fromStride, panel, to + tile * toStride + output, toStride);
  }
}

// Tiles that are worked on together: a multiple of what the products take at once.
constexpr int64_t kBlock = 48;

template <int lanes>
SATIN_INLINE void convolveTiles(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, Range tiles,
                                Range outputs, float* scratch, int64_t origin, float* y) {
  float* zeros = scratch;
  float* inputs = zeros + shape.inputs;
  float* products = inputs + kBlock * kPoints * shape.inputs;
  std::fill(zeros, inputs, 0.0f);
  const int64_t panel = panelOf<lanes>(shape.outputs);
  const auto placeAt = [&](int64_t at) { return placeOf(shape, list == nullptr ? at : list[at]); };
  const bool ahead = list == nullptr && !isCached(shape);
  for (int64_t first = tiles.begin; first < tiles.end; first += kBlock) {
    const int64_t count = std::min(kBlock, tiles.end - first);
    for (int64_t tile = 0; tile < count; tile++)
      transformInput<lanes>(shape, x, placeAt(first + tile), zeros, shape.inputs, inputs + tile * kPoints * shape.inputs);
    for (int point = 0; point < kPoints; point++) {
      if (ahead) {
        const Range some = partOf(count, point, kPoints);
        for (int64_t tile = first + some.begin; tile < first + some.end; tile++) {
          prefetchTile<true>(shape, y - origin, shape.outputs, placeAt(tile));
          if (tile + kBlock < tiles.end) prefetchTile<false>(shape, x, shape.inputs, placeAt(tile + kBlock));
        }
      }
      const float* from = inputs + point * shape.inputs;
      const float* weights = transformed + point * matrixStride(shape);
      float* to = products + point * shape.outputs;
      if constexpr (lanes < 16) {
        multiplyPanels<lanes, 6, 2>(shape, outputs, count, from, weights, to);
      } else if (panel == 4 * lanes) {
        multiplyPanels<lanes, 6, 4>(shape, outputs, count, from, weights, to);
      } else if (shape.inputs == 32 && panel == 2 * lanes) {
        multiplyPanels<lanes, 12, 2, 32>(shape, outputs, count, from, weights, to);
      } else if (panel == 2 * lanes) {
        multiplyPanels<lanes, 6, 2>(shape, outputs, count, from, weights, to);
      } else if (shape.inputs == 16) {
        multiplyPanels<lanes, 16, 1, 16>(shape, outputs, count, from, weights, to);
      } else {
        multiplyPanels<lanes, 6, 1>(shape, outputs, count, from, weights, to);
      }
    }
    for (int64_t tile = 0; tile < count; tile++)
      transformOutput<lanes>(shape, outputs, products + tile * kPoints * shape.outputs, placeAt(first + tile), origin, y);
  }
}

// One binary serves every processor.
#if defined(__x86_64__)
SATIN_AVX512 void weights16(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed) {
  transformWeights<16>(shape, weight, begin, end, transformed);
}
SATIN_AVX512 void tiles16(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, Range tiles, Range outputs, float* scratch,
             int64_t origin, float* y) {
  convolveTiles<16>(shape, x, transformed, list, tiles, outputs, scratch, origin, y);
}
SATIN_AVX2 void weights8(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed) {
  transformWeights<8>(shape, weight, begin, end, transformed);
}
SATIN_AVX2 void tiles8(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, Range tiles, Range outputs, float* scratch,
             int64_t origin, float* y) {
  convolveTiles<8>(shape, x, transformed, list, tiles, outputs, scratch, origin, y);
}
#endif
void weights4(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed) {
  transformWeights<4>(shape, weight, begin, end, transformed);
}
void tiles4(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, Range tiles, Range outputs, float* scratch,
             int64_t origin, float* y) {
  convolveTiles<4>(shape, x, transformed, list, tiles, outputs, scratch, origin, y);
}

struct Code {
  decltype(&weights4) weights;
  decltype(&tiles4) tiles;
  decltype(&panelOf<4>) panel;
};

Code code() {
#if defined(__x86_64__)
  if (vectorLanes() == 16) return {weights16, tiles16, panelOf<16>};
  if (vectorLanes() == 8) return {weights8, tiles8, panelOf<8>};
#endif
  return {weights4, tiles4, panelOf<4>};
}

}  // namespace

bool winogradServes(int64_t inputs, int64_t outputs) { return inputs % 16 == 0 && outputs % 16 == 0; }

int64_t winogradWeightCount(const ConvolutionShape& shape) { return kPoints * matrixStride(shape); }

int64_t winogradScratch(const ConvolutionShape& shape) {
  return shape.inputs + kBlock * kPoints * (shape.inputs + shape.outputs);
}

void winogradWeights(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed) {
  code().weights(shape, weight, begin, end, transformed);
}

int64_t winogradPanel(int64_t outputs) { return code().panel(outputs); }

void winogradTiles(const ConvolutionShape& shape, const float* x, const float* transformed, Range tiles, Range outputs, float* scratch,
                   int64_t origin, float* y) {
  code().tiles(shape, x, transformed, nullptr, tiles, outputs, scratch, origin, y);
}

void winogradTileList(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, int64_t count,
                      float* scratch, float* y) {
  code().tiles(shape, x, transformed, list, {0, count}, {0, shape.outputs}, scratch, 0, y);
}

}  // namespace satin
