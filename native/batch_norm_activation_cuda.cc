// satin::norm_activate by the kernels of cuda/norm_activate.cu: float32 and bfloat16 with channels last on a graphics card.
// Nothing waits for the card.
#include <ATen/ATen.h>

#include <cstdint>
#include <initializer_list>

#include "batch_norm_activation.h"
#include "cuda/norm_activate_arguments.h"
#include "curve_cuda.h"
#include "launch_cuda.h"
#include "process_group.h"

namespace satin {
namespace {

constexpr const char* kFile = "norm_activate.cu";

// For each thread at least so many rows, with at most about so many blocks. Sums are finished from each block's.
constexpr int64_t kRowsEach = 4, kNormBlocks = 4096;
constexpr int64_t kRowsSummed = 16, kNormSumBlocks = 512;

// [rows, channels] and how many neighbouring channels a thread takes: several need their number and addresses to fit.
struct Shape {
  Shape(const at::Tensor& x, std::initializer_list<at::Tensor> others)
      : rows(x.size(0) * x.size(2) * x.size(3)), channels(x.size(1)), pack(channels % kChannelPack == 0 && fits(x) ? kChannelPack : 1) {
    for (const at::Tensor& other : others)
      if (other.defined() && !fits(other)) pack = 1;
  }
  TileGrid grid() const { return tileGrid(rows, channels, pack, kRowsEach, kNormBlocks); }
  TileGrid sumGrid() const { return tileGrid(rows, channels, pack, kRowsSummed, kNormSumBlocks); }
  Grid finishGrid() const { return {(channels + kFinished - 1) / kFinished}; }
  int64_t rows, channels;
  int pack;

 private:
  static bool fits(const at::Tensor& tensor) {
    return reinterpret_cast<uintptr_t>(tensor.data_ptr()) % (kChannelPack * tensor.element_size()) == 0;
  }
};

Grid gridOf(const TileGrid& tiles) { return {tiles.rowBlocks, tiles.channelBlocks}; }

float* data(const at::Tensor& vector) { return vector.defined() ? vector.data_ptr<float>() : nullptr; }
float* data(const OptionalTensor& vector) { return vector.has_value() ? vector->data_ptr<float>() : nullptr; }
const void* numbers(const OptionalTensor& tensor) { return tensor.has_value() ? tensor->data_ptr() : nullptr; }

at::Tensor partialSums(const at::Tensor& x, const TileGrid& tiles) {
  return at::empty({2, tiles.rowBlocks, tiles.tiles.channels}, x.options().dtype(at::kDouble).memory_format(at::MemoryFormat::Contiguous));
}

struct Statistics {
  explicit Statistics(const at::Tensor& weight)
      : mean(at::empty_like(weight)), inverse(at::empty_like(weight)), scale(at::empty_like(weight)), shift(at::empty_like(weight)) {}
  at::Tensor mean, inverse, scale, shift;
};

// The batch's own statistics; the running ones move.
void measure(const Shape& shape, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
             const OptionalTensor& runningVariance, double momentum, double epsilon, const Statistics& statistics) {
  const std::string storage = nameOfStorage(x.scalar_type());
  const TileGrid tiles = shape.sumGrid();
  const at::Tensor partials = partialSums(x, tiles);
  const ChannelMoments moments{tiles.tiles, x.data_ptr(), partials.data_ptr<double>()};
  launch(x, {kFile, "channelMoments", {storage, std::to_string(shape.pack)}}, gridOf(tiles), moments);
  const NormStatistics finish{shape.rows, shape.channels, tiles.rowBlocks, x.data_ptr(), partials.data_ptr<double>(), data(weight), data(bias),
                              data(runningMean), data(runningVariance), momentum, epsilon, data(statistics.mean),
                              data(statistics.inverse), data(statistics.scale), data(statistics.shift)};
  launch(x, {kFile, "normStatistics", {storage}}, shape.finishGrid(), finish);
}

// y; `statistics` are read in training, and written in evaluation where they are wanted.
at::Tensor apply(const Shape& shape, const at::Tensor& x, const OptionalTensor& residual, const CudaCurve& curve,
                 NormActivateForward arguments) {
  at::Tensor y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  const TileGrid tiles = shape.grid();
  arguments.tiles = tiles.tiles;
  arguments.x = x.data_ptr();
  arguments.residual = numbers(residual);
  arguments.y = y.data_ptr();
  arguments.curve = curve.arguments();
  launch(x, {kFile, "normActivateForward", {nameOfClass(curve.curve.kind), nameOfStorage(x.scalar_type()), nameOf(residual.has_value()), std::to_string(shape.pack)}},
         gridOf(tiles), arguments);
  return y;
}

at::Tensor forward(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                   const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                   const OptionalTensor& coefficients, ActivationArgument activation, const Statistics* wanted) {
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  const CudaCurve curve = CudaCurve::forward(spec, x, coefficients);
  const Shape shape(x, {residual.value_or(at::Tensor())});
  NormActivateForward arguments{};
  if (train) {
    const Statistics own = wanted == nullptr ? Statistics(weight) : *wanted;
    measure(shape, x, weight, bias, runningMean, runningVariance, momentum, epsilon, own);
    arguments.scale = data(own.scale);
    arguments.shift = data(own.shift);
    return apply(shape, x, residual, curve, arguments);
  }
  if (wanted != nullptr) {
    arguments.mean = data(wanted->mean);
    arguments.inverse = data(wanted->inverse);
    arguments.scale = data(wanted->scale);
    arguments.shift = data(wanted->shift);
  }
  arguments.weight = data(weight);
  arguments.bias = data(bias);
  arguments.runningMean = data(runningMean);
  arguments.runningVariance = data(runningVariance);
  arguments.epsilon = epsilon;
  return apply(shape, x, residual, curve, arguments);
}

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> normActivateForwardCuda(
    const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
    const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
    const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  TORCH_CHECK(fusedNormServes(kNormDtypesCuda, x, residual, weight, bias, runningMean, runningVariance, train),
              "Expected float32 or bfloat16 with channels last for the fused batch norm.");
  TORCH_CHECK(!train || !synchronised || rankCount() == 1, "Expected a single rank for the fused batch norm on a graphics card.");
  const Statistics statistics(weight);
  at::Tensor y = forward(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients, activation, &statistics);
  return {y, statistics.mean, statistics.inverse, statistics.scale, statistics.shift};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> normActivateBackwardCuda(
    const at::Tensor& upstream, const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& mean, const at::Tensor& inverse,
    const at::Tensor& scale, const at::Tensor& shift, const OptionalTensor& coefficients, bool train, ActivationArgument activation,
    bool, bool learning) {
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  checkLearning(spec, coefficients, learning);
  const at::Tensor dy = upstream.contiguous(at::MemoryFormat::ChannelsLast);
  const bool fits = dy.sizes() == x.sizes() && dy.scalar_type() == x.scalar_type() &&
                    fusedNormServes(kNormDtypesCuda, x, residual, mean, inverse, scale, shift, train);
  TORCH_CHECK(fits, "Expected what the forward pass of the fused batch norm returned.");
  const CudaCurve curve = CudaCurve::backward(spec, x, coefficients);
  const Shape shape(x, {dy, residual.value_or(at::Tensor())});
  const std::string kind = nameOfClass(curve.curve.kind), storage = nameOfStorage(x.scalar_type()), pack = std::to_string(shape.pack);
  const std::string added = nameOf(residual.has_value());
  at::Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast), dCoefficients, dWeight, dBias, offset, slope;
  at::Tensor dResidual = residual.has_value() ? at::empty_like(dx, dx.options(), at::MemoryFormat::ChannelsLast) : at::Tensor();

  if (train || learning) {
    const TileGrid tiles = shape.sumGrid();
    const at::Tensor partials = partialSums(x, tiles);
    const at::Tensor blocks =
        learning ? at::empty({tiles.rowBlocks * tiles.channelBlocks, 2}, partials.options()) : at::Tensor();
    const NormActivateSums sums{tiles.tiles, dy.data_ptr(), x.data_ptr(), numbers(residual), curve.arguments(), data(mean),
                                data(scale), data(shift), partials.data_ptr<double>(), learning ? blocks.data_ptr<double>() : nullptr};
    launch(x, {kFile, "normActivateSums", {kind, storage, added, pack, nameOf(learning)}}, gridOf(tiles), sums);
    if (learning) dCoefficients = coefficientGradient(blocks, curve, *coefficients);
    if (train) {
      for (at::Tensor* each : {&dWeight, &dBias, &offset, &slope}) *each = at::empty_like(mean);
      const NormGradients finish{shape.rows, shape.channels, tiles.rowBlocks, partials.data_ptr<double>(), data(inverse), data(scale),
                                 data(dWeight), data(dBias), data(offset), data(slope)};
      launch(x, {kFile, "normGradients"}, shape.finishGrid(), finish);
    }
  }

  const TileGrid tiles = shape.grid();
  const NormActivateBackward arguments{tiles.tiles, dy.data_ptr(), x.data_ptr(), numbers(residual), curve.arguments(), data(mean),
                                       data(scale), data(shift), data(offset), data(slope), dx.data_ptr(),
                                       dResidual.defined() ? dResidual.data_ptr() : nullptr};
  launch(x, {kFile, "normActivateBackward", {kind, storage, added, pack, nameOf(train)}}, gridOf(tiles), arguments);
  return {dx, dResidual, dWeight, dBias, dCoefficients};
}

at::Tensor normActivateCuda(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                            const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum,
                            double epsilon, const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  if (!fusedNormServes(kNormDtypesCuda, x, residual, weight, bias, runningMean, runningVariance, train) ||
      (train && synchronised && rankCount() > 1))
    return normActivateComposed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                                activation, synchronised);
  return forward(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients, activation, nullptr);
}

}  // namespace satin
