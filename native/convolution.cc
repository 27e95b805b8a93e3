// satin::conv2d: libtorch's convolution, by Winograd's method where that serves (float32 on the CPU with channels last,
// 3x3, stride 1, padding 1, channels in multiples of 16): the output and the input's gradient. The weights' gradient,
// second derivatives and every other convolution are libtorch's.
// satin::convolve_norm_activate: activation(batch_norm(conv2d(x)) + residual) in evaluation mode. Where no gradient is
// wanted and Winograd's method serves, all of it is done on a part of the output while that is in the cache.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TracerMode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "activate.h"
#include "norm_activate.h"
#include "norm_activate_kernel.h"
#include "optional.h"
#include "winograd_kernel.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Tiles whose outputs are taken further while they are in the cache: as many as the kernel works on together.
constexpr int64_t kTilesAtOnce = 48;

bool isPlain(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided && tensor.dim() == 4;
}

bool serves(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride, at::IntArrayRef padding) {
  if (!isPlain(x) || !isPlain(weight) || bias.has_value() || at::tracer::impl::is_dispatch_enabled()) return false;
  if (x.numel() == 0 || !x.is_contiguous(at::MemoryFormat::ChannelsLast)) return false;
  if (stride != at::IntArrayRef{1, 1} || padding != at::IntArrayRef{1, 1}) return false;
  if (weight.size(1) != x.size(1) || weight.size(2) != 3 || weight.size(3) != 3) return false;
  const ConvolutionShape shape{x.size(0), x.size(2), x.size(3), x.size(1), weight.size(0)};
  // On images that fill less than half of their tiles nothing is gained.
  return 16 * shape.tiles() <= 2 * shape.images * shape.height * shape.width && winogradServes(shape.inputs, shape.outputs);
}

at::Tensor transformedWeights(const ConvolutionShape& shape, const WeightLayout& weight, const at::TensorOptions& options) {
  at::Tensor transformed = at::empty({winogradWeightCount(shape)}, options);
  float* weights = transformed.data_ptr<float>();
  at::parallel_for(0, shape.inputs, 8, [&](int64_t begin, int64_t end) { winogradWeights(shape, weight, begin, end, weights); });
  return transformed;
}

ConvolutionShape shapeOf(const at::Tensor& x, int64_t outputs) { return {x.size(0), x.size(2), x.size(3), x.size(1), outputs}; }

// Weights as Winograd's method takes them: what was kept, or transformed now.
at::Tensor weightsFor(const ConvolutionShape& shape, const WeightLayout& weight, const at::Tensor& kept, const at::TensorOptions& options) {
  if (!kept.defined()) return transformedWeights(shape, weight, options);
  TORCH_CHECK(kept.device().is_cpu() && kept.scalar_type() == at::kFloat && kept.is_contiguous() && kept.numel() == winogradWeightCount(shape),
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

// Number `part` of `parts` nearly equal ones.
Range partOf(int64_t count, int64_t part, int64_t parts) { return {count * part / parts, count * (part + 1) / parts}; }

// x [N, C, H, W] and weights of C inputs → [N, O, H, W], all channels last. `kept`: the weights transformed, or undefined.
at::Tensor convolve(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept) {
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

// What follows a convolution: batch norm as a scale and a shift for each channel, a residual, an activation.
struct Following {
  Curve curve;
  std::vector<float> scale, shift;
  const float* residual;  // or null
};

at::Tensor follow(const at::Tensor& x, const Following& following) {
  at::Tensor y = at::empty_like(x);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  const int64_t channels = x.size(1);
  at::parallel_for(0, x.numel() / channels, std::max<int64_t>(1, 8192 / channels), [&](int64_t begin, int64_t end) {
    const int64_t origin = begin * channels;
    normActivate(following.curve, Rows{end - begin, channels}, from + origin,
                 following.residual == nullptr ? nullptr : following.residual + origin, following.scale.data(), following.shift.data(),
                 to + origin);
  });
  return y;
}

// The same with what follows, which is computed while a part of the output is in the cache: lines of tiles that lie one
// behind the other.
at::Tensor convolveFollowed(const at::Tensor& x, int64_t outputs, const WeightLayout& weight, const at::Tensor& kept,
                            const Following& following) {
  const ConvolutionShape shape = shapeOf(x, outputs);
  if (partsOf(shape).outputs > 1) return follow(convolve(x, outputs, weight, kept), following);
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
      normActivate(following.curve, rows, convolved, following.residual == nullptr ? nullptr : following.residual + origin,
                   following.scale.data(), following.shift.data(), to + origin);
    }
  });
  return y;
}

WeightLayout layoutOf(const at::Tensor& weight) {
  return {weight.data_ptr<float>(), weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
}

// The weights that lead back from outputs to inputs: both exchanged, and turned half round.
WeightLayout turned(const WeightLayout& weight) {
  return {weight.first + 2 * weight.row + 2 * weight.column, weight.input, weight.output, -weight.row, -weight.column};
}

// The gradient of the weights, which libtorch computes.
at::Tensor weightGradient(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight) {
  const int64_t one[2] = {1, 1}, zero[2] = {0, 0};
  return std::get<1>(at::convolution_backward(dy, x, weight, c10::nullopt, one, one, one, false, zero, 1, {false, true, false}));
}

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  // `transformed` and `back` are the weights as the two directions take them, or undefined.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& transformed,
                            const OptionalTensor& back) {
    // An attack wants no gradient of the weights, so the images between need not be kept for it.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight, back.value_or(at::Tensor())});
    return convolve(x, weight.size(0), layoutOf(weight), transformed.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &kept = saved[2];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx, dWeight;
    if (context->needs_input_grad(0)) {
      if (at::GradMode::is_enabled())
        dx = at::conv2d(dy, weight.transpose(0, 1).flip({2, 3}), {}, 1, 1);  // has derivatives of its own
      else
        dx = convolve(dy, weight.size(1), turned(layoutOf(weight)), kept);
    }
    if (context->needs_input_grad(1)) dWeight = weightGradient(dy, x, weight);
    return {dx, dWeight, {}, {}};
  }
};

// oneDNN 2.6.3, with which Debian's libtorch 1.13 runs, writes beyond its memory in the weight gradient of a 1x1 convolution that
// skips places, with fewer than 16 inputs and large images.
bool isBrokenInOneDnn(const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride) {
  return x.device().is_cpu() && x.dim() == 4 && weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1 && weight.size(1) < 16 &&
         (stride[0] > 1 || stride[1] > 1);
}

// Weights of one input channel lie in both orders at once, and libtorch takes them for channels first: then its output lies
// so, and everything behind it would have to turn it. These strides name the same memory channels last.
at::Tensor channelsLast(const at::Tensor& weight) {
  if (weight.dim() != 4 || weight.size(1) != 1 || !weight.is_contiguous()) return weight;
  return weight.squeeze(1).unsqueeze(-1).permute({0, 3, 1, 2});
}

at::Tensor conv2dOperator(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                          at::IntArrayRef padding) {
  if (serves(x, weight, bias, stride, padding)) return Convolution::apply(x, weight, OptionalTensor(), OptionalTensor());
  if (isBrokenInOneDnn(x, weight, stride) && padding[0] == 0 && padding[1] == 0) {
    const at::Tensor taken = x.slice(2, 0, c10::nullopt, stride[0]).slice(3, 0, c10::nullopt, stride[1]);
    return at::conv2d(taken.contiguous(x.suggest_memory_format()), weight, bias);
  }
  return at::conv2d(x, channelsLast(weight), bias, stride, padding);
}

bool isVector(const at::Tensor& tensor, int64_t length) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == 1 && tensor.size(0) == length &&
         tensor.is_contiguous();
}

bool wantsGradient(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor& residual, const at::Tensor& weight,
                   const at::Tensor& bias, const OptionalTensor& coefficients) {
  const auto asks = [](const OptionalTensor& tensor) { return tensor.has_value() && tensor->requires_grad(); };
  return at::GradMode::is_enabled() && (x.requires_grad() || convolution.requires_grad() || weight.requires_grad() ||
                                        bias.requires_grad() || asks(residual) || asks(coefficients));
}

// The weights of a convolution as Winograd's method takes them, towards its outputs and back to its inputs, to be used as
// long as they do not change; two empty tensors where it does not serve.
std::tuple<at::Tensor, at::Tensor> winogradWeightsOperator(const at::Tensor& weight) {
  const bool serves = isPlain(weight) && weight.size(2) == 3 && weight.size(3) == 3 && winogradServes(weight.size(1), weight.size(0));
  const at::TensorOptions options = weight.options().requires_grad(false);
  if (!serves) return {at::empty({0}, options), at::empty({0}, options)};
  const WeightLayout layout = layoutOf(weight);
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  return {transformedWeights({0, 0, 0, inputs, outputs}, layout, options), transformedWeights({0, 0, 0, outputs, inputs}, turned(layout), options)};
}

at::Tensor convolveNormActivateOperator(const at::Tensor& x, const at::Tensor& convolution, const OptionalTensor& transformed,
                                        const OptionalTensor& back, at::IntArrayRef stride, at::IntArrayRef padding, const OptionalTensor& residual, const at::Tensor& weight,
                                        const at::Tensor& bias, const at::Tensor& runningMean, const at::Tensor& runningVariance,
                                        double epsilon, const OptionalTensor& coefficients, ActivationArgument activation) {
  const int64_t outputs = convolution.dim() == 4 ? convolution.size(0) : 0;
  const bool own = serves(x, convolution, {}, stride, padding);
  bool together = own && !wantsGradient(x, convolution, residual, weight, bias, coefficients);
  for (const at::Tensor* each : {&weight, &bias, &runningMean, &runningVariance}) together = together && isVector(*each, outputs);
  if (together && residual.has_value())
    together = isPlain(*residual) && residual->is_contiguous(at::MemoryFormat::ChannelsLast) && residual->size(0) == x.size(0) &&
             residual->size(1) == outputs && residual->size(2) == x.size(2) && residual->size(3) == x.size(3);
  if (!together) {
    const at::Tensor y =
        own ? Convolution::apply(x, convolution, transformed, back) : conv2dOperator(x, convolution, {}, stride, padding);
    return normActivateOperator(y, residual, weight, bias, runningMean, runningVariance, false, 0, epsilon, coefficients, activation);
  }
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  const NormScale norm = normScale(weight, bias, runningMean, runningVariance, epsilon);
  const Curve curve = coefficients.has_value() ? learnedCurve(spec.curve, *coefficients) : spec.curve;
  const float* added = residual.has_value() ? residual->data_ptr<float>() : nullptr;
  return convolveFollowed(x, outputs, layoutOf(convolution), transformed.value_or(at::Tensor()), {curve, norm.scale, norm.shift, added});
}

TORCH_LIBRARY_FRAGMENT(satin, library) {
  library.def("conv2d(Tensor x, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0) -> Tensor", &conv2dOperator);
  library.def("winograd_weights(Tensor weight) -> (Tensor, Tensor)", &winogradWeightsOperator);
  library.def(
      "convolve_norm_activate(Tensor x, Tensor convolution, Tensor? transformed, Tensor? back, int[2] stride, int[2] padding, "
      "Tensor? residual, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, float epsilon, Tensor? coefficients, "
      "float[] activation) -> Tensor",
      &convolveNormActivateOperator);
}

// A trace holds libtorch's convolution.
TORCH_LIBRARY_IMPL(satin, Tracer, library) { library.impl("conv2d", &conv2dOperator); }

}  // namespace
}  // namespace satin
