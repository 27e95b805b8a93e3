// The table of live tensors. JavaScript holds numbers; a number names a slot and the slot's generation, so a
// stale or invented one is refused and can never reach foreign memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "napi_convert.h"

namespace satin {

// Stores the tensor and returns its handle; an undefined tensor has none and gives 0.
double store(at::Tensor tensor);
// The tensor of a handle; Disposed where there is none.
const at::Tensor& tensorOf(double handle);
// The tensor that a JavaScript value names.
const at::Tensor& tensorOf(napi_env env, napi_value value, const std::string& name);
// The tensors of a list of handles, argument `index` of a call.
std::vector<at::Tensor> tensorsOf(const Arguments& arguments, size_t index, const char* name);
// A handle as a JavaScript number, null for an undefined tensor.
napi_value fromTensor(napi_env env, at::Tensor tensor);

// A new typed array with the elements of a tensor on the CPU, in row-major order.
napi_value toArray(napi_env env, const at::Tensor& tensor);

c10::ScalarType dtypeFromName(const std::string& name);
const char* nameOfDtype(c10::ScalarType dtype);

}  // namespace satin
