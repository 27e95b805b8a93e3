// Satin's operators: their schemas, and which function serves which of libtorch's dispatch keys. JavaScript reaches them
// through the same generic call as libtorch's own (call_operator.cc), and libtorch's dispatcher picks the function by the device of
// the tensors; no function tests for a device itself. Kernels for another device are one more block like those of the CPU and
// of CUDA.
//
// If a device has no entry, the operator is composed of libtorch's operators; step_to_hyperplane does not exist there. The steps of
// attacks after it are the CPU's, in float32: src/attacks/ composes them elsewhere. Dtypes and
// layouts are tested in the registered functions.
#include <torch/library.h>

#include "activation.h"
#include "all_reduce.h"
#include "attack_steps.h"
#include "convolution.h"
#include "batch_norm_activation.h"
#include "execution_plan.h"
#include "projection.h"

namespace satin {
namespace {

TORCH_LIBRARY(satin, library) {
  library.def("activate(Tensor x, Tensor? coefficients, float[] activation) -> Tensor");
  library.def("activate_backward(Tensor dy, Tensor x, Tensor? coefficients, float[] activation, bool learning) -> (Tensor, Tensor)");
  library.def("activate_composed(Tensor x, Tensor? coefficients, float[] activation) -> Tensor");
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
  library.def(
      "synchronised_batch_norm(Tensor x, Tensor weight, Tensor bias, Tensor? running_mean, Tensor? running_var, float momentum, "
      "float epsilon) -> Tensor");
  library.def("conv2d(Tensor x, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0) -> Tensor");
  library.def("winograd_weights(Tensor weight) -> (Tensor, Tensor)");
  library.def(
      "convolve_norm_activate(Tensor x, Tensor convolution, Tensor? transformed, Tensor? back, int[2] stride, int[2] padding, "
      "Tensor? residual, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, float epsilon, Tensor? coefficients, "
      "float[] activation) -> Tensor");
  library.def("plan_weights(Tensor weight, int[] geometry, bool back) -> Tensor");
  library.def("run_plan(Tensor images, Tensor[] constants, Tensor plan, Tensor curves) -> Tensor");
  library.def(
      "run_plan_near(Tensor images, Tensor near, Tensor(a!) memory, int[] slots, int leading, Tensor[] constants, Tensor plan, "
      "Tensor curves) -> Tensor");
  library.def("step_to_hyperplane(Tensor x, Tensor w, Tensor excess, bool euclidean) -> Tensor");
  library.def("project_in_l1(Tensor candidate, Tensor x, float epsilon) -> Tensor");
  library.def("sparse_direction(Tensor gradient, Tensor share) -> Tensor");
  library.def("greedy_step(Tensor x, Tensor w, Tensor excess) -> Tensor");
  library.def(
      "momentum_step(Tensor x, Tensor previous, Tensor gradient, Tensor step_size, Tensor origin, float epsilon, float share, "
      "bool euclidean) -> Tensor");
  library.def(
      "mix_projections(Tensor x, Tensor from_x, Tensor origin, Tensor from_origin, Tensor alpha, float overshoot) -> Tensor");
  library.def("change_square(Tensor x, Tensor best, Tensor window, Tensor signs, int side, float epsilon) -> Tensor");
  library.def("move_bump(Tensor x, Tensor best, Tensor to, Tensor from, Tensor bump, float epsilon, bool euclidean) -> Tensor");
  library.def("choose_images(Tensor chosen, Tensor yes, Tensor no) -> Tensor");
  library.def("all_reduce_sum(Tensor tensor) -> Tensor");
}

// The kernels of each device, below autograd.
TORCH_LIBRARY_IMPL(satin, CPU, library) {
  library.impl("activate", TORCH_FN(activateCpu));
  library.impl("activate_backward", TORCH_FN(activateBackwardCpu));
  library.impl("norm_activate", TORCH_FN(normActivateCpu));
  library.impl("norm_activate_forward", TORCH_FN(normActivateForwardCpu));
  library.impl("norm_activate_backward", TORCH_FN(normActivateBackwardCpu));
  library.impl("conv2d", TORCH_FN(conv2dCpu));
  library.impl("winograd_weights", TORCH_FN(winogradWeightsCpu));
  library.impl("convolve_norm_activate", TORCH_FN(convolveNormActivateCpu));
  library.impl("plan_weights", TORCH_FN(planWeightsCpu));
  library.impl("run_plan", TORCH_FN(runPlanCpu));
  library.impl("run_plan_near", TORCH_FN(runPlanNearCpu));
  library.impl("step_to_hyperplane", TORCH_FN(stepToHyperplaneCpu));
  library.impl("project_in_l1", TORCH_FN(projectInL1Cpu));
  library.impl("sparse_direction", TORCH_FN(sparseDirectionCpu));
  library.impl("greedy_step", TORCH_FN(greedyStepCpu));
  library.impl("momentum_step", TORCH_FN(momentumStepCpu));
  library.impl("mix_projections", TORCH_FN(mixProjectionsCpu));
  library.impl("change_square", TORCH_FN(changeSquareCpu));
  library.impl("move_bump", TORCH_FN(moveBumpCpu));
  library.impl("choose_images", TORCH_FN(chooseImagesCpu));
}

#ifdef SATIN_CUDA
TORCH_LIBRARY_IMPL(satin, CUDA, library) {
  library.impl("activate", TORCH_FN(activateCuda));
  library.impl("activate_backward", TORCH_FN(activateBackwardCuda));
  library.impl("norm_activate", TORCH_FN(normActivateCuda));
  library.impl("norm_activate_forward", TORCH_FN(normActivateForwardCuda));
  library.impl("norm_activate_backward", TORCH_FN(normActivateBackwardCuda));
  library.impl("step_to_hyperplane", TORCH_FN(stepToHyperplaneCuda));
}
#endif

// Tensors without numbers, which only have a shape.
TORCH_LIBRARY_IMPL(satin, Meta, library) {
  library.impl("step_to_hyperplane", TORCH_FN(stepToHyperplaneMeta));
}

// Every device without kernels: operators whose gradient is registered in the block Autograd.
TORCH_LIBRARY_IMPL(satin, CompositeExplicitAutograd, library) {
  library.impl("activate", TORCH_FN(activateComposed));
  library.impl("activate_backward", TORCH_FN(activateBackwardComposed));
  library.impl("winograd_weights", TORCH_FN(noWinogradWeights));
}

// Every device without kernels: compositions that libtorch differentiates.
TORCH_LIBRARY_IMPL(satin, CompositeImplicitAutograd, library) {
  library.impl("activate_composed", TORCH_FN(activateByReference));
  library.impl("norm_activate", TORCH_FN(normActivateComposed));
  library.impl("synchronised_batch_norm", TORCH_FN(synchronisedBatchNorm));
  library.impl("conv2d", TORCH_FN(conv2dComposed));
  library.impl("convolve_norm_activate", TORCH_FN(convolveNormActivateComposed));
  library.impl("all_reduce_sum", TORCH_FN(allReduceSum));
}

// Gradients on any device with an entry above; other devices use CompositeImplicitAutograd.
TORCH_LIBRARY_IMPL(satin, Autograd, library) {
  library.impl("activate", TORCH_FN(activateAutograd));
  library.impl("norm_activate", TORCH_FN(normActivateAutograd));
  // No gradient: their results are constants.
  library.impl("winograd_weights", torch::CppFunction::makeFallthrough());
  library.impl("run_plan_near", torch::CppFunction::makeFallthrough());
  library.impl("step_to_hyperplane", torch::CppFunction::makeFallthrough());
  for (const char* step : {"project_in_l1", "sparse_direction", "greedy_step", "momentum_step", "mix_projections", "change_square",
                           "move_bump", "choose_images"})
    library.impl(step, torch::CppFunction::makeFallthrough());
}

// Gradients of operators with a special implementation on the CPU.
TORCH_LIBRARY_IMPL(satin, AutogradCPU, library) {
  library.impl("conv2d", TORCH_FN(conv2dAutogradCpu));
  library.impl("convolve_norm_activate", TORCH_FN(convolveNormActivateAutogradCpu));
  library.impl("run_plan", TORCH_FN(runPlanAutogradCpu));
}

#ifdef SATIN_CUDA
// Gradients of operators whose kernels also take half precision.
TORCH_LIBRARY_IMPL(satin, AutogradCUDA, library) {
  library.impl("activate", TORCH_FN(activateAutogradCuda));
  library.impl("norm_activate", TORCH_FN(normActivateAutogradCuda));
}
#endif

// A trace contains libtorch's operators only, so that PyTorch reads it without Satin.
TORCH_LIBRARY_IMPL(satin, Tracer, library) {
  library.impl("activate", TORCH_FN(activateTraced));
  library.impl("norm_activate", TORCH_FN(normActivateTraced));
  library.impl("conv2d", TORCH_FN(conv2dTraced));
}

}  // namespace
}  // namespace satin
