// The device `mock`, for tests on a machine without a graphics card: tensors in memory of the CPU that libtorch takes for
// another device's. Every operator is computed on copies on the CPU, so that what holds there (no operator meets tensors of
// two devices, an attack's loop reads nothing) holds on a card. Reads by the CPU are counted, as those that a card must
// wait for.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#if SATIN_LIBTORCH_MAJOR > 2 || (SATIN_LIBTORCH_MAJOR == 2 && SATIN_LIBTORCH_MINOR >= 1)
#define SATIN_MOCK_HOOKS
#include <ATen/detail/PrivateUse1HooksInterface.h>
#endif

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "mock_device.h"

namespace satin {
namespace {

int64_t reads = 0;
// Reads by operators that are computed on the CPU do not count: on a card they would be computed there.
thread_local int computing = 0;

const c10::Device kDevice(c10::DeviceType::PrivateUse1, 0);

struct Guard final : c10::impl::DeviceGuardImplInterface {
  Guard() = default;
  explicit Guard(c10::DeviceType) {}
  c10::DeviceType type() const override { return kDevice.type(); }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  // Autograd starts a thread for each device that there is.
  c10::DeviceIndex deviceCount() const noexcept override { return hasMockDevice() ? 1 : 0; }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

void release(void* memory) { ::operator delete(memory, std::align_val_t{64}); }

#if SATIN_LIBTORCH_MAJOR >= 2
#define SATIN_ALLOCATE_CONST
#else
#define SATIN_ALLOCATE_CONST const
#endif

struct MockAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) SATIN_ALLOCATE_CONST override {
    void* memory = ::operator new(bytes, std::align_val_t{64});
    return {memory, memory, &release, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
#if SATIN_LIBTORCH_MAJOR >= 2
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
#endif
};
MockAllocator allocator;

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

template <typename T>
#if SATIN_LIBTORCH_MAJOR >= 2
using Optional = std::optional<T>;
#else
using Optional = c10::optional<T>;
#endif

at::Tensor empty(at::IntArrayRef size, Optional<at::ScalarType> dtype, Optional<at::Layout>, Optional<at::Device>, Optional<bool>,
                 Optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, kKeys, dtype.value_or(at::kFloat), format);
}

at::Tensor emptyStrided(at::IntArrayRef size, at::IntArrayRef stride, Optional<at::ScalarType> dtype, Optional<at::Layout>,
                        Optional<at::Device>, Optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator, kKeys, dtype.value_or(at::kFloat));
}

// The same memory as a tensor of the CPU.
at::Tensor onCpu(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  return at::from_blob(tensor.numel() == 0 ? nullptr : tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       tensor.options().device(at::kCPU).requires_grad(false));
}

Optional<at::Tensor> onCpu(const Optional<at::Tensor>& tensor) {
  return tensor.has_value() && tensor->defined() ? Optional<at::Tensor>(onCpu(*tensor)) : Optional<at::Tensor>();
}

at::Tensor copyFrom(const at::Tensor& from, const at::Tensor& to, bool) {
  if (to.is_cpu() && computing == 0) reads++;
  onCpu(to).copy_(onCpu(from));
  return to;
}

// What an operator that was computed on the CPU wrote into its argument.
at::Tensor copyFromAndResize(const at::Tensor& from, const at::Tensor& to) {
  if (to.sizes() == from.sizes()) return copyFrom(from, to, false);
  to.unsafeGetTensorImpl()->shallow_copy_from(from.to(kDevice).getIntrusivePtr());
  return to;
}

// A view; the fallback would take it of a copy that lies otherwise.
at::Tensor reshapeAlias(const at::Tensor& tensor, at::IntArrayRef size, at::IntArrayRef stride) {
  return at::native::as_strided_tensorimpl(tensor, size, stride, tensor.storage_offset());
}

at::Scalar item(const at::Tensor& tensor) {
  if (computing == 0) reads++;
  return onCpu(tensor).item();
}

// Operators on lists of tensors, on the same memory: the fallback takes copies of the lists and leaves the tensors as they are.
void onLists(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  for (c10::IValue& value : *stack) {
    if (value.isTensor()) value = onCpu(value.toTensor());
    if (!value.isTensorList()) continue;
    c10::List<at::Tensor> list;
    for (const at::Tensor each : value.toTensorList()) list.push_back(onCpu(each));
    value = list;
  }
  op.callBoxed(stack);
  for (c10::IValue& value : *stack) {
    c10::List<at::Tensor> list;
    for (const at::Tensor each : value.toTensorList()) list.push_back(each.to(kDevice));
    value = list;
  }
}

void onTheCpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  computing++;
  try {
    if (op.schema().name().rfind("aten::_foreach", 0) == 0)
      onLists(op, stack);
    else
      at::native::cpu_fallback(op, stack);
  } catch (...) {
    computing--;
    throw;
  }
  computing--;
}

at::Tensor moved(const at::Tensor& tensor) { return tensor.defined() ? tensor.to(kDevice) : tensor; }

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const Optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef outputPadding,
                       int64_t groups) {
  return moved(at::convolution(onCpu(x), onCpu(weight), onCpu(bias), stride, padding, dilation, transposed, outputPadding, groups));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                                                   at::IntArrayRef stride, at::IntArrayRef padding,
                                                                   at::IntArrayRef dilation, bool transposed,
                                                                   at::IntArrayRef outputPadding, int64_t groups,
                                                                   std::array<bool, 3> wanted) {
  const int64_t outputs[1] = {weight.size(0)};
  const auto [dx, dWeight, dBias] = at::convolution_backward(onCpu(dy), onCpu(x), onCpu(weight), at::IntArrayRef(outputs), stride, padding,
                                                             dilation, transposed, outputPadding, groups, wanted);
  return {moved(dx), moved(dWeight), moved(dBias)};
}

// Moves the running statistics, which its schema does not say: the fallback would leave them as they were.
std::tuple<at::Tensor, at::Tensor, at::Tensor> batchNorm(const at::Tensor& x, const Optional<at::Tensor>& weight,
                                                         const Optional<at::Tensor>& bias, const Optional<at::Tensor>& mean,
                                                         const Optional<at::Tensor>& variance, bool train, double momentum,
                                                         double epsilon) {
  const auto [y, savedMean, savedInverse] =
      at::native_batch_norm(onCpu(x), onCpu(weight), onCpu(bias), onCpu(mean), onCpu(variance), train, momentum, epsilon);
  return {moved(y), moved(savedMean), moved(savedInverse)};
}

// The fallback of libtorch 1.13 leaves lists of optional tensors where they are.
at::Tensor index(const at::Tensor& tensor, const c10::List<Optional<at::Tensor>>& indices) {
  c10::List<Optional<at::Tensor>> taken;
  for (const Optional<at::Tensor> each : indices) taken.push_back(onCpu(each));
  return moved(at::index(onCpu(tensor), taken));
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&onTheCpu>()); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(emptyStrided));
  library.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("_reshape_alias", TORCH_FN(reshapeAlias));
  library.impl("_copy_from", TORCH_FN(copyFrom));
  library.impl("_copy_from_and_resize", TORCH_FN(copyFromAndResize));
  library.impl("_local_scalar_dense", TORCH_FN(item));
  library.impl("index.Tensor", TORCH_FN(index));
  library.impl("native_batch_norm", TORCH_FN(batchNorm));
  library.impl("convolution_overrideable", TORCH_FN(convolution));
  library.impl("convolution_backward_overrideable", TORCH_FN(convolutionBackward));
}

#ifdef SATIN_MOCK_HOOKS
struct Hooks final : at::PrivateUse1HooksInterface {
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};
#endif

}  // namespace

bool hasMockDevice() {
  const char* wanted = std::getenv("SATIN_MOCK_DEVICE");
  return wanted != nullptr && std::string(wanted) == "1";
}

c10::Device mockDevice() {
#ifdef SATIN_MOCK_HOOKS
  static const bool registered = [] {
    at::RegisterPrivateUse1HooksInterface(new Hooks());
    c10::register_privateuse1_backend("mock");
    return true;
  }();
  static_cast<void>(registered);
#endif
  return kDevice;
}

int64_t mockReads() { return reads; }

}  // namespace satin
