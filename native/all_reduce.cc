#include "all_reduce.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "process_group.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class AllReduceSum : public torch::autograd::Function<AllReduceSum> {
 public:
  static at::Tensor forward(AutogradContext*, const at::Tensor& tensor) {
    at::Tensor sum = onGroupDevice(tensor);
    if (sum.is_alias_of(tensor)) sum = sum.clone();
    allReduceInPlace(sum);
    return sum.to(tensor.device());
  }
  static variable_list backward(AutogradContext*, variable_list gradients) { return {AllReduceSum::apply(gradients[0])}; }
};

}  // namespace

at::Tensor allReduceSum(const at::Tensor& tensor) { return rankCount() == 1 ? tensor : AllReduceSum::apply(tensor); }

}  // namespace satin
