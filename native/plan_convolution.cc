#include "plan_convolution.h"

#include <algorithm>

namespace satin {
namespace {

// The whole output from windows of the input.
TapConvolution forwardLattice(const Geometry& g) {
  TapConvolution lattice{g.height, g.width, g.inputs, g.outHeight, g.outWidth, g.outputs, g.groups, {0, 1, g.outHeight}, {0, 1, g.outWidth}, g.stride, {}};
  for (int64_t row = 0; row < g.kernel; row++)
    for (int64_t column = 0; column < g.kernel; column++) lattice.taps.push_back({row - g.top, column - g.left});
  return lattice;
}

int64_t remainder(int64_t number, int64_t divisor) { return ((number % divisor) + divisor) % divisor; }

// Of the input's gradient the rows `row`, `row + stride`, ... and columns alike: those that the same elements of a window reach.
// `elements` gets their numbers, row · kernel + column, in the order of the taps.
TapConvolution backLattice(const Geometry& g, int64_t row, int64_t column, std::vector<int64_t>& elements) {
  const auto countOf = [&](int64_t first, int64_t size) { return (size - first + g.stride - 1) / g.stride; };
  TapConvolution lattice{g.outHeight, g.outWidth, g.outputs, g.height, g.width, g.inputs, g.groups,
                         {row, g.stride, countOf(row, g.height)}, {column, g.stride, countOf(column, g.width)}, 1, {}};
  for (int64_t r = 0; r < g.kernel; r++)
    for (int64_t c = 0; c < g.kernel; c++) {
      if (remainder(row + g.top - r, g.stride) != 0 || remainder(column + g.left - c, g.stride) != 0) continue;
      lattice.taps.push_back({(row + g.top - r) / g.stride, (column + g.left - c) / g.stride});
      elements.push_back(r * g.kernel + c);
    }
  return lattice;
}

bool servesWinograd(const Geometry& g) {
  const ConvolutionShape shape{1, g.height, g.width, g.inputs, g.outputs};
  return g.groups == 1 && g.kernel == 3 && g.stride == 1 && g.top == 1 && g.left == 1 && g.outHeight == g.height && g.outWidth == g.width &&
         winogradServes(g.inputs, g.outputs) && 16 * shape.tiles() <= 2 * g.height * g.width;
}

}  // namespace

PlanConvolution::PlanConvolution(const Geometry& g, bool back)
    : isWinograd_(servesWinograd(g)),
      inputs_(back ? g.outputs : g.inputs),
      outputs_(back ? g.inputs : g.outputs),
      height_(back ? g.outHeight : g.height),
      width_(back ? g.outWidth : g.width),
      outHeight_(back ? g.height : g.outHeight),
      outWidth_(back ? g.width : g.outWidth),
      geometry_(g),
      back_(back) {
  if (isWinograd_) return;
  if (!back) {
    lattices_.push_back(forwardLattice(g));
    return;
  }
  std::vector<int64_t> elements;
  for (int64_t row = 0; row < std::min(g.stride, g.height); row++)
    for (int64_t column = 0; column < std::min(g.stride, g.width); column++) lattices_.push_back(backLattice(g, row, column, elements));
}

int64_t PlanConvolution::weightCount() const {
  if (isWinograd_) return winogradWeightCount(shapeOf(0));
  int64_t count = 0;
  for (const TapConvolution& lattice : lattices_) count += tapWeightCount(lattice);
  return count;
}

void PlanConvolution::packWeights(const float* weight, int64_t begin, int64_t end, float* packed) const {
  const Geometry& g = geometry_;
  const int64_t window = g.kernel * g.kernel, groupInputs = g.inputs / g.groups, groupOutputs = g.outputs / g.groups;
  if (isWinograd_) {
    const WeightLayout forward{weight, g.inputs * window, window, g.kernel, 1};
    const WeightLayout turned{weight + window - 1, window, g.inputs * window, -g.kernel, -1};
    winogradWeights(shapeOf(0), back_ ? turned : forward, begin, end, packed);
    return;
  }
  if (!back_) {
    packTapWeights(lattices_[0], [&](size_t tap, int64_t input, int64_t output) {
      return weight[(output * groupInputs + input) * window + static_cast<int64_t>(tap)];
    }, packed);
    return;
  }
  for (const TapConvolution& lattice : lattices_) {
    std::vector<int64_t> elements;
    backLattice(g, lattice.rows.first, lattice.columns.first, elements);
    packTapWeights(lattice, [&](size_t tap, int64_t input, int64_t output) {
      const int64_t group = output / groupInputs;
      return weight[((group * groupOutputs + input) * groupInputs + output % groupInputs) * window + elements[tap]];
    }, packed);
    packed += tapWeightCount(lattice);
  }
}

int64_t PlanConvolution::inputSize() const { return height_ * width_ * inputs_; }
int64_t PlanConvolution::outputSize() const { return outHeight_ * outWidth_ * outputs_; }
int64_t PlanConvolution::scratch() const { return isWinograd_ ? winogradScratch(shapeOf(0)) : 0; }

Region PlanConvolution::reachOf(const Region& region) const {
  if (region.isEmpty()) return region;
  const Geometry& g = geometry_;
  // Output o reads from o · stride − before on, so many as the kernel has.
  const auto first = [&](int64_t begin, int64_t before) { return std::max<int64_t>(0, begin + before - g.kernel + g.stride) / g.stride; };
  const auto end = [&](int64_t last, int64_t before, int64_t size) { return std::min(size, (last + before) / g.stride + 1); };
  return {first(region.top, g.top), end(region.bottom - 1, g.top, outHeight_), first(region.left, g.left),
          end(region.right - 1, g.left, outWidth_)};
}

Region PlanConvolution::computedFor(const Region& region) const {
  if (!isWinograd_ || region.isEmpty()) return region;
  return {region.top / 4 * 4, std::min(outHeight_, (region.bottom + 3) / 4 * 4), region.left / 4 * 4,
          std::min(outWidth_, (region.right + 3) / 4 * 4)};
}

void PlanConvolution::runRegion(const Region& region, const float* x, const float* packed, const float* zeros, float* scratch,
                                float* y) const {
  if (!isWinograd_) {
    for (int64_t row = region.top; row < region.bottom; row++)
      convolveByTaps(lattices_[0], x, packed, row * outWidth_ + region.left, row * outWidth_ + region.right, zeros, y);
    return;
  }
  const ConvolutionShape shape = shapeOf(1);
  std::vector<int64_t> tiles;
  for (int64_t row = region.top; row < region.bottom; row += 4)
    for (int64_t column = region.left; column < region.right; column += 4) tiles.push_back(row / 4 * shape.tilesAcross() + column / 4);
  winogradTileList(shape, x, packed, tiles.data(), static_cast<int64_t>(tiles.size()), scratch, y);
}

void PlanConvolution::runTaps(int64_t images, int64_t part, int64_t parts, const float* x, const float* packed, const float* zeros,
                              float* y) const {
  for (const TapConvolution& lattice : lattices_) {
    const Range places = partOf(images * lattice.places(), part, parts);
    convolveByTaps(lattice, x, packed, places.begin, places.end, zeros, y);
    packed += tapWeightCount(lattice);
  }
}

void PlanConvolution::runPart(int64_t images, int64_t part, int64_t parts, const float* x, const float* packed, const float* zeros,
                              float* scratch, float* y) const {
  if (!isWinograd_) return runTaps(images, part, parts, x, packed, zeros, y);
  // A part reads the weights of its outputs: of few tiles it takes all, and a share of the outputs.
  constexpr int64_t kFewTiles = 6;
  const ConvolutionShape shape = shapeOf(images);
  const int64_t tiles = shape.tiles(), panel = winogradPanel(outputs_), panels = (outputs_ + panel - 1) / panel;
  const int64_t outputParts = std::min(panels, parts / std::clamp<int64_t>(tiles / kFewTiles, 1, parts));
  const int64_t tileParts = std::min(tiles, parts / outputParts);
  if (part >= tileParts * outputParts) return;
  const Range some = partOf(panels, part / tileParts, outputParts);
  winogradTiles(shape, x, packed, partOf(tiles, part % tileParts, tileParts), {some.begin * panel, std::min(outputs_, some.end * panel)},
                scratch, 0, y);
}

}  // namespace satin
