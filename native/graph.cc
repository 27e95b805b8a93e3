// CUDA graphs: the operators of a piece of work recorded once on a card, and launched again as a whole.
#include <ATen/ATen.h>

#ifdef SATIN_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <memory>

#include "device.h"
#include "tensor.h"

namespace satin {

#ifdef SATIN_CUDA
namespace {

// Never destroyed, like the table of tensors. A number is given once.
std::vector<std::unique_ptr<at::cuda::CUDAGraph>>& graphs() {
  static auto* instance = new std::vector<std::unique_ptr<at::cuda::CUDAGraph>>();
  return *instance;
}

// A recording takes a stream of its own; what ran before on the usual one must be done.
struct Recording {
  explicit Recording(c10::Device device)
      : usual(c10::cuda::getCurrentCUDAStream(device.index())), own(c10::cuda::getStreamFromPool(false, device.index())) {
    const c10::cuda::CUDAGuard guard(device);
    c10::cuda::device_synchronize();
    c10::cuda::setCurrentCUDAStream(own);
  }
  ~Recording() {
    own.synchronize();
    c10::cuda::setCurrentCUDAStream(usual);
  }
  c10::cuda::CUDAStream usual, own;
  std::unique_ptr<at::cuda::CUDAGraph> graph;
};
std::unique_ptr<Recording>& recording() {
  static auto* instance = new std::unique_ptr<Recording>();
  return *instance;
}

at::cuda::CUDAGraph& graphOf(const Arguments& arguments) {
  const int64_t index = arguments.integer(0, "the graph");
  if (index < 0 || index >= static_cast<int64_t>(graphs().size()) || graphs()[static_cast<size_t>(index)] == nullptr)
    throw Disposed("Expected a recorded graph but received one that was disposed of or never recorded.");
  return *graphs()[static_cast<size_t>(index)];
}

Recording& running() {
  if (recording() == nullptr) throw std::runtime_error("internal: no graph is being recorded.");
  return *recording();
}

}  // namespace

// prepareRecording(device): what follows runs on a stream of its own, as the recording will, to warm up what is made at the
// first call of an operator
napi_value prepareRecording(Arguments& arguments) {
  recording() = std::make_unique<Recording>(deviceFromName(arguments.text(0, "device")));
  return undefined(arguments.env);
}

// beginRecording(): what follows is recorded and not run
napi_value beginRecording(Arguments& arguments) {
  Recording& current = running();
  current.own.synchronize();
  current.graph = std::make_unique<at::cuda::CUDAGraph>();
#if SATIN_LIBTORCH_MAJOR > 2 || (SATIN_LIBTORCH_MAJOR == 2 && SATIN_LIBTORCH_MINOR >= 1)
  // Other threads, such as those of NCCL, may ask the driver for what the strictest mode forbids.
  current.graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
#else
  current.graph->capture_begin();
#endif
  return undefined(arguments.env);
}

// endRecording() -> the graph's number
napi_value endRecording(Arguments& arguments) {
  Recording& current = running();
  current.graph->capture_end();
  graphs().push_back(std::move(current.graph));
  recording().reset();
  return fromNumber(arguments.env, static_cast<double>(graphs().size() - 1));
}

// abandonRecording(): after an error in what is recorded
napi_value abandonRecording(Arguments& arguments) {
  if (recording() != nullptr && recording()->graph != nullptr) {
    try {
      recording()->graph->capture_end();
    } catch (const std::exception&) {  // it was invalid; the error that led here is the one to tell
    }
  }
  recording().reset();
  return undefined(arguments.env);
}

// replayGraph(graph): launches it on the current stream
napi_value replayGraph(Arguments& arguments) {
  graphOf(arguments).replay();
  return undefined(arguments.env);
}

// releaseGraph(graph): frees it and its memory; doing so twice is harmless
napi_value releaseGraph(Arguments& arguments) {
  const int64_t index = arguments.integer(0, "the graph");
  if (index >= 0 && index < static_cast<int64_t>(graphs().size())) graphs()[static_cast<size_t>(index)].reset();
  return undefined(arguments.env);
}

#else

namespace {
[[noreturn]] void refuse() { throw WrongArgument("Expected an engine with CUDA to record a graph but this one has none."); }
}  // namespace

napi_value prepareRecording(Arguments&) { refuse(); }
napi_value beginRecording(Arguments&) { refuse(); }
napi_value endRecording(Arguments&) { refuse(); }
napi_value abandonRecording(Arguments&) { refuse(); }
napi_value replayGraph(Arguments&) { refuse(); }
napi_value releaseGraph(Arguments& arguments) { return undefined(arguments.env); }

#endif

}  // namespace satin
