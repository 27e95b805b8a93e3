// The store of rank 0 over TCP (c10d's TCPStore): the keys and values that all ranks share.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "store.h"

// What of c10d an engine has, the build finds out (native/find-libtorch.mjs); only tcp_store.cc, process_group.cc and
// small_all_reduce.cc are compiled with these macros, and see libtorch's headers here.
#if defined(USE_C10D_GLOO) || defined(USE_C10D_NCCL)
#define SATIN_DISTRIBUTED
#include <torch/csrc/distributed/c10d/Store.hpp>
#endif

namespace satin {

// Connects to the store of rank 0, or opens it. Throws where nobody answers.
std::unique_ptr<KeyStore> connectStore(const std::string& host, uint16_t port, bool opens);

// The store that openStore of addon.cc opened; null where there is none.
KeyStore* openedStore();
void closeStore();

#ifdef SATIN_DISTRIBUTED
// The part of the opened store that one use has for itself.
c10::intrusive_ptr<c10d::Store> prefixStore(const std::string& use);
#endif

[[noreturn]] inline void refuseWithoutBackend() {
  throw std::runtime_error("This engine was built without a backend between processes; `satin doctor` says what it takes.");
}

}  // namespace satin
