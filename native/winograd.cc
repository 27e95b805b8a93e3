// Winograd's method on tensors of the CPU: the kernel of winograd_kernel.h, its work shared out between threads.
#include "winograd.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

namespace satin {
namespace {

// Number of tiles whose outputs pass through the epilogue while they are in the cache: as many as the kernel processes at once.
constexpr int64_t kTilesAtOnce = 48;

// Weights as Winograd's method takes them: what was kept, or transformed now.
at::Tensor weightsFor(const ConvolutionShape& shape, const WeightLayout& weight, const at::Tensor& kept, const at::TensorOptions& options) {
  if (!kept.defined()) return winogradWeights(shape, weight, options);
  TORCH_CHECK(kept.scalar_type() == at::kFloat && kept.is_contiguous() && kept.numel() == winogradWeightCount(shape),
              "Expected weights that were transformed for this convolution.");
  return kept;
}

// How the work is shared out: so many parts of the tiles, each in so many parts of the outputs.
struct Parts {
  int64_t tiles, outputs;
};

// For each thread one. With few tiles the time goes into reading the weights, which are larger than the cache: threads then
// take different outputs, so that none reads all of them.
Parts partsOf(const ConvolutionShape& shape) {
  const int64_t threads = at::get_num_threads();
  const bool few = shape.tiles() < kTilesAtOnce * threads;
  const int64_t outputs = few ? std::min(threads, shape.outputs / winogradPanel(shape.outputs)) : 1;
  const int64_t tiles = std::max<int64_t>(1, std::min(threads / outputs, shape.tiles() / 16));
  return {tiles, outputs};
}

at::Tensor applyEpilogue(const at::Tensor& x, const Epilogue& epilogue) {
  at::Tensor y = at::empty_like(x);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  const int64_t channels = x.size(1);
  at::parallel_for(0, x.numel() / channels, std::max<int64_t>(1, 8192 / channels), [&](int64_t begin, int64_t end) {
    const int64_t origin = begin * channels;
    normActivate(epilogue.curve, Rows{end - begin, channels}, from + origin,
                 epilogue.residual == nullptr ? nullptr : epilogue.residual + origin, epilogue.scale.data(), epilogue.shift.data(),
                 to + origin);
  });
  return y;
}

}  // namespace

ConvolutionShape shapeOf(const at::Tensor& x, int64_t outputs) { return {x.size(0), x.size(2), x.size(3), x.size(1), outputs}; }

bool isPlain(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided && tensor.dim() == 4;
}

bool winogradServes(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                    at::IntArrayRef padding) {
  if (!isPlain(x) || !isPlain(weight) || bias.has_value()) return false;
  if (x.numel() == 0 || weight.numel() == 0 || !x.is_contiguous(at::MemoryFormat::ChannelsLast)) return false;
  if (stride != at::IntArrayRef{1, 1} || padding != at::IntArrayRef{1, 1}) return false;
  if (weight.size(1) != x.size(1) || weight.size(2) != 3 || weight.size(3) != 3) return false;
  const ConvolutionShape shape{x.size(0), x.size(2), x.size(3), x.size(1), weight.size(0)};
  // On images that fill less than half of their tiles nothing is gained.
  return 16 * shape.tiles() <= 2 * shape.images * shape.height * shape.width && winogradServes(shape.inputs, shape.outputs);
}

at::Tensor winogradWeights(const ConvolutionShape& shape, const WeightLayout& weight, const at::TensorOptions& options) {
  at::Tensor transformed = at::empty({winogradWeightCount(shape)}, options);
  float* weights = transformed.data_ptr<float>();
  at::parallel_for(0, shape.inputs, 8, [&](int64_t begin, int64_t end) { winogradWeights(shape, weight, begin, end, weights); });
  return transformed;
}

at::Tensor winogradConvolution(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept) {
  const ConvolutionShape shape = shapeOf(x, outputs);
  const at::Tensor transformed = weightsFor(shape, weight, kept, x.options());
  at::Tensor y = at::empty({shape.images, outputs, shape.height, shape.width}, x.options(), at::MemoryFormat::ChannelsLast);
  const float *from = x.data_ptr<float>(), *weights = transformed.data_ptr<float>();
  float* to = y.data_ptr<float>();
  const Parts parts = partsOf(shape);
  at::parallel_for(0, parts.tiles * parts.outputs, 1, [&](int64_t begin, int64_t end) {
    const at::Tensor scratch = at::empty({winogradScratch(shape)}, at::kFloat);
    const int64_t panel = winogradPanel(outputs);
    for (int64_t part = begin; part < end; part++) {
      const Range tiles = partOf(shape.tiles(), part / parts.outputs, parts.tiles);
      const Range panels = partOf(outputs / panel, part % parts.outputs, parts.outputs);
      winogradTiles(shape, from, weights, tiles, {panels.begin * panel, panels.end * panel}, scratch.data_ptr<float>(), 0, to);
    }
  });
  return y;
}

at::Tensor winogradConvolution(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept,
                               const Epilogue& epilogue) {
  const ConvolutionShape shape = shapeOf(x, outputs);
  if (partsOf(shape).outputs > 1) return applyEpilogue(winogradConvolution(x, outputs, weight, kept), epilogue);
  const at::Tensor transformed = weightsFor(shape, weight, kept, x.options());
  at::Tensor y = at::empty({shape.images, outputs, shape.height, shape.width}, x.options(), at::MemoryFormat::ChannelsLast);
  const float *from = x.data_ptr<float>(), *weights = transformed.data_ptr<float>();
  float* to = y.data_ptr<float>();
  const int64_t across = shape.tilesAcross(), down = shape.tilesDown(), row = shape.width * outputs;
  const int64_t atOnce = std::max<int64_t>(1, kTilesAtOnce / across);  // lines
  // The first row of pixels of a line of tiles, counted over all images.
  const auto firstRow = [&](int64_t line) { return line / down * shape.height + line % down * 4; };
  at::parallel_for(0, shape.images * down, std::max<int64_t>(1, 16 / across), [&](int64_t begin, int64_t end) {
    const at::Tensor scratch = at::empty({winogradScratch(shape)}, at::kFloat);
    const at::Tensor part = at::empty({atOnce * 4 * row}, at::kFloat);
    float* convolved = part.data_ptr<float>();
    for (int64_t line = begin; line < end; line += atOnce) {
      const int64_t last = std::min(end, line + atOnce), origin = firstRow(line) * row;
      winogradTiles(shape, from, weights, {line * across, last * across}, {0, outputs}, scratch.data_ptr<float>(), origin, convolved);
      const Rows rows = {(firstRow(last) - firstRow(line)) * shape.width, outputs};
      normActivate(epilogue.curve, rows, convolved, epilogue.residual == nullptr ? nullptr : epilogue.residual + origin,
                   epilogue.scale.data(), epilogue.shift.data(), to + origin);
    }
  });
  return y;
}

WeightLayout layoutOf(const at::Tensor& weight) {
  return {weight.data_ptr<float>(), weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
}

WeightLayout turned(const WeightLayout& weight) {
  return {weight.first + 2 * weight.row + 2 * weight.column, weight.input, weight.output, -weight.row, -weight.column};
}

}  // namespace satin
