// Many processes that compute as one: each is a rank. What the rest of the binding needs of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "key_store.h"

namespace satin {

// Whether this engine can talk between processes at all.
bool hasCollectives();

// How many ranks there are: 1 where this process is alone.
int rankCount();

// Connects to the store of rank 0, or opens it. Throws where nobody answers.
std::unique_ptr<KeyStore> connectStore(const std::string& host, uint16_t port, bool opens);

// A sum over all ranks that is under way. The tensor holds it after `wait`.
class PendingSum {
 public:
  virtual ~PendingSum() = default;
  virtual void wait() = 0;
};

// Begins to sum a tensor over all ranks, in place; every rank must begin the same sums in the same order.
std::unique_ptr<PendingSum> beginSum(at::Tensor tensor);

// Sums numbers over all ranks, in place.
void sumOverRanks(std::vector<double>& numbers);

// The sum over all ranks, to be differentiated as often as is wanted: the gradient is the sum of the ranks' gradients.
at::Tensor allReduceSum(const at::Tensor& tensor);

}  // namespace satin
