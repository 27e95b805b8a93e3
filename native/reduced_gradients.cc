// The gradients of a training step as means over all ranks: all-reduced in buckets while the backward pass runs.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>

#include <algorithm>

#include "process_group.h"
#include "tensor.h"

namespace satin {
namespace {

// A shared pointer at first, an intrusive one in newer libtorch.
using NodePointer = decltype(torch::autograd::Edge::function);
using torch::autograd::variable_list;

// Gradients that travel together: one long tensor, and in it a place for each of some parameters.
struct Bucket {
  at::Tensor flat;
  size_t waiting = 0;  // for so many gradients
  std::unique_ptr<AllReduceWork> sum;
};

// Sums the gradients of parameters over all ranks, bucket after bucket, while the backward pass still computes those of
// earlier layers. A hook after each parameter's accumulator signals that its gradient is ready; `grad()` never runs them,
// so what an attack computes stays where it is.
class ReducedGradients {
 public:
  ReducedGradients(const variable_list& parameters, int64_t firstBytes, int64_t bytes)
      : parameters(parameters), places(parameters.size()), bucketOf(parameters.size()) {
    // The last layers' gradients are there first; the first bucket is small so that something is under way early.
    for (size_t end = parameters.size(); end > 0;) end = addBucket(end, buckets.empty() ? firstBytes : bytes);
    for (size_t i = 0; i < parameters.size(); i++) {
      auto node = torch::autograd::impl::grad_accumulator(parameters[i]);
      const auto hook = [this, i](const variable_list& outputs, const variable_list&) {
        take(i);
        return outputs;
      };
      const auto key = node->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(hook));
      hooks.emplace_back(std::move(node), key);
    }
  }

  ~ReducedGradients() {
    for (const auto& [node, key] : hooks) node->del_post_hook(key);
    for (const at::Tensor& parameter : parameters) parameter.mutable_grad().reset();
  }

  // The means over all ranks, each with the layout of its parameter.
  variable_list finish() {
    at::NoGradGuard guard;
    if (begun != buckets.size()) throw std::runtime_error("internal: a gradient is missing.");
    for (Bucket& bucket : buckets) {
      bucket.sum->wait();
      bucket.flat.div_(rankCount());
    }
    return places;
  }

 private:
  size_t addBucket(size_t end, int64_t bytes) {
    const at::Tensor& last = parameters[end - 1];
    Bucket bucket;
    size_t start = end;
    int64_t length = 0;
    const auto fits = [&](const at::Tensor& next) {
      return next.scalar_type() == last.scalar_type() && next.device() == last.device() &&
             (length == 0 || (length + next.numel()) * static_cast<int64_t>(next.element_size()) <= bytes);
    };
    while (start > 0 && fits(parameters[start - 1])) length += parameters[--start].numel();
    bucket.flat = at::empty({length}, last.options().requires_grad(false));
    bucket.waiting = end - start;
    int64_t offset = 0;
    for (size_t i = start; i < end; i++) {
      const at::Tensor& parameter = parameters[i];
      const bool dense = parameter.is_non_overlapping_and_dense();
      places[i] = dense ? bucket.flat.as_strided(parameter.sizes(), parameter.strides(), offset)
                        : bucket.flat.narrow(0, offset, parameter.numel()).view(parameter.sizes());
      offset += parameter.numel();
      bucketOf[i] = buckets.size();
    }
    buckets.push_back(std::move(bucket));
    return start;
  }

  void take(size_t i) {
    at::NoGradGuard guard;
    places[i].copy_(parameters[i].grad());
    parameters[i].mutable_grad().reset();
    buckets[bucketOf[i]].waiting--;
    // In their order on every rank, whichever is full first.
    for (; begun < buckets.size() && buckets[begun].waiting == 0; begun++) buckets[begun].sum = beginAllReduce(buckets[begun].flat);
  }

  const variable_list& parameters;
  variable_list places;
  std::vector<size_t> bucketOf;
  std::vector<Bucket> buckets;
  size_t begun = 0;
  std::vector<std::pair<NodePointer, uintptr_t>> hooks;
};

}  // namespace

// reducedGradients(output, parameters, others, bucketBytes) -> handles: the parameters' gradients as means over all ranks,
// then those of the other tensors, not reduced. Every rank must make the same call.
napi_value reducedGradients(Arguments& arguments) {
  napi_env env = arguments.env;
  const at::Tensor output = tensorOf(env, arguments.values[0], "output");
  const auto parameters = tensorsOf(arguments, 1, "parameters");
  const auto others = tensorsOf(arguments, 2, "others");
  const int64_t bytes = arguments.integer(3, "bucketBytes");
  variable_list inputs = parameters;
  inputs.insert(inputs.end(), others.begin(), others.end());
  variable_list result;
  {
    ReducedGradients reduced(parameters, std::min<int64_t>(bytes, 1 << 20), bytes);
    torch::autograd::backward({output}, {}, false, false, inputs);
    result = reduced.finish();
  }
  for (const at::Tensor& other : others) {
    result.push_back(other.grad());
    other.mutable_grad().reset();
  }
  napi_value array;
  check(env, napi_create_array_with_length(env, result.size(), &array));
  for (size_t i = 0; i < result.size(); i++)
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), fromTensor(env, result[i])));
  return array;
}

}  // namespace satin
