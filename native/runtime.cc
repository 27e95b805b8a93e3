// The engine as a whole: its start, its threads, what it can do, and its warnings.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <c10/util/Logging.h>

#include <atomic>
#include <functional>
#include <mutex>

#include "napi_convert.h"

namespace satin {

void installAllocator();

namespace {

std::mutex warningMutex;
std::vector<std::string>& warnings() {
  static auto* instance = new std::vector<std::string>();
  return *instance;
}

// libtorch prints warnings in the middle of the progress display; here they are collected until they are read.
#if SATIN_LIBTORCH_MAJOR >= 2
using Handler = c10::WarningHandler;
namespace Warnings = c10::WarningUtils;
struct Collector final : Handler {
  void process(const c10::Warning& warning) override {
    std::lock_guard<std::mutex> lock(warningMutex);
    if (warnings().size() < 100) warnings().push_back(warning.msg());
  }
};
#else
using Handler = c10::WarningHandler;
namespace Warnings = c10::Warning;
struct Collector final : Handler {
  void process(const c10::SourceLocation&, const std::string& message, const bool) override {
    std::lock_guard<std::mutex> lock(warningMutex);
    if (warnings().size() < 100) warnings().push_back(message);
  }
};
#endif

// libtorch 1.13 names its instruction set nowhere but in this text.
std::string cpuCapability() {
  const std::string config = at::show_config();
  const std::string label = "CPU capability usage: ";
  const size_t start = config.find(label);
  if (start == std::string::npos) return "unknown";
  return config.substr(start + label.size(), config.find('\n', start) - start - label.size());
}

}  // namespace

void startEngine() {
  static bool started = false;
  if (started) return;
  installAllocator();
  Warnings::set_warning_handler(new Collector());
  // The same bits each time, and float32 that is float32: libtorch's own defaults are neither.
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  // Errors are reported by their first line: symbolising a backtrace costs 10 ms each time.
  c10::SetStackTraceFetcher(std::function<std::string()>([] { return std::string(); }));
  started = true;
}

napi_value setThreads(Arguments& arguments) {
  const int64_t threads = arguments.integer(0, "threads");
  if (threads < 1 || threads > 1024)
    throw WrongArgument("Expected 1 to 1024 threads but received " + std::to_string(threads) + ".");
  at::set_num_threads(static_cast<int>(threads));
  return undefined(arguments.env);
}

// engine() -> [libtorch version, threads, cuda, mkldnn, mkl, the CPU capability that libtorch uses]
napi_value engine(Arguments& arguments) {
  napi_env env = arguments.env;
  const auto& context = at::globalContext();
  napi_value result;
  check(env, napi_create_array_with_length(env, 6, &result));
  const napi_value values[6] = {fromText(env, SATIN_LIBTORCH_VERSION), fromNumber(env, at::get_num_threads()),
                                fromBoolean(env, context.hasCUDA()), fromBoolean(env, context.hasMKLDNN()),
                                fromBoolean(env, context.hasMKL()), fromText(env, cpuCapability())};
  for (uint32_t i = 0; i < 6; i++) check(env, napi_set_element(env, result, i, values[i]));
  return result;
}

napi_value takeWarnings(Arguments& arguments) {
  napi_env env = arguments.env;
  std::lock_guard<std::mutex> lock(warningMutex);
  napi_value result;
  check(env, napi_create_array_with_length(env, warnings().size(), &result));
  for (size_t i = 0; i < warnings().size(); i++)
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromText(env, warnings()[i])));
  warnings().clear();
  return result;
}

// parallelWidth() -> how many threads a parallel loop of this binary really runs on: 1 means that it was compiled
// without OpenMP and its kernels are slow without saying so.
napi_value parallelWidth(Arguments& arguments) {
  std::atomic<int> width{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) { width++; });
  return fromNumber(arguments.env, width.load());
}

}  // namespace satin
