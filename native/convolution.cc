// satin::conv2d: libtorch's convolution, by Winograd's method where that serves (float32 on the CPU with channels last,
// 3x3, stride 1, padding 1, channels in multiples of 16): the output and the input's gradient. The weights' gradient,
// second derivatives and every other convolution are libtorch's.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TracerMode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "optional.h"
#include "winograd_kernel.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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

// x [N, C, H, W] and weights of C inputs → [N, O, H, W], all channels last
at::Tensor convolve(const at::Tensor& x, int64_t outputs, const WeightLayout& weight) {
  const ConvolutionShape shape{x.size(0), x.size(2), x.size(3), x.size(1), outputs};
  at::Tensor transformed = at::empty({winogradWeightCount(shape)}, x.options());
  float* weights = transformed.data_ptr<float>();
  at::parallel_for(0, shape.inputs, 8, [&](int64_t begin, int64_t end) { winogradWeights(shape, weight, begin, end, weights); });
  at::Tensor y = at::empty({shape.images, outputs, shape.height, shape.width}, x.options(), at::MemoryFormat::ChannelsLast);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  at::parallel_for(0, shape.tiles(), 16, [&](int64_t begin, int64_t end) {
    const at::Tensor scratch = at::empty({winogradScratch(shape)}, at::kFloat);
    winogradTiles(shape, from, weights, begin, end, scratch.data_ptr<float>(), to);
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
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight) {
    // An attack wants no gradient of the weights, so the images between need not be kept for it.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight});
    return convolve(x, weight.size(0), layoutOf(weight));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx, dWeight;
    if (context->needs_input_grad(0)) {
      if (at::GradMode::is_enabled())
        dx = at::conv2d(dy, weight.transpose(0, 1).flip({2, 3}), {}, 1, 1);  // has derivatives of its own
      else
        dx = convolve(dy, weight.size(1), turned(layoutOf(weight)));
    }
    if (context->needs_input_grad(1)) dWeight = weightGradient(dy, x, weight);
    return {dx, dWeight};
  }
};

at::Tensor conv2dOperator(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias, at::IntArrayRef stride,
                          at::IntArrayRef padding) {
  if (serves(x, weight, bias, stride, padding)) return Convolution::apply(x, weight);
  return at::conv2d(x, weight, bias, stride, padding);
}

TORCH_LIBRARY_FRAGMENT(satin, library) {
  library.def("conv2d(Tensor x, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0) -> Tensor", &conv2dOperator);
}

}  // namespace
}  // namespace satin
