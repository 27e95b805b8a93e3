#include "process_group.h"

#include <ATen/ATen.h>

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

// Waits for what every rank takes part in. A rank that is lost breaks its connection, or none of it comes back: the watch
// tells which, and no wait is longer than it takes to.
void waitFor(c10d::Work& work) {
  for (;;) {
    try {
      work.wait(milliseconds(1000));
      return;
    } catch (const std::exception& error) {
      if (work.isCompleted()) throwBroken(error);
      const std::string sentence = endOfRanks();
      if (!sentence.empty()) throw std::runtime_error(sentence + ".");
    }
  }
}

class GroupAllReduce final : public AllReduceWork {
 public:
  explicit GroupAllReduce(at::Tensor tensor) : tensors{std::move(tensor)}, work(group().allreduce(tensors)) {}
  void wait() override { waitFor(*work); }

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
  waitFor(*group().allreduce(tensors));
}

void allReduceInPlace(std::vector<double>& numbers) {
  if (membership().smallAllReduce != nullptr && numbers.size() <= SmallAllReduce::kMost) {
    try {
      return membership().smallAllReduce->run(numbers);
    } catch (const std::exception& error) {
      throwBroken(error);
    }
  }
  const auto count = static_cast<int64_t>(numbers.size());
  const at::Tensor own = at::from_blob(numbers.data(), {count}, at::kDouble);
  const at::Tensor sum = onGroupDevice(own);
  allReduceInPlace(sum);
  if (!sum.is_alias_of(own)) own.copy_(sum);
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

// broadcastTensors(handles): every rank's become those of rank 0
napi_value broadcastTensors(Arguments& arguments) {
  at::NoGradGuard guard;
  for (const double handle : arguments.numbers(0, "tensors")) {
    at::Tensor own = tensorOf(handle);
    std::vector<at::Tensor> tensors{onGroupDevice(own)};
    waitFor(*group().broadcast(tensors));
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
  waitFor(*group().allgather(outputs, inputs));
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
