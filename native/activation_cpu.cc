// satin::activate by the kernels of activation_kernel.h: float32 and float64 on the CPU, shared out between threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <vector>

#include "activation.h"
#include "dense_layout.h"

namespace satin {
namespace {

// Fewer numbers are not worth another thread.
constexpr int64_t kGrain = 32768;

template <typename Real>
void parallelValues(const Curve& curve, const at::Tensor& x, const at::Tensor& y) {
  const Real* from = x.data_ptr<Real>();
  Real* to = y.data_ptr<Real>();
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    activationValues(curve, end - begin, from + begin, to + begin);
  });
}

// Also adds up the coefficients' gradients where `sums` has places for them: one for each thread, added in their order.
template <typename Real>
void parallelGradients(const Curve& curve, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dx, const at::Tensor& sums) {
  const Real *upstream = dy.data_ptr<Real>(), *from = x.data_ptr<Real>();
  Real* to = dx.data_ptr<Real>();
  std::vector<std::array<double, 2>> threads(static_cast<size_t>(at::get_num_threads()));
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!sums.defined()) return activationGradients(curve, end - begin, upstream + begin, from + begin, to + begin);
    CoefficientSums<Real> part;
    activationGradients(curve, end - begin, upstream + begin, from + begin, to + begin, part);
    threads[static_cast<size_t>(at::get_thread_num())] = {part.total(0), part.total(1)};
  });
  if (!sums.defined()) return;
  for (int64_t i = 0; i < sums.size(0); i++) {
    double total = 0;
    for (const auto& each : threads) total += each[static_cast<size_t>(i)];
    sums.data_ptr<Real>()[i] = static_cast<Real>(total);
  }
}

}  // namespace

at::Tensor activateCpu(const at::Tensor& given, const OptionalTensor& coefficients, ActivationArgument activation) {
  if (isHalf(given)) return inFloat32(activateCpu, given, coefficients, activation);
  const Curve curve = forwardCurve(activationSpec(activation, given, coefficients), coefficients);
  const at::Tensor x = dense(given);
  at::Tensor y = at::empty_like(x);
  if (x.scalar_type() == at::kFloat) parallelValues<float>(curve, x, y);
  else parallelValues<double>(curve, x, y);
  return y;
}

std::tuple<at::Tensor, at::Tensor> activateBackwardCpu(const at::Tensor& dy, const at::Tensor& given,
                                                       const OptionalTensor& coefficients, ActivationArgument activation,
                                                       bool learning) {
  const ActivationSpec spec = activationSpec(activation, given, coefficients);
  checkLearning(spec, coefficients, learning);
  TORCH_CHECK(dy.sizes() == given.sizes(), "Expected a gradient of x's shape.");
  const Curve curve = backwardCurve(spec, coefficients);
  const at::Tensor x = dense(given), upstream = likeLayout(dy, x);
  at::Tensor dx = at::empty_like(x);
  const at::Tensor sums = learning ? at::empty_like(*coefficients) : at::Tensor();
  if (x.scalar_type() == at::kFloat) parallelGradients<float>(curve, upstream, x, dx, sums);
  else parallelGradients<double>(curve, upstream, x, dx, sums);
  return {dx, sums};
}

}  // namespace satin
