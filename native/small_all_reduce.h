// Sums of a few numbers over all ranks on CPUs, for a batch norm that waits for them in every layer: libtorch's own group
// hands each sum from thread to thread, which takes longer than the sum (docs/cluster.md has the ratio).
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
  // Every rank sends before it reads, so what is under way must fit into the connection's own buffers, else all wait for
  // ever: 32 KiB do, with the usual settings of Linux. Twice the channels of the widest ResNet's layers.
  static constexpr size_t kMost = 4096;

  virtual ~SmallAllReduce() = default;
  // Sums at most kMost numbers in place, the same bits on every rank; every rank must ask for the same sums in the same
  // order. Throws where the connection to another rank breaks.
  virtual void run(std::vector<double>& numbers) = 0;
};

struct SmallAllReduceOptions {
  // Of its own: no key in it is anybody else's.
  std::shared_ptr<gloo::rendezvous::Store> store;
  std::shared_ptr<gloo::transport::Device> device;
  int rank, size;
  // Whether to ask again and again while waiting, which is fastest; it keeps a processor from others that need it.
  bool spins;
};

// Connects with all other ranks.
std::unique_ptr<SmallAllReduce> connectSmallAllReduce(const SmallAllReduceOptions& options);

}  // namespace satin
