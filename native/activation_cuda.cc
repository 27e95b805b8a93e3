// satin::activate by the kernels of cuda/activation.cu: float32, float64, bfloat16 and float16 on a graphics card.
#include <ATen/ATen.h>

#include "activation.h"
#include "cuda/activation_arguments.h"
#include "curve_cuda.h"
#include "dense_layout.h"
#include "launch_cuda.h"

namespace satin {
namespace {

// Blocks that add up coefficients' gradients; elsewhere there may be as many as there are packs.
constexpr int64_t kSumBlocks = 1024, kBlocks = 1 << 20;

int64_t packOf(const at::Tensor& x) { return 16 / static_cast<int64_t>(x.element_size()); }

}  // namespace

at::Tensor activateCuda(const at::Tensor& given, const OptionalTensor& coefficients, ActivationArgument activation) {
  const ActivationSpec spec = activationSpec(activation, given, coefficients);
  const CudaCurve curve = CudaCurve::forward(spec, given, coefficients);
  const at::Tensor x = dense(given);
  at::Tensor y = at::empty_like(x);
  const ActivateForward arguments{x.data_ptr(), y.data_ptr(), x.numel(), curve.arguments()};
  launch(x, {"activation.cu", "activateForward", {nameOfClass(curve.curve.kind), nameOfStorage(x.scalar_type())}},
         gridOf(x.numel(), packOf(x), kBlocks), arguments);
  return y;
}

std::tuple<at::Tensor, at::Tensor> activateBackwardCuda(const at::Tensor& dy, const at::Tensor& given,
                                                        const OptionalTensor& coefficients, ActivationArgument activation,
                                                        bool learning) {
  const ActivationSpec spec = activationSpec(activation, given, coefficients);
  checkLearning(spec, coefficients, learning);
  TORCH_CHECK(dy.sizes() == given.sizes() && dy.scalar_type() == given.scalar_type(), "Expected a gradient of x's shape and dtype.");
  const CudaCurve curve = CudaCurve::backward(spec, given, coefficients);
  const at::Tensor x = dense(given), upstream = likeLayout(dy, x);
  at::Tensor dx = at::empty_like(x);
  const Grid grid = gridOf(x.numel(), packOf(x), learning ? kSumBlocks : kBlocks);
  const at::Tensor partials = learning ? at::empty({grid.x, 2}, x.options().dtype(at::kDouble)) : at::Tensor();
  const ActivateBackward arguments{upstream.data_ptr(), x.data_ptr(), dx.data_ptr(), x.numel(), curve.arguments(),
                                   learning ? partials.data_ptr<double>() : nullptr};
  launch(x, {"activation.cu", "activateBackward", {nameOfClass(curve.curve.kind), nameOfStorage(x.scalar_type()), nameOf(learning)}},
         grid, arguments);
  return {dx, learning ? coefficientGradient(partials, curve, *coefficients) : at::Tensor()};
}

}  // namespace satin
