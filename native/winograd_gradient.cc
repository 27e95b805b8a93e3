#include "winograd_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "winograd.h"
#include "winograd_gradient_kernel.h"

namespace satin {
namespace {

// Sums that are larger than this leave a thread's cache.
constexpr int64_t kSumsInCache = 1 << 18;

// Outputs that are computed together at least.
constexpr int64_t kOutputs = 16;

struct Parts {
  int64_t tiles, outputs;
};

// For each thread one. Threads with different tiles have sums of their own, which are added up in the end; where the sums are
// large, threads take different outputs instead, and each transforms the inputs for itself.
Parts partsOf(const ConvolutionShape& shape) {
  const int64_t threads = at::get_num_threads();
  const bool large = winogradSumCount(shape, shape.outputs) > kSumsInCache;
  const int64_t outputs = large ? std::min(threads, std::max<int64_t>(1, shape.outputs / 64)) : 1;
  const int64_t tiles = std::max<int64_t>(1, std::min(threads / outputs, shape.tiles() / 16));
  return {tiles, outputs};
}

Range outputsOf(const ConvolutionShape& shape, int64_t part, const Parts& parts) {
  const Range groups = partOf(shape.outputs / kOutputs, part, parts.outputs);
  return {groups.begin * kOutputs, groups.end * kOutputs};
}

}  // namespace

at::Tensor winogradWeightGradient(const at::Tensor& dy, const at::Tensor& x) {
  const ConvolutionShape shape = shapeOf(x, dy.size(1));
  const Parts parts = partsOf(shape);
  // Of each part of the outputs its sums over each part of the tiles; the last part has most outputs.
  const Range last = outputsOf(shape, parts.outputs - 1, parts);
  const int64_t partStride = winogradSumCount(shape, last.end - last.begin);
  const at::Tensor sums = at::empty({parts.outputs * parts.tiles * partStride}, x.options());
  const at::Tensor gradient = at::empty({shape.outputs, shape.inputs, 3, 3}, x.options(), at::MemoryFormat::ChannelsLast);
  const float *images = x.data_ptr<float>(), *slopes = dy.data_ptr<float>();
  float *sum = sums.data_ptr<float>(), *to = gradient.data_ptr<float>();
  at::parallel_for(0, parts.outputs * parts.tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      const Range outputs = outputsOf(shape, part / parts.tiles, parts);
      const Range tiles = partOf(shape.tiles(), part % parts.tiles, parts.tiles);
      const at::Tensor scratch = at::empty({winogradSumScratch(shape, outputs.end - outputs.begin)}, at::kFloat);
      winogradSums(shape, images, slopes, tiles, outputs, scratch.data_ptr<float>(), sum + part * partStride);
    }
  });
  at::parallel_for(0, shape.outputs / kOutputs, std::max<int64_t>(1, 4096 / (shape.inputs * kOutputs)), [&](int64_t begin, int64_t end) {
    for (int64_t part = 0; part < parts.outputs; part++) {
      const Range outputs = outputsOf(shape, part, parts);
      const Range rows = {std::max(outputs.begin, begin * kOutputs), std::min(outputs.end, end * kOutputs)};
      if (rows.begin >= rows.end) continue;
      winogradWeightGradient(shape, sum + part * parts.tiles * partStride, parts.tiles, partStride, outputs.end - outputs.begin,
                             {rows.begin - outputs.begin, rows.end - outputs.begin}, to + outputs.begin * 9 * shape.inputs);
    }
  });
  return gradient;
}

}  // namespace satin
