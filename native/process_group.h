// Many processes that compute as one, each of them a rank, by libtorch's c10d: a process group that reduces, broadcasts and
// gathers tensors with the backend Gloo on CPUs and NCCL on GPUs.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace satin {

// The world size; 1 for a single process.
int rankCount();

// On the device of the group and without gaps, as its operations want it; detached.
at::Tensor onGroupDevice(const at::Tensor& tensor);

// Sums over all ranks, in place. Every rank must ask for the same in the same order.
void allReduceInPlace(at::Tensor tensor);
void allReduceInPlace(std::vector<double>& numbers);

// An all-reduce that is under way. The tensor holds the sum after `wait`.
class AllReduceWork {
 public:
  virtual ~AllReduceWork() = default;
  virtual void wait() = 0;
};
std::unique_ptr<AllReduceWork> beginAllReduce(at::Tensor tensor);

}  // namespace satin
