// Calls through libtorch's dispatcher, which picks the implementation by device: operators.cc has the table.
#pragma once

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace satin {

// What follows in this scope skips autograd: a call goes to the implementation of the tensors' device.
using BelowAutograd = at::AutoDispatchBelowADInplaceOrView;

// Whether any of these tensors requires a gradient to be recorded, as in libtorch's operators.
using torch::autograd::compute_requires_grad;

// The operator of a schema, to be called with unboxed arguments. The lookup takes a lock: keep the result in a static.
template <typename Signature>
c10::TypedOperatorHandle<Signature> operatorHandle(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace satin
