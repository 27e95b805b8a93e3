// Convolutions 3x3 with stride 1 and padding 1 by Winograd's F(4x4, 3x3) (Lavin and Gray, 2016): 36 multiplications for
// 16 outputs instead of 144. Arrays are channels last; channels come in multiples of 16.
#pragma once

#include <cstdint>

namespace satin {

struct ConvolutionShape {
  int64_t images, height, width, inputs, outputs;
  // 4x4 places of the output each; the last of a row or column may reach over the edge
  int64_t tilesDown() const { return (height + 3) / 4; }
  int64_t tilesAcross() const { return (width + 3) / 4; }
  int64_t tiles() const { return images * tilesDown() * tilesAcross(); }
};

// Where weight (output, input, row, column) lies: any order and direction.
struct WeightLayout {
  const float* first;
  int64_t output, input, row, column;
};

// Whether these channels are served.
bool winogradServes(int64_t inputs, int64_t outputs);

// How many numbers the transformed weights have.
int64_t winogradWeightCount(const ConvolutionShape& shape);

// Transforms the weights of inputs `begin` to `end`.
void winogradWeights(const ConvolutionShape& shape, const WeightLayout& weight, int64_t begin, int64_t end, float* transformed);

// How many numbers winogradTiles needs to work in.
int64_t winogradScratch(const ConvolutionShape& shape);

// Outputs that the transformed weights keep together.
int64_t winogradPanel(int64_t outputs);

struct Range {
  int64_t begin, end;
};

// Number `part` of `parts` nearly equal ones.
inline Range partOf(int64_t count, int64_t part, int64_t parts) { return {count * part / parts, count * (part + 1) / parts}; }

// Computes some tiles of y from x, of some outputs: whole panels. A number depends neither on the ranges nor on other images.
// y[0] is number `origin` of all outputs, so that y may be a part of them.
void winogradTiles(const ConvolutionShape& shape, const float* x, const float* transformed, Range tiles, Range outputs,
                   float* scratch, int64_t origin, float* y);

// The same for tiles in a list, of all outputs.
void winogradTileList(const ConvolutionShape& shape, const float* x, const float* transformed, const int64_t* list, int64_t count,
                      float* scratch, float* y);

}  // namespace satin
