// All-reduce of a few numbers on CPUs, for a batch norm that waits for it in every layer: libtorch's process group
// passes each sum between threads, which takes longer than the sum (docs/cluster.md has the ratio).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace gloo {
namespace rendezvous {
class Store;
}
namespace transport {
class Device;
}
}  // namespace gloo

namespace satin {

class SmallAllReduce {
 public:
  // Every rank sends before it reads, so the data in flight must fit into the connection's buffers, else all wait for
  // ever: 32 KiB do, with the usual settings of Linux. Twice the channels of the widest ResNet's layers.
  static constexpr size_t kMost = 4096;

  virtual ~SmallAllReduce() = default;
  // Sums at most kMost numbers in place, the same bits on every rank; every rank must ask for the same sums in the same
  // order. Throws where the connection to another rank breaks.
  virtual void run(std::vector<double>& numbers) = 0;
};

struct SmallAllReduceOptions {
  // A separate store: no other user writes its keys.
  std::shared_ptr<gloo::rendezvous::Store> store;
  std::shared_ptr<gloo::transport::Device> device;
  int rank, size;
  // Whether to spin while waiting: fastest, but it occupies a processor.
  bool spins;
};

// Connects with all other ranks.
std::unique_ptr<SmallAllReduce> connectSmallAllReduce(const SmallAllReduceOptions& options);

}  // namespace satin
