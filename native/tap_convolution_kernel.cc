#include "tap_convolution_kernel.h"

#include <algorithm>

#include "vectors.h"

namespace satin {
namespace {

// Places that are worked on together, so that a panel of weights is read from the cache.
constexpr int64_t kBlock = 48;

// So few outputs, as of the gradient of an image, would leave most lanes of a vector of outputs empty.
constexpr int kNarrow = 4;

// Whether lanes run over inputs, of which there are whole vectors.
bool isNarrow(const TapConvolution& shape) { return shape.groups == 1 && shape.outputs <= kNarrow && shape.inputs % 8 == 0; }

// As many as the processor has, or half as many where the others would be empty.
int lanesOf(const TapConvolution& shape) {
  const bool half = shape.groups > 1 ? shape.outputs % 16 != 0 : isNarrow(shape) ? shape.inputs % 16 != 0 : shape.outputs <= 8;
  return half ? std::min(8, vectorLanes()) : vectorLanes();
}

// The places of a block: where each of their taps reads, and where they write.
struct Block {
  const float** from;  // [place][tap]
  float* to[kBlock];
};

// How far the taps reach, and what lies between each and the first input of its place.
struct Reach {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  std::vector<int64_t> offsets;
};

Reach reachOf(const TapConvolution& shape) {
  Reach reach;
  for (const Tap& tap : shape.taps) {
    reach.top = std::min(reach.top, tap.row);
    reach.bottom = std::max(reach.bottom, tap.row);
    reach.left = std::min(reach.left, tap.column);
    reach.right = std::max(reach.right, tap.column);
    reach.offsets.push_back((tap.row * shape.inputWidth + tap.column) * shape.inputs);
  }
  return reach;
}

SATIN_INLINE void locate(const TapConvolution& shape, const Reach& reach, const float* x, int64_t begin, int64_t count, const float* zeros,
                         float* y, Block& block) {
  // Places are counted on from the first, and most reach no edge: with a division for each place, or a comparison for each tap,
  // this would take as long as the products of few channels.
  const int64_t taps = static_cast<int64_t>(shape.taps.size()), across = shape.columns.count;
  int64_t image = begin / shape.places(), row = begin % shape.places() / across, column = begin % across;
  for (int64_t place = 0; place < count; place++) {
    const int64_t r = row * shape.stride, c = column * shape.stride;
    const float* corner = x + ((image * shape.inputHeight + r) * shape.inputWidth + c) * shape.inputs;
    const float** from = block.from + place * taps;
    if (r + reach.top >= 0 && r + reach.bottom < shape.inputHeight && c + reach.left >= 0 && c + reach.right < shape.inputWidth) {
      for (int64_t tap = 0; tap < taps; tap++) from[tap] = corner + reach.offsets[tap];
    } else {
      for (int64_t tap = 0; tap < taps; tap++) {
        const int64_t tapRow = r + shape.taps[tap].row, tapColumn = c + shape.taps[tap].column;
        const bool inside = tapRow >= 0 && tapRow < shape.inputHeight && tapColumn >= 0 && tapColumn < shape.inputWidth;
        from[tap] = inside ? corner + reach.offsets[tap] : zeros;
      }
    }
    block.to[place] = y + ((image * shape.outputHeight + shape.rows.first + row * shape.rows.step) * shape.outputWidth +
                           shape.columns.first + column * shape.columns.step) * shape.outputs;
    if (++column < across) continue;
    column = 0;
    if (++row < shape.rows.count) continue;
    row = 0;
    image++;
  }
}

// The inputs of a panel of outputs: all, or those of its group.
struct Inputs {
  int64_t begin, end;
};

// `places` places times one panel of weights. Each sum runs over taps and inputs in order, however many places there are.
template <int lanes, int places, int vectors>
SATIN_INLINE void multiply(const TapConvolution& shape, const Block& block, int64_t first, const float* panel, const Inputs& inputs, int64_t output) {
  Vec<lanes> sums[places][vectors] = {};
  const std::size_t taps = shape.taps.size();
  for (std::size_t tap = 0; tap < taps; tap++) {
    const float* const* from = block.from + first * taps + tap;
    for (int64_t input = inputs.begin; input < inputs.end; input++, panel += vectors * lanes) {
      Vec<lanes> weight[vectors];
      for (int v = 0; v < vectors; v++) weight[v] = load<lanes>(panel + v * lanes);
      for (int place = 0; place < places; place++) {
        const float number = from[place * taps][input];
        for (int v = 0; v < vectors; v++) sums[place][v] += number * weight[v];
      }
    }
  }
  for (int place = 0; place < places; place++) {
    float* to = block.to[first + place] + output;
    if (output + vectors * lanes <= shape.outputs) {
      for (int v = 0; v < vectors; v++) store<lanes>(to + v * lanes, sums[place][v]);
    } else {
      float numbers[vectors * lanes];
      for (int v = 0; v < vectors; v++) store<lanes>(numbers + v * lanes, sums[place][v]);
      std::copy(numbers, numbers + shape.outputs - output, to);
    }
  }
}

template <int lanes, int places, int vectors>
SATIN_INLINE void multiplyPanels(const TapConvolution& shape, const Block& block, int64_t count, const float* packed) {
  const int64_t groupInputs = shape.groupInputs(), groupOutputs = shape.groupOutputs();
  const int64_t panelSize = static_cast<int64_t>(shape.taps.size()) * groupInputs * vectors * lanes;
  for (int64_t output = 0; output < shape.outputs; output += vectors * lanes, packed += panelSize) {
    const int64_t begin = output / groupOutputs * groupInputs;
    const Inputs inputs = {begin, begin + groupInputs};
    int64_t place = 0;
    for (; place + places <= count; place += places) multiply<lanes, places, vectors>(shape, block, place, packed, inputs, output);
    for (; place + 2 <= count; place += 2) multiply<lanes, 2, vectors>(shape, block, place, packed, inputs, output);
    for (; place < count; place++) multiply<lanes, 1, vectors>(shape, block, place, packed, inputs, output);
  }
}

// In each lane number `member` of the lane's group.
template <int lanes, int group>
SATIN_INLINE Vec<lanes> ofGroup(const Vec<lanes>& numbers, int member) {
  if constexpr (group == 1) return numbers;
  typename Vector<lanes>::Lanes from;
  for (int lane = 0; lane < lanes; lane++) from[lane] = lane / group * group + member;
  return permuted<lanes>(numbers, from);
}

// `places` places of one vector of outputs, whose inputs are the same channels: small groups.
template <int lanes, int places, int group>
SATIN_INLINE void multiplyGroups(const TapConvolution& shape, const Block& block, int64_t first, const float* panel, int64_t output) {
  Vec<lanes> sums[places] = {};
  const std::size_t taps = shape.taps.size();
  for (std::size_t tap = 0; tap < taps; tap++) {
    const float* const* from = block.from + first * taps + tap;
    Vec<lanes> numbers[places];
    for (int place = 0; place < places; place++) numbers[place] = load<lanes>(from[place * taps] + output);
#pragma GCC unroll 8
    for (int member = 0; member < group; member++, panel += lanes) {
      const Vec<lanes> weight = load<lanes>(panel);
      for (int place = 0; place < places; place++) sums[place] += ofGroup<lanes, group>(numbers[place], member) * weight;
    }
  }
  for (int place = 0; place < places; place++) store<lanes>(block.to[first + place] + output, sums[place]);
}

template <int lanes, int places, int group>
SATIN_INLINE void multiplySmallGroups(const TapConvolution& shape, const Block& block, int64_t count, const float* packed) {
  if (shape.groupInputs() > group) {
    if constexpr (2 * group < lanes) multiplySmallGroups<lanes, places, 2 * group>(shape, block, count, packed);
    return;
  }
  const int64_t panelSize = static_cast<int64_t>(shape.taps.size()) * group * lanes;
  for (int64_t output = 0; output < shape.outputs; output += lanes, packed += panelSize) {
    int64_t place = 0;
    for (; place + places <= count; place += places) multiplyGroups<lanes, places, group>(shape, block, place, packed, output);
    for (; place < count; place++) multiplyGroups<lanes, 1, group>(shape, block, place, packed, output);
  }
}

// Σ of the lanes of each of four vectors, always in the same order.
template <int lanes>
SATIN_INLINE void laneSums(const Vec<lanes> vectors[4], float sums[4]) {
  float numbers[4][lanes], quarters[4][4];
  for (int each = 0; each < 4; each++) {
    store<lanes>(numbers[each], vectors[each]);
    Vec<4> sum = load<4>(numbers[each]);
    for (int lane = 4; lane < lanes; lane += 4) sum += load<4>(numbers[each] + lane);
    for (int lane = 0; lane < 4; lane++) quarters[lane][each] = sum[lane];
  }
  const Vec<4> even = load<4>(quarters[0]) + load<4>(quarters[2]), odd = load<4>(quarters[1]) + load<4>(quarters[3]);
  store<4>(sums, even + odd);
}

// `places` places of few outputs: lanes run over inputs, and are added up in the end.
template <int lanes, int places, int outputs>
SATIN_INLINE void multiplyPlaces(const TapConvolution& shape, const Block& block, int64_t first, const float* packed) {
  Vec<lanes> sums[places][outputs] = {};
  const std::size_t taps = shape.taps.size();
  for (std::size_t tap = 0; tap < taps; tap++) {
    const float* const* from = block.from + first * taps + tap;
    for (int64_t input = 0; input < shape.inputs; input += lanes, packed += outputs * lanes) {
      Vec<lanes> weight[outputs];
      for (int output = 0; output < outputs; output++) weight[output] = load<lanes>(packed + output * lanes);
      for (int place = 0; place < places; place++) {
        const Vec<lanes> numbers = load<lanes>(from[place * taps] + input);
        for (int output = 0; output < outputs; output++) sums[place][output] += numbers * weight[output];
      }
    }
  }
  for (int output = 0; output < outputs; output++) {
    Vec<lanes> some[4] = {};
    float totals[4];
    for (int place = 0; place < places; place++) some[place] = sums[place][output];
    laneSums<lanes>(some, totals);
    for (int place = 0; place < places; place++) block.to[first + place][output] = totals[place];
  }
}

template <int lanes, int places, int outputs>
SATIN_INLINE void multiplyNarrow(const TapConvolution& shape, const Block& block, int64_t count, const float* packed) {
  if (shape.outputs < outputs) {
    if constexpr (outputs > 1) multiplyNarrow<lanes, places, outputs - 1>(shape, block, count, packed);
    return;
  }
  int64_t place = 0;
  for (; place + places <= count; place += places) multiplyPlaces<lanes, places, outputs>(shape, block, place, packed);
  for (; place < count; place++) multiplyPlaces<lanes, 1, outputs>(shape, block, place, packed);
}

// Vectors of a panel: as many as the product keeps in registers, and no more than there are outputs for.
template <int lanes>
int64_t vectorsOf(int64_t outputs) {
  const int64_t wanted = (outputs + lanes - 1) / lanes;
  return std::min<int64_t>(wanted >= 3 && lanes == 16 ? 4 : wanted, lanes == 16 ? 4 : 2);
}

template <int lanes>
SATIN_INLINE void convolve(const TapConvolution& shape, const float* x, const float* packed, int64_t begin, int64_t end, const float* zeros, float* y) {
  std::vector<const float*> pointers(shape.taps.size() * kBlock);
  Block block = {pointers.data(), {}};
  const Reach reach = reachOf(shape);
  const int64_t vectors = vectorsOf<lanes>(shape.groupOutputs());
  for (int64_t first = begin; first < end; first += kBlock) {
    const int64_t count = std::min(kBlock, end - first);
    locate(shape, reach, x, first, count, zeros, y, block);
    if (isNarrow(shape)) multiplyNarrow<lanes, 4, kNarrow>(shape, block, count, packed);
    else if (shape.groups > 1 && shape.groupInputs() < lanes) multiplySmallGroups<lanes, lanes == 16 ? 12 : 6, 1>(shape, block, count, packed);
    else if (vectors == 1) multiplyPanels<lanes, 12, 1>(shape, block, count, packed);
    else if (vectors == 2) multiplyPanels<lanes, 6, 2>(shape, block, count, packed);
    else if constexpr (lanes == 16) multiplyPanels<lanes, 6, 4>(shape, block, count, packed);
  }
}

#if defined(__x86_64__)
SATIN_AVX512 void convolve16(const TapConvolution& shape, const float* x, const float* packed, int64_t begin, int64_t end, const float* zeros, float* y) {
  convolve<16>(shape, x, packed, begin, end, zeros, y);
}
SATIN_AVX2 void convolve8(const TapConvolution& shape, const float* x, const float* packed, int64_t begin, int64_t end, const float* zeros, float* y) {
  convolve<8>(shape, x, packed, begin, end, zeros, y);
}
#endif

}  // namespace

TapLayout tapLayout(const TapConvolution& shape) {
  if (isNarrow(shape)) return {shape.outputs, lanesOf(shape)};
  switch (lanesOf(shape)) {
    case 16: return {16 * vectorsOf<16>(shape.groupOutputs()), 1};
    case 8: return {8 * vectorsOf<8>(shape.groupOutputs()), 1};
    default: return {4 * vectorsOf<4>(shape.groupOutputs()), 1};
  }
}

int64_t tapWeightCount(const TapConvolution& shape) {
  const int64_t panel = tapLayout(shape).outputs, panels = (shape.outputs + panel - 1) / panel;
  return panels * panel * static_cast<int64_t>(shape.taps.size()) * shape.groupInputs();
}

void convolveByTaps(const TapConvolution& shape, const float* x, const float* packed, int64_t begin, int64_t end, const float* zeros,
                    float* y) {
#if defined(__x86_64__)
  const int lanes = lanesOf(shape);
  if (lanes == 16) return convolve16(shape, x, packed, begin, end, zeros, y);
  if (lanes == 8) return convolve8(shape, x, packed, begin, end, zeros, y);
#endif
  convolve<4>(shape, x, packed, begin, end, zeros, y);
}

}  // namespace satin
