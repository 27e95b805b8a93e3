// The optional tensor of libtorch's schemas: its own class before 2.0, the standard library's since.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

#if SATIN_LIBTORCH_MAJOR >= 2
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

}  // namespace satin
