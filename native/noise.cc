// noise(distribution, shape of one example, dtype, [seed, stream, epoch, restart, rank, step], ids, device) -> handle of
// [ids.length, ...shape] on the device
#include "noise_kernel.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "device.h"
#include "noise_cuda.h"
#include "tensor.h"

namespace satin {

#ifdef SATIN_CUDA
namespace {

// Only the ids are uploaded.
at::Tensor drawnOnCard(Distribution distribution, uint64_t key, const std::vector<uint64_t>& ids, at::IntArrayRef shape,
                       c10::ScalarType dtype, c10::Device device) {
  const at::Tensor staged = emptyForUpload({static_cast<int64_t>(ids.size())}, c10::ScalarType::Long, device);
  std::copy(ids.begin(), ids.end(), staged.data_ptr<int64_t>());
  at::Tensor out = at::empty(shape, at::TensorOptions().dtype(dtype).device(device));
  drawNoiseCuda(distribution, key, onDevice(staged, device), out);
  return out;
}

}  // namespace
#endif

napi_value noise(Arguments& arguments) {
  const std::string name = arguments.text(0, "the distribution");
  if (name != "uniform" && name != "normal")
    throw WrongArgument("Expected uniform or normal for the distribution but received '" + name + "'.");
  const Distribution distribution = name == "uniform" ? Distribution::kUniform : Distribution::kNormal;
  std::vector<int64_t> shape = arguments.integers(1, "shape");
  const c10::ScalarType dtype = dtypeFromName(arguments.text(2, "dtype"));
  const std::vector<int64_t> key = arguments.integers(3, "the noise key");
  if (key.size() != 6) throw WrongArgument("Expected six numbers for the noise key but received " + std::to_string(key.size()) + ".");
  const int64_t most[6] = {INT64_MAX, UINT32_MAX, UINT32_MAX, UINT16_MAX, UINT16_MAX, UINT32_MAX};
  for (size_t i = 0; i < 6; i++)
    if (key[i] < 0 || key[i] > most[i])
      throw WrongArgument("Expected a noise key from 0 to " + std::to_string(most[i]) + " but received " + std::to_string(key[i]) + ".");
  std::vector<uint64_t> ids;
  for (const int64_t id : arguments.integers(4, "ids")) {
    if (id < 0) throw WrongArgument("Expected ids of at least 0 but received " + std::to_string(id) + ".");
    ids.push_back(static_cast<uint64_t>(id));
  }
  double elements = 1;
  for (const int64_t size : shape) {
    if (size < 0) throw WrongArgument("Expected sizes of at least 0 for shape but received " + std::to_string(size) + ".");
    elements *= static_cast<double>(size);
  }
  shape.insert(shape.begin(), static_cast<int64_t>(ids.size()));
  const uint64_t drawKey = keyOf({static_cast<uint64_t>(key[0]), static_cast<uint32_t>(key[1]), static_cast<uint32_t>(key[2]),
                                  static_cast<uint32_t>(key[3]), static_cast<uint32_t>(key[4]), static_cast<uint32_t>(key[5])});
  const c10::Device device = deviceFromName(arguments.text(5, "device"));
  if (device.is_meta()) return fromTensor(arguments.env, at::empty(shape, at::TensorOptions().dtype(dtype).device(device)));
  if (dtype != c10::ScalarType::Float && dtype != c10::ScalarType::Double)
    throw WrongArgument(std::string("Expected float32 or float64 for the noise's dtype but received ") + nameOfDtype(dtype) + ".");
#ifdef SATIN_CUDA
  if (device.is_cuda()) return fromTensor(arguments.env, drawnOnCard(distribution, drawKey, ids, shape, dtype, device));
#endif
  const at::Tensor result = emptyForUpload(shape, dtype, device);
  const size_t each = static_cast<size_t>(elements);
  if (dtype == c10::ScalarType::Float)
    drawFloat(distribution, drawKey, ids.data(), ids.size(), each, result.data_ptr<float>());
  else
    drawDouble(distribution, drawKey, ids.data(), ids.size(), each, result.data_ptr<double>());
  return fromTensor(arguments.env, onDevice(result, device));
}

}  // namespace satin
