// The operators of the CUDA half as `satin_emulated::...`, for tensors of the CPU: all of it but libtorch's stream and the
// driver. Node loads this as an addon beside the binding, whose operators are what the results are compared with.
#include <node_api.h>
#include <torch/library.h>

#include "emulator.h"

#include "../../../native/activation_cuda.cc"
#include "../../../native/batch_norm_activation_cuda.cc"
#include "../../../native/curve_cuda.cc"
#include "../../../native/kernel_name_cuda.cc"
#include "../../../native/noise_cuda.cc"
#include "../../../native/noise_kernel.h"
#include "../../../native/projection_cuda.cc"

namespace satin {

void launchKernel(const at::Tensor& place, const KernelName& kernel, Grid grid, const void* arguments) {
  if (grid.x == 0 || grid.y == 0) return;
  const std::string name = std::string(kernel.file) + " " + kernel.text;
  const auto found = emulated::kernels().find(name);
  TORCH_CHECK(found != emulated::kernels().end(), "There is no kernel ", name, ".");
  emulated::run(grid.x, grid.y, kThreads, [&] { found->second(arguments); });
}

// A process alone; the binding's own knows of ranks.
int rankCount() { return 1; }
at::Tensor allReduceSum(const at::Tensor& tensor) { return tensor; }

namespace {

// As the function of the same name in native/noise.cc, into a tensor like `out`.
at::Tensor noiseEmulated(bool normal, at::IntArrayRef key, const at::Tensor& ids, const at::Tensor& out) {
  const auto word = [&](size_t i) { return static_cast<uint32_t>(key[i]); };
  const uint64_t drawKey = keyOf({static_cast<uint64_t>(key[0]), word(1), word(2), word(3), word(4), word(5)});
  at::Tensor result = at::empty_like(out);
  drawNoiseCuda(normal ? Distribution::kNormal : Distribution::kUniform, drawKey, ids, result);
  return result;
}

TORCH_LIBRARY(satin_emulated, library) {
  library.def("activate(Tensor x, Tensor? coefficients, float[] activation) -> Tensor");
  library.def("activate_backward(Tensor dy, Tensor x, Tensor? coefficients, float[] activation, bool learning) -> (Tensor, Tensor)");
  library.def(
      "activate_backward_composed(Tensor dy, Tensor x, Tensor? coefficients, float[] activation, bool learning) -> (Tensor, Tensor)");
  library.def(
      "norm_activate(Tensor x, Tensor? residual, Tensor weight, Tensor bias, Tensor? running_mean, Tensor? running_var, bool train, "
      "float momentum, float epsilon, Tensor? coefficients, float[] activation, bool synchronised=False) -> Tensor");
  library.def(
      "norm_activate_forward(Tensor x, Tensor? residual, Tensor weight, Tensor bias, Tensor? running_mean, Tensor? running_var, "
      "bool train, float momentum, float epsilon, Tensor? coefficients, float[] activation, bool synchronised) -> "
      "(Tensor, Tensor, Tensor, Tensor, Tensor)");
  library.def(
      "norm_activate_backward(Tensor dy, Tensor x, Tensor? residual, Tensor mean, Tensor inverse, Tensor scale, Tensor shift, "
      "Tensor? coefficients, bool train, float[] activation, bool synchronised, bool learning) -> "
      "(Tensor, Tensor, Tensor, Tensor, Tensor)");
  library.def("step_to_hyperplane(Tensor x, Tensor w, Tensor excess, bool euclidean) -> Tensor");
  library.def("noise(bool normal, int[] key, Tensor ids, Tensor out) -> Tensor");
}

TORCH_LIBRARY_IMPL(satin_emulated, CPU, library) {
  library.impl("activate", TORCH_FN(activateCuda));
  library.impl("activate_backward", TORCH_FN(activateBackwardCuda));
  library.impl("activate_backward_composed", TORCH_FN(activateBackwardComposed));
  library.impl("norm_activate", TORCH_FN(normActivateCuda));
  library.impl("norm_activate_forward", TORCH_FN(normActivateForwardCuda));
  library.impl("norm_activate_backward", TORCH_FN(normActivateBackwardCuda));
  library.impl("step_to_hyperplane", TORCH_FN(stepToHyperplaneCuda));
  library.impl("noise", TORCH_FN(noiseEmulated));
}

}  // namespace
}  // namespace satin

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env, napi_value exports) { return exports; }
