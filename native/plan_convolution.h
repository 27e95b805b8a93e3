// A convolution of an execution plan, forward or back to its inputs, by the kernel that is fastest for its geometry.
#pragma once

#include <cstdint>
#include <vector>

#include "plan_steps.h"
#include "tap_convolution_kernel.h"
#include "winograd_kernel.h"

namespace satin {

// Places of an image: rows `top` to `bottom` and columns `left` to `right`, the last of each not included.
struct Region {
  int64_t top, bottom, left, right;
  bool isEmpty() const { return top >= bottom || left >= right; }
  int64_t places() const { return isEmpty() ? 0 : (bottom - top) * (right - left); }
};

// Winograd's method where it serves; else taps: one lattice forward, and stride² of them back.
class PlanConvolution {
 public:
  PlanConvolution(const Geometry& geometry, bool back);

  int64_t weightCount() const;
  // Packs parts `begin` to `end` of `weightParts()`. `weight` [outputs, inputs / groups, kernel, kernel] of the convolution forward, contiguous.
  void packWeights(const float* weight, int64_t begin, int64_t end, float* packed) const;
  int64_t weightParts() const { return isWinograd_ ? inputs_ : 1; }

  // Numbers of an image that it reads and writes.
  int64_t inputSize() const;
  int64_t outputSize() const;
  int64_t inputChannels() const { return inputs_; }
  int64_t outputChannels() const { return outputs_; }
  // Numbers that `run` works in.
  int64_t scratch() const;
  // So many zeros `run` wants.
  int64_t zeros() const { return (inputs_ + 15) / 16 * 16; }

  // Forward: the places that see one of these, and the places that are computed together with those.
  Region reachOf(const Region& region) const;
  Region computedFor(const Region& region) const;
  // Computes these places of one image, which are computed together. What is in y beside them stays.
  void runRegion(const Region& region, const float* x, const float* packed, const float* zeros, float* scratch, float* y) const;

  // Computes y for some images. `finish(offset, count)` is called for each part of y, whose numbers are still in the cache,
  // when it is complete. `zeros` are as many as x has channels.
  template <typename Finish>
  void run(int64_t images, const float* x, const float* packed, const float* zeros, float* scratch, float* y, Finish finish) const;
  // One of the parts of that, which may be computed at the same time.
  void runPart(int64_t images, int64_t part, int64_t parts, const float* x, const float* packed, const float* zeros, float* scratch,
               float* y) const;

 private:
  void runTaps(int64_t images, int64_t part, int64_t parts, const float* x, const float* packed, const float* zeros, float* y) const;
  ConvolutionShape shapeOf(int64_t images) const { return {images, height_, width_, inputs_, outputs_}; }

  bool isWinograd_;
  int64_t inputs_, outputs_, height_, width_, outHeight_, outWidth_;  // of what is read and written
  Geometry geometry_;
  bool back_;
  std::vector<TapConvolution> lattices_;
};

template <typename Finish>
void PlanConvolution::run(int64_t images, const float* x, const float* packed, const float* zeros, float* scratch, float* y,
                          Finish finish) const {
  if (!isWinograd_) {
    runTaps(images, 0, 1, x, packed, zeros, y);
    finish(0, images * outputSize());
    return;
  }
  // Tiles whose outputs are finished together: as many as the kernel works on at once.
  constexpr int64_t kTiles = 48;
  const ConvolutionShape shape = shapeOf(images);
  const int64_t across = shape.tilesAcross(), down = shape.tilesDown(), row = shape.width * shape.outputs;
  const int64_t atOnce = kTiles > across ? kTiles / across : 1;  // lines of tiles
  const auto firstRow = [&](int64_t line) { return line / down * shape.height + line % down * 4; };
  for (int64_t line = 0; line < images * down; line += atOnce) {
    const int64_t last = line + atOnce < images * down ? line + atOnce : images * down;
    winogradTiles(shape, x, packed, {line * across, last * across}, {0, shape.outputs}, scratch, 0, y);
    finish(firstRow(line) * row, (firstRow(last) - firstRow(line)) * row);
  }
}

}  // namespace satin
