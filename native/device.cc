#include "device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#ifdef SATIN_CUDA
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include "mock_device.h"
#include "tensor.h"

namespace satin {
namespace {

#ifdef SATIN_CUDA
int64_t cardCount() { return static_cast<int64_t>(c10::cuda::device_count()); }
#else
int64_t cardCount() { return 0; }
#endif

}  // namespace

c10::Device deviceFromName(const std::string& name) {
  if (name == "cpu" || name == "meta") return c10::Device(name);
  if (name == "mock" && hasMockDevice()) return mockDevice();
  const size_t digits = name.size() - 5;
  const bool isCard = name.rfind("cuda:", 0) == 0 && digits >= 1 && digits <= 3 &&
                      name.find_first_not_of("0123456789", 5) == std::string::npos;
  if (!isCard) throw WrongArgument("Expected cpu, meta or cuda:N for device but received '" + name + "'.");
  const int64_t index = std::stoll(name.substr(5));
  if (index >= cardCount())
    throw WrongArgument("Expected a graphics card for device but received '" + name + "', and the engine finds " +
                        std::to_string(cardCount()) + ".");
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

std::string nameOfDevice(c10::Device device) { return device.type() == c10::kPrivateUse1 ? "mock" : device.str(); }

at::Tensor emptyForUpload(at::IntArrayRef shape, c10::ScalarType dtype, c10::Device device) {
  // libtorch's allocator of pinned memory hands a block out again only when the copies from it are done.
  return at::empty(shape, at::TensorOptions().dtype(dtype).pinned_memory(device.is_cuda()));
}

at::Tensor onDevice(const at::Tensor& tensor, c10::Device device) {
  if (!device.is_cuda() || !tensor.is_cpu() || tensor.requires_grad()) return tensor.to(device);
  if (tensor.is_pinned()) return tensor.to(device, tensor.scalar_type(), /*non_blocking=*/true);
  // From other memory the driver would wait for the card; this copy takes no longer than its own would.
  at::Tensor staged = at::empty_like(tensor, tensor.options().pinned_memory(true));
  return staged.copy_(tensor).to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

// toDevice(tensor, device) -> a handle of the tensor there; of the tensor itself where it is there already
napi_value toDevice(Arguments& arguments) {
  const at::Tensor& tensor = tensorOf(arguments.env, arguments.values[0], "the tensor");
  return fromTensor(arguments.env, onDevice(tensor, deviceFromName(arguments.text(1, "device"))));
}

// cards() -> for each graphics card: [name, compute capability, bytes of memory]
napi_value cards(Arguments& arguments) {
  napi_env env = arguments.env;
  napi_value result;
  check(env, napi_create_array(env, &result));
#ifdef SATIN_CUDA
  for (int64_t i = 0; i < cardCount(); i++) {
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, static_cast<int>(i)));
    napi_value card;
    check(env, napi_create_array_with_length(env, 3, &card));
    const std::string capability = std::to_string(properties.major) + "." + std::to_string(properties.minor);
    const napi_value values[3] = {fromText(env, properties.name), fromText(env, capability),
                                  fromNumber(env, static_cast<double>(properties.totalGlobalMem))};
    for (uint32_t value = 0; value < 3; value++) check(env, napi_set_element(env, card, value, values[value]));
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i), card));
  }
#endif
  return result;
}

// synchronise(device): waits until everything that was asked of the device is done
napi_value synchronise(Arguments& arguments) {
  const c10::Device device = deviceFromName(arguments.text(0, "device"));
#ifdef SATIN_CUDA
  if (device.is_cuda()) {
    const c10::cuda::CUDAGuard guard(device);
    c10::cuda::device_synchronize();
  }
#else
  static_cast<void>(device);
#endif
  return undefined(arguments.env);
}

// setTensorFloat32(allowed): whether matrix products and convolutions of float32 on a card may round their factors to
// TensorFloat-32; libtorch's default is that convolutions may. Returns what held before.
napi_value setTensorFloat32(Arguments& arguments) {
  auto& context = at::globalContext();
  const bool before = context.allowTF32CuDNN();
  const bool allowed = arguments.boolean(0, "allowed");
  context.setAllowTF32CuDNN(allowed);
  context.setAllowTF32CuBLAS(allowed);
  return fromBoolean(arguments.env, before);
}

}  // namespace satin
