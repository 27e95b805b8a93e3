// The devices that tensors live on: the processor, and graphics cards where the engine was built with CUDA (SATIN_CUDA).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace satin {

// `cpu`, `meta`, `cuda:N`, or `mock` (mock_device.h). Throws WrongArgument for any other name, and for a card that is not there.
c10::Device deviceFromName(const std::string& name);
std::string nameOfDevice(c10::Device device);

// An empty tensor on the CPU from which an upload to `device` does not have to wait: in pinned memory for a card.
at::Tensor emptyForUpload(at::IntArrayRef shape, c10::ScalarType dtype, c10::Device device);

// The tensor on another device. An upload does not wait for the card, unless the tensor requires a gradient.
at::Tensor onDevice(const at::Tensor& tensor, c10::Device device);

}  // namespace satin
