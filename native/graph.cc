// CUDA graphs: the operators of a piece of work recorded once on a card, and launched again as a whole.
#include <ATen/ATen.h>

#ifdef SATIN_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <map>
#include <memory>

#include "device.h"
#include "tensor.h"

#if SATIN_LIBTORCH_MAJOR > 2 || (SATIN_LIBTORCH_MAJOR == 2 && SATIN_LIBTORCH_MINOR >= 3)
#define SATIN_CAPTURE_MODES
#endif

namespace satin {

#ifdef SATIN_CUDA
namespace {

// Never destroyed, like the table of tensors. A number is given once.
std::vector<std::unique_ptr<at::cuda::CUDAGraph>>& graphs() {
  static auto* instance = new std::vector<std::unique_ptr<at::cuda::CUDAGraph>>();
  return *instance;
}

// The stream on which a card records: always the same, since libraries keep a workspace for each that they have seen.
c10::cuda::CUDAStream recordingStream(c10::Device device) {
  static auto* streams = new std::map<c10::DeviceIndex, c10::cuda::CUDAStream>();
  const auto found = streams->find(device.index());
  if (found != streams->end()) return found->second;
  return streams->emplace(device.index(), c10::cuda::getStreamFromPool(false, device.index())).first->second;
}

// What is done about a failure must not hide it.
template <typename Body>
void quietly(Body body) {
  try {
    body();
  } catch (const std::exception&) {
  }
}

// A recording takes a stream of its own, on its card; what ran before on the usual one must be done.
struct Recording {
  explicit Recording(c10::Device device)
      : guard(device), usual(c10::cuda::getCurrentCUDAStream(device.index())), own(recordingStream(device)) {
    c10::cuda::device_synchronize();
    c10::cuda::setCurrentCUDAStream(own);
  }
  ~Recording() {
    quietly([&] { own.synchronize(); });
    quietly([&] { c10::cuda::setCurrentCUDAStream(usual); });
  }
  const c10::cuda::CUDAGuard guard;
  c10::cuda::CUDAStream usual, own;
  at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
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
  c10::cuda::CUDACachingAllocator::emptyCache();  // what the warm-up took on this stream nobody else could use
  current.graph = std::make_unique<at::cuda::CUDAGraph>();
#ifdef SATIN_CAPTURE_MODES
  // Other threads, such as those of NCCL, may ask the driver for what the strictest mode forbids.
  current.graph->capture_begin(current.pool, cudaStreamCaptureModeThreadLocal);
#else
  current.graph->capture_begin(current.pool);
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
    Recording& current = *recording();
    quietly([&] { current.graph->capture_end(); });
#ifdef SATIN_CAPTURE_MODES
    // The end of an invalid capture leaves the allocator in it.
    const c10::DeviceIndex card = current.own.device_index();
    quietly([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(card, current.pool); });
    quietly([&] { c10::cuda::CUDACachingAllocator::releasePool(card, current.pool); });
#endif
    // Never destroyed: the allocator may hold a function of it.
    static_cast<void>(current.graph.release());
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
