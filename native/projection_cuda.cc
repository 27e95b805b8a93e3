// satin::step_to_hyperplane by the kernel of cuda/projection.cu: float32 and float64 on a graphics card.
#include <ATen/ATen.h>

#include "cuda/projection_arguments.h"
#include "launch_cuda.h"
#include "projection.h"

namespace satin {

at::Tensor stepToHyperplaneCuda(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess, bool euclidean) {
  const Hyperplanes planes = hyperplanes(x, w, excess);
  const int64_t examples = x.size(0), count = examples == 0 ? 0 : x.numel() / examples;
  const StepToHyperplane arguments{planes.x.data_ptr(), planes.w.data_ptr(), planes.excess.data_ptr(), planes.step.data_ptr(), count};
  launch(x, {"projection.cu", "stepToHyperplane", {nameOfStorage(x.scalar_type()), nameOf(euclidean)}}, {examples}, arguments);
  return planes.step;
}

}  // namespace satin
