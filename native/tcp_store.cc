#include "tcp_store.h"

#include "napi_convert.h"

#ifdef SATIN_DISTRIBUTED
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace satin {

#ifdef SATIN_DISTRIBUTED
namespace {

template <typename Options>
auto chooseServer(Options& options, int) -> decltype(options.useLibUV, void()) {
  options.useLibUV = false;  // an engine may come without it
}
template <typename Options>
void chooseServer(Options&, long) {}

class TcpKeyStore final : public KeyStore {
 public:
  explicit TcpKeyStore(c10::intrusive_ptr<c10d::Store> store) : store(std::move(store)) {}
  void set(const std::string& key, const std::string& value) override { store->set(key, std::vector<uint8_t>(value.begin(), value.end())); }
  bool find(const std::string& key, std::string& value) override {
    if (!store->check({key})) return false;
    const auto bytes = store->get(key);
    value.assign(bytes.begin(), bytes.end());
    return true;
  }
  int64_t add(const std::string& key, int64_t amount) override { return store->add(key, amount); }
  const c10::intrusive_ptr<c10d::Store> store;
};

std::unique_ptr<TcpKeyStore> connect(const std::string& host, uint16_t port, bool opens) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = opens;
  options.waitWorkers = false;
  // For the handshake: Gloo waits for the other ranks with it, and they may be late.
  options.timeout = std::chrono::seconds(60);
  chooseServer(options, 0);
  return std::make_unique<TcpKeyStore>(c10::make_intrusive<c10d::TCPStore>(host, options));
}

// Never destroyed: what libtorch's threads use must outlive main.
std::unique_ptr<TcpKeyStore>& store() {
  static auto* instance = new std::unique_ptr<TcpKeyStore>();
  return *instance;
}

TcpKeyStore& requiredStore() {
  if (store() == nullptr) throw std::runtime_error("internal: no store was opened.");
  return *store();
}

}  // namespace

std::unique_ptr<KeyStore> connectStore(const std::string& host, uint16_t port, bool opens) { return connect(host, port, opens); }

KeyStore* openedStore() { return store().get(); }

void closeStore() { store().reset(); }

c10::intrusive_ptr<c10d::Store> prefixStore(const std::string& use) {
  return c10::make_intrusive<c10d::PrefixStore>(use, requiredStore().store);
}

// openStore(host, port, opens): the store that all ranks share
napi_value openStore(Arguments& arguments) {
  const int64_t port = arguments.integer(1, "port");
  if (port < 1 || port > 65535) throw WrongArgument("Expected a port from 1 to 65535 but received " + std::to_string(port) + ".");
  store() = connect(arguments.text(0, "host"), static_cast<uint16_t>(port), arguments.boolean(2, "opens"));
  return undefined(arguments.env);
}

napi_value storeSet(Arguments& arguments) {
  requiredStore().set(arguments.text(0, "key"), arguments.text(1, "value"));
  return undefined(arguments.env);
}

// storeFind(key) -> text, null where there is none yet
napi_value storeFind(Arguments& arguments) {
  std::string value;
  return requiredStore().find(arguments.text(0, "key"), value) ? fromText(arguments.env, value) : null(arguments.env);
}

napi_value storeAdd(Arguments& arguments) {
  const int64_t sum = requiredStore().add(arguments.text(0, "key"), arguments.integer(1, "amount"));
  return fromNumber(arguments.env, static_cast<double>(sum));
}

#else

std::unique_ptr<KeyStore> connectStore(const std::string&, uint16_t, bool) { refuseWithoutBackend(); }
KeyStore* openedStore() { return nullptr; }
void closeStore() {}
napi_value openStore(Arguments&) { refuseWithoutBackend(); }
napi_value storeSet(Arguments&) { refuseWithoutBackend(); }
napi_value storeFind(Arguments&) { refuseWithoutBackend(); }
napi_value storeAdd(Arguments&) { refuseWithoutBackend(); }

#endif

}  // namespace satin
