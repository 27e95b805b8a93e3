// Convolutions of any kernel and stride as products: each output gathers the inputs under its taps. Arrays are channels last.
// Serial; the caller shares places out between threads. No torch headers here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace satin {

// Rows or columns of an image: `first`, `first + step` and so on, `count` of them.
struct Lattice {
  int64_t first, step, count;
};

// From where an output takes inputs, relative to its number on the lattice times the stride.
struct Tap {
  int64_t row, column;
};

// The outputs on a lattice, each the sum over the taps of inputs times weights: all inputs, or those of its group. Groups have as many
// inputs as outputs, a power of two, and are multiples of eight together.
struct TapConvolution {
  int64_t inputHeight, inputWidth, inputs;
  int64_t outputHeight, outputWidth, outputs;
  int64_t groups;
  Lattice rows, columns;
  int64_t stride;  // rows and columns of the input from one place of the lattice to the next
  std::vector<Tap> taps;
  int64_t places() const { return rows.count * columns.count; }  // of one image
  int64_t groupInputs() const { return inputs / groups; }
  int64_t groupOutputs() const { return outputs / groups; }
};

// How many numbers the packed weights have.
int64_t tapWeightCount(const TapConvolution& shape);

// Outputs and inputs whose packed weights lie together: a panel of outputs for each input, or of few outputs a vector of inputs.
struct TapLayout {
  int64_t outputs, inputs;
};

TapLayout tapLayout(const TapConvolution& shape);

// `weight(tap, input of the group, output)` in the order of the kernel: [panel of outputs][tap][vector of inputs][output of the panel][input of
// the vector].
template <typename Weight>
void packTapWeights(const TapConvolution& shape, Weight weight, float* packed) {
  const TapLayout layout = tapLayout(shape);
  for (int64_t firstOutput = 0; firstOutput < shape.outputs; firstOutput += layout.outputs)
    for (std::size_t tap = 0; tap < shape.taps.size(); tap++)
      for (int64_t firstInput = 0; firstInput < shape.groupInputs(); firstInput += layout.inputs)
        for (int64_t output = firstOutput; output < firstOutput + layout.outputs; output++)
          for (int64_t input = firstInput; input < firstInput + layout.inputs; input++)
            *packed++ = output < shape.outputs ? weight(tap, input, output) : 0.0f;
}

// Computes places `begin` to `end`, counted over images, of y from x. A number does not depend on the range. `zeros` are as
// many as there are inputs, for taps beyond the edge. Outputs that no tap reaches become 0.
void convolveByTaps(const TapConvolution& shape, const float* x, const float* packed, int64_t begin, int64_t end, const float* zeros,
                    float* y);

}  // namespace satin
