#include "launch_cuda.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <map>
#include <mutex>
#include <utility>

#include "nvrtc_cuda.h"
#include "shared_library.h"

namespace satin {
namespace {

// Of cuda.h; these functions have not changed since CUDA 5. libtorch works with the driver through the runtime, which
// cannot load compiled code in every version that libtorch supports.
using Result = int;
using Module = struct CUmod_st*;
using Function = struct CUfunc_st*;
using Stream = struct CUstream_st*;
using Context = struct CUctx_st*;
constexpr Result kSuccess = 0;
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;

struct Driver {
  SharedLibrary library{{"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"}, "NVIDIA's driver"};
  Result (*getErrorString)(Result, const char**) = library.function<Result(Result, const char**)>("cuGetErrorString");
  Result (*currentContext)(Context*) = library.function<Result(Context*)>("cuCtxGetCurrent");
  Result (*currentDevice)(int*) = library.function<Result(int*)>("cuCtxGetDevice");
  Result (*attribute)(int*, int, int) = library.function<Result(int*, int, int)>("cuDeviceGetAttribute");
  Result (*loadModule)(Module*, const void*) = library.function<Result(Module*, const void*)>("cuModuleLoadData");
  Result (*getFunction)(Function*, Module, const char*) = library.function<Result(Function*, Module, const char*)>("cuModuleGetFunction");
  using Launch = Result(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void**, void**);
  Launch* launch = library.function<Launch>("cuLaunchKernel");

  void check(Result result, const std::string& what) const {
    if (result == kSuccess) return;
    const char* reason = nullptr;
    getErrorString(result, &reason);
    TORCH_CHECK(false, "The driver refused ", what, ": ", reason == nullptr ? "unknown error" : reason, ".");
  }
};

const Driver& driver() {
  static const Driver instance;
  return instance;
}

// The compiler of the CUDA that the binding was compiled for. An unpacked libtorch has it under a name of its own, but also a
// library that is linked to it.
const Nvrtc& nvrtc() {
  const std::string major = std::to_string(CUDART_VERSION / 1000);
  static const Nvrtc instance({"libnvrtc.so." + (major == "11" ? "11.2" : major), "libnvrtc.so", "libcaffe2_nvrtc.so"});
  return instance;
}

// A thread that has not used the card yet has no context, until the runtime makes it one.
void ensureContext() {
  Context context = nullptr;
  driver().check(driver().currentContext(&context), "the current context");
  if (context == nullptr) C10_CUDA_CHECK(cudaFree(nullptr));
}

Function load(const KernelName& kernel) {
  int device = 0, major = 0, minor = 0;
  driver().check(driver().currentDevice(&device), "the current device");
  driver().check(driver().attribute(&major, kCapabilityMajor, device), "its compute capability");
  driver().check(driver().attribute(&minor, kCapabilityMinor, device), "its compute capability");
  const CompiledKernel compiled = nvrtc().compile(kernel.file, kernel.text, 10 * major + minor);
  Module module = nullptr;
  Function function = nullptr;
  driver().check(driver().loadModule(&module, compiled.binary.data()), kernel.text);
  driver().check(driver().getFunction(&function, module, compiled.symbol.c_str()), kernel.text);
  return function;
}

// The loaded kernel of a device; a module stays loaded until the process ends.
Function functionOf(int device, const KernelName& kernel) {
  static std::mutex mutex;  // the threads of autograd start kernels too
  static std::map<std::pair<int, std::string>, Function> loaded;
  const std::lock_guard<std::mutex> lock(mutex);
  const std::pair<int, std::string> key(device, kernel.text);
  const auto found = loaded.find(key);
  if (found != loaded.end()) return found->second;
  return loaded[key] = load(kernel);
}

}  // namespace

void launchKernel(const at::Tensor& place, const KernelName& kernel, Grid grid, const void* arguments) {
  if (grid.x == 0 || grid.y == 0) return;
  const c10::cuda::CUDAGuard guard(place.device());
  ensureContext();
  const int device = place.device().index();
  const Function function = functionOf(device, kernel);
  const Stream stream = c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)).stream();
  void* parameters[] = {const_cast<void*>(arguments)};
  const auto size = [](int64_t number) { return static_cast<unsigned>(number); };
  driver().check(driver().launch(function, size(grid.x), size(grid.y), 1, kThreads, 1, 1, 0, stream, parameters, nullptr), kernel.text);
}

}  // namespace satin
