#include "nvrtc_cuda.h"

#include <dlfcn.h>

#include "cuda_source.h"

namespace satin {
namespace {

// Of nvrtc.h, which is not where every libtorch is; these declarations have not changed since CUDA 11.2.
using Result = int;
using Program = struct _nvrtcProgram*;
constexpr Result kSuccess = 0, kCompilationError = 6;

using GetErrorString = const char*(Result);
using Version = Result(int* major, int* minor);
using CreateProgram = Result(Program*, const char* source, const char* name, int headers, const char* const*, const char* const*);
using OnProgram = Result(Program*);
using AddNameExpression = Result(Program, const char*);
using CompileProgram = Result(Program, int count, const char* const* options);
using GetSize = Result(Program, size_t*);
using GetText = Result(Program, char*);
using GetLoweredName = Result(Program, const char* expression, const char** name);
using GetNumber = Result(int*);

// NVRTC loads its built-in functions by their bare name, which finds nothing beside itself in a Python environment.
void loadBuiltins(const SharedLibrary& library) {
  Version* version = library.function<Version>("nvrtcVersion");
  int major = 0, minor = 0;
  Dl_info info;
  if (version(&major, &minor) != kSuccess || dladdr(reinterpret_cast<void*>(version), &info) == 0) return;
  const std::string path = info.dli_fname, name = "libnvrtc-builtins.so." + std::to_string(major) + "." + std::to_string(minor);
  const size_t slash = path.rfind('/');
  // Where it is not there, NVRTC searches by itself, and says so if it finds none.
  if (slash != std::string::npos) dlopen((path.substr(0, slash + 1) + name).c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

Nvrtc::Nvrtc(const std::vector<std::string>& names)
    : library(names, "NVRTC, which compiles Satin's CUDA kernels (the package nvidia-cuda-nvrtc or a CUDA toolkit)") {
  loadBuiltins(library);
}

void Nvrtc::check(int result, const std::string& what, const std::string& log) const {
  if (result == kSuccess) return;
  const std::string reason = library.function<GetErrorString>("nvrtcGetErrorString")(result);
  throw std::runtime_error("NVRTC refused " + what + ": " + reason + "." + (log.empty() ? "" : "\n" + log));
}

// The newest architecture that the compiler knows, but none newer than the card.
std::string Nvrtc::architecture(int capability) const {
  int count = 0;
  check(library.function<GetNumber>("nvrtcGetNumSupportedArchs")(&count), "the number of architectures");
  std::vector<int> known(static_cast<size_t>(count));
  check(library.function<GetNumber>("nvrtcGetSupportedArchs")(known.data()), "the architectures");
  int best = 0;
  for (const int each : known) {
    if (each == capability) return "sm_" + std::to_string(capability);
    if (each < capability && each > best) best = each;
  }
  if (best == 0)
    throw std::runtime_error("Expected an NVRTC that compiles for compute capability " + std::to_string(capability / 10) + "." +
                             std::to_string(capability % 10) + ", which this one no longer does. Install a libtorch of an earlier CUDA.");
  return "compute_" + std::to_string(best);
}

CompiledKernel Nvrtc::compile(const std::string& file, const std::string& name, int capability) const {
  const char* source = cudaSource(file);
  if (source == nullptr) throw std::runtime_error("internal: there is no CUDA source " + file + ".");
  const std::string text = source + std::string("\nusing namespace satin;\n"), target = architecture(capability);
  const std::string options[] = {"--gpu-architecture=" + target, "--std=c++17", "--device-as-default-execution-space"};
  const char* words[] = {options[0].c_str(), options[1].c_str(), options[2].c_str()};

  Program program = nullptr;
  check(library.function<CreateProgram>("nvrtcCreateProgram")(&program, text.c_str(), file.c_str(), 0, nullptr, nullptr), file);
  struct Destroyed {
    ~Destroyed() { library.function<OnProgram>("nvrtcDestroyProgram")(&program); }
    const SharedLibrary& library;
    Program program;
  } const destroyed{library, program};

  check(library.function<AddNameExpression>("nvrtcAddNameExpression")(program, name.c_str()), name);
  const Result result = library.function<CompileProgram>("nvrtcCompileProgram")(program, 3, words);
  // a text that ends with the null that NVRTC counts too, or machine code
  const auto read = [&](const char* size, const char* get) {
    size_t bytes = 0;
    check(library.function<GetSize>(size)(program, &bytes), name);
    std::string bytesRead(bytes, '\0');
    check(library.function<GetText>(get)(program, bytesRead.data()), name);
    return bytesRead;
  };
  if (result != kSuccess)
    check(result, name + " of " + file, result == kCompilationError ? read("nvrtcGetProgramLogSize", "nvrtcGetProgramLog") : "");

  const char* symbol = nullptr;
  check(library.function<GetLoweredName>("nvrtcGetLoweredName")(program, name.c_str(), &symbol), name);
  const bool isMachineCode = target.compare(0, 3, "sm_") == 0;
  return {isMachineCode ? read("nvrtcGetCUBINSize", "nvrtcGetCUBIN") : read("nvrtcGetPTXSize", "nvrtcGetPTX"), symbol};
}

}  // namespace satin
