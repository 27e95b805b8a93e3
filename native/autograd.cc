// Gradients of the requested tensors only: an attack differentiates with respect to the input alone.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "memory.h"
#include "tensor.h"

namespace satin {

using torch::autograd::variable_list;

// gradients(outputs, inputs, outputGradients | null, retainGraph, createGraph, allowUnused) -> handles, null where unused
napi_value gradients(Arguments& arguments) {
  napi_env env = arguments.env;
  const auto outputs = tensorsOf(arguments, 0, "outputs");
  const auto inputs = tensorsOf(arguments, 1, "inputs");
  if (outputs.empty() || inputs.empty()) throw WrongArgument("Expected at least one output and one input for gradients.");
  torch::autograd::variable_list outputGradients;
  if (!arguments.absent(2)) outputGradients = tensorsOf(arguments, 2, "outputGradients");
  const bool retain = arguments.boolean(3, "retainGraph"), create = arguments.boolean(4, "createGraph"),
             unused = arguments.boolean(5, "allowUnused");
  const auto result = namingWork(arguments, "the gradients", 0, [&] {
    return torch::autograd::grad(outputs, inputs, outputGradients, retain, create, unused);
  });
  napi_value array;
  check(env, napi_create_array_with_length(env, result.size(), &array));
  for (size_t i = 0; i < result.size(); i++)
    check(env, napi_set_element(env, array, static_cast<uint32_t>(i), fromTensor(env, result[i])));
  return array;
}

// setGradEnabled(enabled) -> what it was before
napi_value setGradEnabled(Arguments& arguments) {
  const bool enabled = arguments.boolean(0, "enabled");
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return fromBoolean(arguments.env, before);
}

napi_value setRequiresGrad(Arguments& arguments) {
  const bool required = arguments.boolean(1, "required");
  at::Tensor tensor = tensorOf(arguments.env, arguments.values[0], "the tensor");
  if (!tensor.is_leaf()) throw WrongArgument("Expected a tensor that no operator made for requireGrad_; detach() it first.");
  tensor.set_requires_grad(required);
  return undefined(arguments.env);
}

napi_value requiresGrad(Arguments& arguments) {
  return fromBoolean(arguments.env, tensorOf(arguments.env, arguments.values[0], "the tensor").requires_grad());
}

}  // namespace satin
