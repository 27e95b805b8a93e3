// Many processes that compute as one, by libtorch's c10d: a store that rank 0 holds, and a group that sums, broadcasts and
// gathers tensors: Gloo on CPUs, NCCL on GPUs. What of it an engine has, the build finds out (native/libtorch.mjs).
#include "collective.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "prompt_sum.h"
#include "rank_watch.h"
#include "tensor.h"

#if defined(USE_C10D_GLOO) || defined(USE_C10D_NCCL)
#define SATIN_COLLECTIVES
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif
#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace satin {

#ifdef SATIN_COLLECTIVES
namespace {

#if SATIN_LIBTORCH_MAJOR >= 2
using Group = c10d::Backend;
#else
using Group = c10d::ProcessGroup;
#endif
using std::chrono::milliseconds;

// Who is lost is the watch's business (rank_watch.cc); a rank that is slow may be slow for as long as it lives.
constexpr milliseconds kLongest = std::chrono::hours(24 * 7);

template <typename Options>
auto chooseServer(Options& options, int) -> decltype(options.useLibUV, void()) {
  options.useLibUV = false;  // an engine may come without it
}
template <typename Options>
void chooseServer(Options&, long) {}

class TcpKeyStore final : public KeyStore {
 public:
  explicit TcpKeyStore(c10::intrusive_ptr<c10d::Store> store) : store(std::move(store)) {}
  void set(const std::string& key, const std::string& value) override { store->set(key, {value.begin(), value.end()}); }
  bool find(const std::string& key, std::string& value) override {
    if (!store->check({key})) return false;
    const auto bytes = store->get(key);
    value.assign(bytes.begin(), bytes.end());
    return true;
  }
  int64_t add(const std::string& key, int64_t amount) override { return store->add(key, amount); }
  const c10::intrusive_ptr<c10d::Store> store;
};

// Never destroyed: what libtorch's threads use must outlive main.
struct Membership {
  std::unique_ptr<TcpKeyStore> store;
  c10::intrusive_ptr<Group> group;
  std::unique_ptr<PromptSum> promptSum;  // only between CPUs
  c10::Device device{c10::kCPU};
  int rank = 0, size = 1;
};
Membership& membership() {
  static auto* instance = new Membership();
  return *instance;
}

TcpKeyStore& openedStore() {
  if (membership().store == nullptr) throw std::runtime_error("internal: no store was opened.");
  return *membership().store;
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

// On the device of the group and without gaps, as its operations want it.
at::Tensor placed(const at::Tensor& tensor) { return tensor.detach().to(membership().device).contiguous(); }

void sumInPlace(at::Tensor tensor) {
  std::vector<at::Tensor> tensors{tensor};
  waitFor(*group().allreduce(tensors));
}

class GroupSum final : public PendingSum {
 public:
  explicit GroupSum(at::Tensor tensor) : tensors{std::move(tensor)}, work(group().allreduce(tensors)) {}
  void wait() override { waitFor(*work); }

 private:
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d::Work> work;
};

std::unique_ptr<TcpKeyStore> connect(const std::string& host, uint16_t port, bool opens) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = opens;
  options.waitWorkers = false;
  // For the handshake. Gloo waits for the others by it, and they may be late.
  options.timeout = std::chrono::seconds(60);
  chooseServer(options, 0);
  return std::make_unique<TcpKeyStore>(c10::make_intrusive<c10d::TCPStore>(host, options));
}

#ifdef USE_C10D_GLOO
using Gloo = c10d::ProcessGroupGloo;

std::shared_ptr<gloo::transport::Device> deviceAt(const std::string& address) {
  if (address.rfind("interface:", 0) == 0) return Gloo::createDeviceForInterface(address.substr(10));
  return address.empty() ? Gloo::createDefaultDevice() : Gloo::createDeviceForHostname(address);
}
#endif

// The part of the store that one use has for itself.
c10::intrusive_ptr<c10d::Store> storeOf(const std::string& use) {
  return c10::make_intrusive<c10d::PrefixStore>(use, openedStore().store);
}

c10::intrusive_ptr<Group> makeGroup(const std::string& backend, const std::string& address, int rank, int size) {
#ifdef USE_C10D_GLOO
  if (backend == "gloo") {
    auto options = Gloo::Options::create(kLongest);
    options->devices.push_back(deviceAt(address));
    options->threads = 2;
    return c10::make_intrusive<Gloo>(storeOf(backend), rank, size, options);
  }
#endif
#ifdef USE_C10D_NCCL
  // Not run here: no GPU was at hand.
  if (backend == "nccl") {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = kLongest;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(storeOf(backend), rank, size, options);
  }
#endif
  throw WrongArgument("Expected a way between ranks that this engine has but received '" + backend + "'.");
}

// null where the ranks are on GPUs: their layers' sums stay there.
std::unique_ptr<PromptSum> makePromptSum(const std::string& backend, const std::string& address, int rank, int size, bool spins) {
#ifdef USE_C10D_GLOO
  if (backend == "gloo")
    return connectPromptSum({std::make_shared<Gloo::GlooStore>(storeOf("prompt-sum")), deviceAt(address), rank, size, spins});
#endif
  return nullptr;
}

}  // namespace

bool hasCollectives() { return true; }

int rankCount() { return membership().size; }

std::unique_ptr<KeyStore> connectStore(const std::string& host, uint16_t port, bool opens) { return connect(host, port, opens); }

std::unique_ptr<PendingSum> beginSum(at::Tensor tensor) { return std::make_unique<GroupSum>(std::move(tensor)); }

void sumOverRanks(std::vector<double>& numbers) {
  if (membership().promptSum != nullptr && numbers.size() <= PromptSum::kMost) {
    try {
      return membership().promptSum->sum(numbers);
    } catch (const std::exception& error) {
      throwBroken(error);
    }
  }
  const auto count = static_cast<int64_t>(numbers.size());
  const at::Tensor own = at::from_blob(numbers.data(), {count}, at::kDouble);
  const at::Tensor sum = placed(own);
  sumInPlace(sum);
  if (!sum.is_alias_of(own)) own.copy_(sum);
}

// openStore(host, port, opens): the store that all ranks share
napi_value openStore(Arguments& arguments) {
  const int64_t port = arguments.integer(1, "port");
  if (port < 1 || port > 65535) throw WrongArgument("Expected a port from 1 to 65535 but received " + std::to_string(port) + ".");
  membership().store = connect(arguments.text(0, "host"), static_cast<uint16_t>(port), arguments.boolean(2, "opens"));
  return undefined(arguments.env);
}

napi_value storeSet(Arguments& arguments) {
  openedStore().set(arguments.text(0, "key"), arguments.text(1, "value"));
  return undefined(arguments.env);
}

// storeFind(key) -> text, null where there is none yet
napi_value storeFind(Arguments& arguments) {
  std::string value;
  return openedStore().find(arguments.text(0, "key"), value) ? fromText(arguments.env, value) : null(arguments.env);
}

napi_value storeAdd(Arguments& arguments) {
  const int64_t sum = openedStore().add(arguments.text(0, "key"), arguments.integer(1, "amount"));
  return fromNumber(arguments.env, static_cast<double>(sum));
}

// joinGroup(backend, device, address, rank, size, spins): all ranks must
napi_value joinGroup(Arguments& arguments) {
  Membership& own = membership();
  const int rank = static_cast<int>(arguments.integer(3, "rank")), size = static_cast<int>(arguments.integer(4, "size"));
  own.device = c10::Device(arguments.text(1, "device"));
  const std::string backend = arguments.text(0, "backend"), address = arguments.text(2, "address");
  own.group = makeGroup(backend, address, rank, size);
  own.promptSum = makePromptSum(backend, address, rank, size, arguments.boolean(5, "spins"));
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
    own.promptSum.reset();
    own.group.reset();
  } else {
    static_cast<void>(own.promptSum.release());
    own.group.release();
  }
  own.store.reset();
  own.rank = 0;
  own.size = 1;
  return undefined(arguments.env);
}

// sumNumbers(numbers) -> their sums over all ranks
napi_value sumNumbers(Arguments& arguments) {
  std::vector<double> numbers = arguments.numbers(0, "numbers");
  sumOverRanks(numbers);
  return fromNumbers(arguments.env, numbers);
}

// broadcastTensors(handles): every rank's become those of rank 0
napi_value broadcastTensors(Arguments& arguments) {
  at::NoGradGuard guard;
  for (const double handle : arguments.numbers(0, "tensors")) {
    at::Tensor own = tensorOf(handle);
    std::vector<at::Tensor> tensors{placed(own)};
    waitFor(*group().broadcast(tensors));
    if (!tensors[0].is_alias_of(own)) own.copy_(tensors[0]);
  }
  return undefined(arguments.env);
}

// gatherTensor(handle) -> the tensors of all ranks, which have one shape, one behind the other along the first dimension
napi_value gatherTensor(Arguments& arguments) {
  at::NoGradGuard guard;
  const at::Tensor& own = tensorOf(arguments.env, arguments.values[0], "the tensor to gather");
  std::vector<at::Tensor> inputs{placed(own)};
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int rank = 0; rank < membership().size; rank++) outputs[0].push_back(at::empty_like(inputs[0]));
  waitFor(*group().allgather(outputs, inputs));
  return fromTensor(arguments.env, at::cat(outputs[0], 0).to(own.device()));
}

// announceEndOfRanks(sentence): tells the others why this rank ends
napi_value announceEndOfRanks(Arguments& arguments) {
  if (membership().store != nullptr) announceEnd(*membership().store, arguments.text(0, "sentence"));
  return undefined(arguments.env);
}

#else

namespace {
[[noreturn]] void missing() {
  throw std::runtime_error("This engine was built without a way between processes; `satin doctor` says what it takes.");
}
}  // namespace

bool hasCollectives() { return false; }
int rankCount() { return 1; }
std::unique_ptr<KeyStore> connectStore(const std::string&, uint16_t, bool) { missing(); }
std::unique_ptr<PendingSum> beginSum(at::Tensor) { missing(); }
void sumOverRanks(std::vector<double>&) { missing(); }
namespace {
void sumInPlace(const at::Tensor&) { missing(); }
at::Tensor placed(const at::Tensor& tensor) { return tensor; }
}  // namespace
napi_value openStore(Arguments&) { missing(); }
napi_value storeSet(Arguments&) { missing(); }
napi_value storeFind(Arguments&) { missing(); }
napi_value storeAdd(Arguments&) { missing(); }
napi_value joinGroup(Arguments&) { missing(); }
napi_value sumNumbers(Arguments&) { missing(); }
napi_value broadcastTensors(Arguments&) { missing(); }
napi_value gatherTensor(Arguments&) { missing(); }
napi_value announceEndOfRanks(Arguments&) { missing(); }
napi_value leaveRanks(Arguments& arguments) { return undefined(arguments.env); }

#endif

namespace {

class SumOverRanks : public torch::autograd::Function<SumOverRanks> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& tensor) {
    at::Tensor sum = placed(tensor);
    if (sum.is_alias_of(tensor)) sum = sum.clone();
    sumInPlace(sum);
    return sum.to(tensor.device());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list gradients) {
    return {SumOverRanks::apply(gradients[0])};
  }
};

}  // namespace

at::Tensor allReduceSum(const at::Tensor& tensor) { return rankCount() == 1 ? tensor : SumOverRanks::apply(tensor); }

// collectives() -> the ways between ranks that this engine has: 'gloo', 'nccl'
napi_value collectives(Arguments& arguments) {
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

// watchRanks(host, port, rank, names, intervalMilliseconds, missing); names is a text with one a line
napi_value watchRanks(Arguments& arguments) {
  WatchOptions options{static_cast<int>(arguments.integer(2, "rank")), {}, static_cast<int>(arguments.integer(4, "interval")),
                       static_cast<int>(arguments.integer(5, "missing"))};
  const std::string names = arguments.text(3, "names");
  for (size_t start = 0; start < names.size();) {
    const size_t end = std::min(names.find('\n', start), names.size());
    options.names.push_back(names.substr(start, end - start));
    start = end + 1;
  }
  auto store = connectStore(arguments.text(0, "host"), static_cast<uint16_t>(arguments.integer(1, "port")), false);
  startWatch(std::move(store), std::move(options));
  static bool hooked = false;
  if (!hooked) check(arguments.env, napi_add_env_cleanup_hook(arguments.env, [](void*) { stopWatch(); }, nullptr));
  hooked = true;
  return undefined(arguments.env);
}

// endOfTheRanks() -> why they cannot go on, null while all is well
napi_value endOfTheRanks(Arguments& arguments) {
  const std::string sentence = endOfRanks();
  return sentence.empty() ? null(arguments.env) : fromText(arguments.env, sentence);
}

}  // namespace satin
