#include "process_group.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "collective_log.h"
#include "rank_watchdog.h"
#include "small_all_reduce.h"
#include "tcp_store.h"
#include "tensor.h"

#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace satin {

#ifdef SATIN_DISTRIBUTED
namespace {

#if SATIN_LIBTORCH_MAJOR >= 2
using Group = c10d::Backend;
#else
using Group = c10d::ProcessGroup;
#endif
using std::chrono::milliseconds;

// Who is lost is the watch's business (rank_watchdog.cc); a rank that is slow may be slow for as long as it lives.
constexpr milliseconds kLongest = std::chrono::hours(24 * 7);

// Never destroyed: what libtorch's threads use must outlive main.
struct Membership {
  c10::intrusive_ptr<Group> group;
  std::unique_ptr<SmallAllReduce> smallAllReduce;  // only between CPUs
  c10::Device device{c10::kCPU};
  int rank = 0, size = 1;
};
Membership& membership() {
  static auto* instance = new Membership();
  return *instance;
}

Group& group() {
  if (membership().group == nullptr) throw std::runtime_error("internal: no ranks were joined.");
  return *membership().group;
}

[[noreturn]] void throwBroken(const std::exception& error) {
  const std::string sentence = waitForEndOfRanks();
  if (!sentence.empty()) throw std::runtime_error(sentence + ".");
  throw std::runtime_error(std::string("The connection between the ranks broke: ") + error.what());
}

// Waits for an operation that every rank takes part in, until the CPU may read its result. A lost rank breaks the
// connection, or the operation never completes: the watch tells which, and no wait is longer than it takes to. An operation
// is never given a time limit of its own, on which NCCL would abort the communicator of a rank that is merely slow.
void completeWork(c10d::Work& work) {
  try {
    while (!work.isCompleted()) {
      if (membership().device.is_cuda()) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      } else {
        try {
          work.wait(milliseconds(1000));
        } catch (const std::exception&) {
          // The time is over, which changes nothing for Gloo; or the operation failed, and is completed.
        }
      }
      if (!endOfRanks().empty() && !work.isCompleted()) throw std::runtime_error("an operation did not complete");
    }
    if (const std::exception_ptr error = work.exception()) std::rethrow_exception(error);
    work.wait();
  } catch (const std::exception& error) {
    throwBroken(error);
  }
}

// Orders what follows on the device after the operation. A GPU has a queue for that, and the CPU goes on: where a rank is
// lost, it waits at the next result that it reads, and the watch ends it there.
void orderWork(c10d::Work& work) {
  if (!membership().device.is_cuda()) return completeWork(work);
  try {
    work.wait();
  } catch (const std::exception& error) {
    throwBroken(error);
  }
}

Collective collectiveOf(const char* operation, const at::Tensor& tensor) {
  return {operation, nameOfDtype(tensor.scalar_type()), tensor.numel()};
}

// A group that failed does not go on, even where an operation would complete.
void begin(const Collective& collective) {
  const std::string sentence = endOfRanks();
  if (!sentence.empty()) throw std::runtime_error(sentence + ".");
  recordCollective(collective);
}

c10::intrusive_ptr<c10d::Work> startAllReduce(std::vector<at::Tensor>& tensors) {
  begin(collectiveOf("an all-reduce", tensors[0]));
  return group().allreduce(tensors);
}

class GroupAllReduce final : public AllReduceWork {
 public:
  explicit GroupAllReduce(at::Tensor tensor) : tensors{std::move(tensor)}, work(startAllReduce(tensors)) {}
  void wait() override { orderWork(*work); }

 private:
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d::Work> work;
};

#ifdef USE_C10D_GLOO
using Gloo = c10d::ProcessGroupGloo;

std::shared_ptr<gloo::transport::Device> deviceAt(const std::string& address) {
  if (address.rfind("interface:", 0) == 0) return Gloo::createDeviceForInterface(address.substr(10));
  return address.empty() ? Gloo::createDefaultDevice() : Gloo::createDeviceForHostname(address);
}
#endif

c10::intrusive_ptr<Group> makeGroup(const std::string& backend, const std::string& address, int rank, int size) {
#ifdef USE_C10D_GLOO
  if (backend == "gloo") {
    auto options = Gloo::Options::create(kLongest);
    options->devices.push_back(deviceAt(address));
    options->threads = 2;
    return c10::make_intrusive<Gloo>(prefixStore(backend), rank, size, options);
  }
#endif
#ifdef USE_C10D_NCCL
  // Not run here: no GPU was at hand.
  if (backend == "nccl") {
    // Otherwise NCCL's own watchdog aborts the process at an error, before it is known who is lost, and while a checkpoint may
    // be written. torchrun sets the first, and older engines know the second.
    setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "0", 1);
    setenv("NCCL_ASYNC_ERROR_HANDLING", "0", 1);
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = kLongest;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixStore(backend), rank, size, options);
  }
#endif
  throw WrongArgument("Expected a backend that this engine has but received '" + backend + "'.");
}

// null where the ranks are on GPUs: their layers' sums stay there.
std::unique_ptr<SmallAllReduce> makeSmallAllReduce(const std::string& backend, const std::string& address, int rank, int size, bool spins) {
#ifdef USE_C10D_GLOO
  if (backend == "gloo")
    return connectSmallAllReduce({std::make_shared<Gloo::GlooStore>(prefixStore("small-all-reduce")), deviceAt(address), rank, size, spins});
#endif
  return nullptr;
}

}  // namespace

int rankCount() { return membership().size; }

at::Tensor onGroupDevice(const at::Tensor& tensor) { return tensor.detach().to(membership().device).contiguous(); }

void allReduceInPlace(at::Tensor tensor) {
  std::vector<at::Tensor> tensors{tensor};
  orderWork(*startAllReduce(tensors));
}

void allReduceInPlace(std::vector<double>& numbers) {
  if (membership().smallAllReduce != nullptr && numbers.size() <= SmallAllReduce::kMost) {
    begin({"an all-reduce", "float64", static_cast<int64_t>(numbers.size())});
    try {
      return membership().smallAllReduce->run(numbers);
    } catch (const std::exception& error) {
      throwBroken(error);
    }
  }
  const auto count = static_cast<int64_t>(numbers.size());
  const at::Tensor own = at::from_blob(numbers.data(), {count}, at::kDouble);
  std::vector<at::Tensor> sums{onGroupDevice(own)};
  completeWork(*startAllReduce(sums));
  if (!sums[0].is_alias_of(own)) own.copy_(sums[0]);
}

std::unique_ptr<AllReduceWork> beginAllReduce(at::Tensor tensor) { return std::make_unique<GroupAllReduce>(std::move(tensor)); }

// joinGroup(backend, device, address, rank, size, spins): all ranks must
napi_value joinGroup(Arguments& arguments) {
  Membership& own = membership();
  const int rank = static_cast<int>(arguments.integer(3, "rank")), size = static_cast<int>(arguments.integer(4, "size"));
  own.device = c10::Device(arguments.text(1, "device"));
  const std::string backend = arguments.text(0, "backend"), address = arguments.text(2, "address");
  own.group = makeGroup(backend, address, rank, size);
  own.smallAllReduce = makeSmallAllReduce(backend, address, rank, size, arguments.boolean(5, "spins"));
  own.rank = rank;
  own.size = size;
  return undefined(arguments.env);
}

// leaveRanks(clean): the watch ends, the group and the store are given up. A group that broke is left as it is: to end its
// threads would take an answer from ranks that are gone.
napi_value leaveRanks(Arguments& arguments) {
  stopWatch();
  Membership& own = membership();
  if (arguments.boolean(0, "clean")) {
    own.smallAllReduce.reset();
    own.group.reset();
  } else {
    static_cast<void>(own.smallAllReduce.release());
    own.group.release();
  }
  closeStore();
  clearCollectives();
  own.rank = 0;
  own.size = 1;
  return undefined(arguments.env);
}

// allReduceNumbers(numbers) -> their sums over all ranks
napi_value allReduceNumbers(Arguments& arguments) {
  std::vector<double> numbers = arguments.numbers(0, "numbers");
  allReduceInPlace(numbers);
  return fromNumbers(arguments.env, numbers);
}

// allReduceMeans(handles): every rank's tensors become their means over all ranks, summed in float64
napi_value allReduceMeans(Arguments& arguments) {
  at::NoGradGuard guard;
  const std::vector<at::Tensor> tensors = tensorsOf(arguments, 0, "tensors");
  std::vector<at::Tensor> parts;
  for (const at::Tensor& tensor : tensors) parts.push_back(onGroupDevice(tensor).reshape({-1}).to(at::kDouble));
  if (parts.empty()) return undefined(arguments.env);
  at::Tensor means = at::cat(parts);
  if (means.device().is_cpu()) {
    double* first = means.data_ptr<double>();
    std::vector<double> numbers(first, first + means.numel());
    allReduceInPlace(numbers);
    std::copy(numbers.begin(), numbers.end(), first);
  } else {
    allReduceInPlace(means);
  }
  means.div_(rankCount());
  int64_t offset = 0;
  for (at::Tensor tensor : tensors) {
    tensor.copy_(means.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
  return undefined(arguments.env);
}

// recordEndOfJob() -> the number and the digest of all operations: this rank takes part in no further one
napi_value recordEndOfJob(Arguments& arguments) {
  recordCollective({"the end of the job", nullptr, 0});
  return fromText(arguments.env, lastDigest());
}

// broadcastTensors(handles): every rank's become those of rank 0
napi_value broadcastTensors(Arguments& arguments) {
  at::NoGradGuard guard;
  for (const double handle : arguments.numbers(0, "tensors")) {
    at::Tensor own = tensorOf(handle);
    std::vector<at::Tensor> tensors{onGroupDevice(own)};
    begin(collectiveOf("a broadcast", own));
    completeWork(*group().broadcast(tensors));
    if (!tensors[0].is_alias_of(own)) own.copy_(tensors[0]);
  }
  return undefined(arguments.env);
}

// allGather(handle) -> the tensors of all ranks, of equal shape, concatenated along the first dimension
napi_value allGather(Arguments& arguments) {
  at::NoGradGuard guard;
  const at::Tensor& own = tensorOf(arguments.env, arguments.values[0], "the tensor to gather");
  std::vector<at::Tensor> inputs{onGroupDevice(own)};
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int rank = 0; rank < membership().size; rank++) outputs[0].push_back(at::empty_like(inputs[0]));
  begin(collectiveOf("a gathering", own));
  completeWork(*group().allgather(outputs, inputs));
  return fromTensor(arguments.env, at::cat(outputs[0], 0).to(own.device()));
}

#else

int rankCount() { return 1; }
at::Tensor onGroupDevice(const at::Tensor&) { refuseWithoutBackend(); }
void allReduceInPlace(at::Tensor) { refuseWithoutBackend(); }
void allReduceInPlace(std::vector<double>&) { refuseWithoutBackend(); }
std::unique_ptr<AllReduceWork> beginAllReduce(at::Tensor) { refuseWithoutBackend(); }
napi_value joinGroup(Arguments&) { refuseWithoutBackend(); }
napi_value leaveRanks(Arguments& arguments) { return undefined(arguments.env); }
napi_value allReduceNumbers(Arguments&) { refuseWithoutBackend(); }
napi_value allReduceMeans(Arguments&) { refuseWithoutBackend(); }
napi_value recordEndOfJob(Arguments&) { refuseWithoutBackend(); }
napi_value broadcastTensors(Arguments&) { refuseWithoutBackend(); }
napi_value allGather(Arguments&) { refuseWithoutBackend(); }

#endif

// distributedBackends() -> those that this engine has: 'gloo', 'nccl'
napi_value distributedBackends(Arguments& arguments) {
  std::vector<std::string> names;
#ifdef USE_C10D_GLOO
  names.push_back("gloo");
#endif
#ifdef USE_C10D_NCCL
  names.push_back("nccl");
#endif
  napi_value result;
  check(arguments.env, napi_create_array_with_length(arguments.env, names.size(), &result));
  for (size_t i = 0; i < names.size(); i++)
    check(arguments.env, napi_set_element(arguments.env, result, static_cast<uint32_t>(i), fromText(arguments.env, names[i])));
  return result;
}

}  // namespace satin
