// satin::step_to_hyperplane: its arguments, and the kernel of projection_kernel.h for each example of a batch on the CPU, float32 and
// float64. CUDA's is in projection_cuda.cc.
#include "projection.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "projection_kernel.h"

namespace satin {
namespace {

template <typename Number>
void eachExample(bool euclidean, const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, at::Tensor& step) {
  const int64_t examples = x.size(0), count = examples == 0 ? 0 : x.numel() / examples;
  const Number *points = x.data_ptr<Number>(), *weights = w.data_ptr<Number>(), *excesses = excess.data_ptr<Number>();
  Number* steps = step.data_ptr<Number>();
  at::parallel_for(0, examples, 1, [&](int64_t begin, int64_t end) {
    at::Tensor scratch = at::empty({2 * count}, step.options());
    for (int64_t n = begin; n < end; n++)
      stepToHyperplane(euclidean, count, points + n * count, weights + n * count, excesses[n], scratch.data_ptr<Number>(), steps + n * count);
  });
}

}  // namespace

Hyperplanes hyperplanes(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess) {
  TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble, "Expected float32 or float64 for x.");
  TORCH_CHECK(x.dim() >= 1 && w.sizes() == x.sizes() && excess.dim() == 1 && excess.size(0) == x.size(0),
              "Expected a weight for each number of x and an excess for each example.");
  TORCH_CHECK(w.options().type_equal(x.options()) && excess.options().type_equal(x.options()),
              "Expected x, w and excess of one dtype and device.");
  // Pixel by pixel the order does not matter, as long as x and w have the same.
  const at::MemoryFormat format = w.suggest_memory_format();
  const at::Tensor points = x.detach().contiguous(format), weights = w.detach().contiguous(format);
  return {points, weights, excess.detach().contiguous(), at::empty(x.sizes(), points.options(), format)};
}

at::Tensor stepToHyperplaneCpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, bool euclidean) {
  Hyperplanes planes = hyperplanes(x, w, excess);
  if (x.scalar_type() == at::kFloat) eachExample<float>(euclidean, planes.x, planes.w, planes.excess, planes.step);
  else eachExample<double>(euclidean, planes.x, planes.w, planes.excess, planes.step);
  return planes.step;
}

at::Tensor stepToHyperplaneMeta(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, bool) {
  return hyperplanes(x, w, excess).step;
}

}  // namespace satin
