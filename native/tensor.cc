#include "tensor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "device.h"
#include "memory.h"
#include "mock_device.h"

namespace satin {
namespace {

constexpr double kGeneration = 16777216.0;  // 2^24 slots; the 29 bits above count how often a slot was used

constexpr double kLargestArray = 2147483648.0;

struct Slot {
  at::Tensor tensor;
  double generation = 1;
};

// Never destroyed: tensors that are still live at exit must not be freed after libtorch's own statics.
struct Table {
  std::vector<Slot> slots;
  std::vector<uint32_t> free;
  size_t live = 0;
};

Table& table() {
  static Table* instance = new Table();
  return *instance;
}

Slot* find(double handle) {
  if (!(handle >= kGeneration && handle < 9007199254740992.0)) return nullptr;
  const uint64_t bits = static_cast<uint64_t>(handle);
  if (static_cast<double>(bits) != handle) return nullptr;
  const uint64_t index = bits & 0xffffff;
  auto& slots = table().slots;
  if (index >= slots.size()) return nullptr;
  Slot& slot = slots[index];
  if (slot.generation != static_cast<double>(bits >> 24) || !slot.tensor.defined()) return nullptr;
  return &slot;
}

struct DtypeName {
  c10::ScalarType dtype;
  const char* name;
};

constexpr DtypeName kDtypes[] = {
    {c10::ScalarType::Float, "float32"}, {c10::ScalarType::Double, "float64"}, {c10::ScalarType::Half, "float16"},
    {c10::ScalarType::BFloat16, "bfloat16"}, {c10::ScalarType::Long, "int64"}, {c10::ScalarType::Int, "int32"},
    {c10::ScalarType::Byte, "uint8"}, {c10::ScalarType::Bool, "bool"}};

c10::ScalarType dtypeOfArray(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return c10::ScalarType::Float;
    case napi_float64_array: return c10::ScalarType::Double;
    case napi_int32_array: return c10::ScalarType::Int;
    case napi_uint8_array:
    case napi_uint8_clamped_array: return c10::ScalarType::Byte;
    case napi_bigint64_array: return c10::ScalarType::Long;
    default:
      throw WrongArgument(
          "Expected a Float32Array, Float64Array, Int32Array, Uint8Array or BigInt64Array for data but received "
          "another typed array.");
  }
}

napi_typedarray_type arrayOfDtype(c10::ScalarType dtype) {
  switch (dtype) {
    case c10::ScalarType::Float: return napi_float32_array;
    case c10::ScalarType::Double: return napi_float64_array;
    case c10::ScalarType::Int: return napi_int32_array;
    case c10::ScalarType::Long: return napi_bigint64_array;
    case c10::ScalarType::Byte:
    case c10::ScalarType::Bool: return napi_uint8_array;
    default:
      throw WrongArgument(std::string("JavaScript has no array for ") + nameOfDtype(dtype) +
                          "; convert the tensor to float32 first.");
  }
}

}  // namespace

double store(at::Tensor tensor) {
  if (!tensor.defined()) return 0;
  Table& all = table();
  uint32_t index;
  if (all.free.empty()) {
    if (all.slots.size() >= static_cast<size_t>(kGeneration)) throw std::runtime_error("More than 16 million live tensors.");
    index = static_cast<uint32_t>(all.slots.size());
    all.slots.emplace_back();
  } else {
    index = all.free.back();
    all.free.pop_back();
  }
  all.slots[index].tensor = std::move(tensor);
  all.live++;
  return all.slots[index].generation * kGeneration + index;
}

const at::Tensor& tensorOf(double handle) {
  Slot* slot = find(handle);
  if (slot == nullptr) throw Disposed("Expected a live tensor but received one that was disposed of or never made.");
  return slot->tensor;
}

const at::Tensor& tensorOf(napi_env env, napi_value value, const std::string& name) {
  double handle = 0;
  if (napi_get_value_double(env, value, &handle) != napi_ok)
    throw WrongArgument("Expected a tensor for " + name + " but received " + kindOf(env, value) + ".");
  Slot* slot = find(handle);
  if (slot == nullptr)
    throw Disposed("Expected a live tensor for " + name + " but received one that was disposed of or never made.");
  return slot->tensor;
}

std::vector<at::Tensor> tensorsOf(const Arguments& arguments, size_t index, const char* name) {
  std::vector<at::Tensor> result;
  for (const double handle : arguments.numbers(index, name)) result.push_back(tensorOf(handle));
  return result;
}

napi_value fromTensor(napi_env env, at::Tensor tensor) {
  const double handle = store(std::move(tensor));
  return handle == 0 ? null(env) : fromNumber(env, handle);
}

c10::ScalarType dtypeFromName(const std::string& name) {
  for (const DtypeName& entry : kDtypes)
    if (name == entry.name) return entry.dtype;
  throw WrongArgument("Expected a dtype (float32, float64, float16, bfloat16, int64, int32, uint8, bool) but received '" +
                      name + "'.");
}

const char* nameOfDtype(c10::ScalarType dtype) {
  for (const DtypeName& entry : kDtypes)
    if (dtype == entry.dtype) return entry.name;
  return "another dtype";
}

constexpr uint32_t kMostShapes = 4;  // in a sentence

static std::string shapeText(c10::IntArrayRef sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); i++) text += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
  return text + "]";
}

std::string shapesAmong(const Arguments& arguments, size_t first) {
  std::vector<std::string> shapes;
  std::string numbers;  // of the first array without tensors: the shape that is to be made
  const auto add = [&](napi_value value) {
    double handle = 0;
    if (shapes.size() == kMostShapes || napi_get_value_double(arguments.env, value, &handle) != napi_ok) return;
    const Slot* slot = find(handle);
    if (slot != nullptr) shapes.push_back(shapeText(slot->tensor.sizes()));
    else if (numbers.size() < 80) numbers += (numbers.empty() ? "" : ", ") + std::to_string(static_cast<int64_t>(std::min(std::max(handle, -9e15), 9e15)));
  };
  for (size_t i = first; i < arguments.count; i++) {
    bool isArray = false;
    uint32_t length = 0;
    napi_is_array(arguments.env, arguments.values[i], &isArray);
    if (!isArray) {
      double handle = 0;
      if (napi_get_value_double(arguments.env, arguments.values[i], &handle) == napi_ok && find(handle) != nullptr)
        add(arguments.values[i]);
      continue;
    }
    if (!numbers.empty()) continue;
    napi_get_array_length(arguments.env, arguments.values[i], &length);
    for (uint32_t j = 0; j < std::min(length, kMostShapes); j++) {
      napi_value element;
      if (napi_get_element(arguments.env, arguments.values[i], j, &element) != napi_ok) break;
      add(element);
    }
  }
  if (shapes.empty() && !numbers.empty()) return "[" + numbers + "]";
  std::string text;
  for (size_t i = 0; i < shapes.size(); i++)
    text += (i == 0 ? "" : i + 1 == shapes.size() ? " and " : ", ") + shapes[i];
  return text;
}

napi_value toArray(napi_env env, const at::Tensor& source) {
  const napi_typedarray_type type = arrayOfDtype(source.scalar_type());
  // V8 ends the process where an array is longer than it can make; this is below what any version can.
  if (static_cast<double>(source.numel()) * static_cast<double>(source.element_size()) > kLargestArray)
    throw WrongArgument("Expected at most 2 GiB to read at once but received a tensor of " +
                        std::to_string(source.numel()) + " numbers; read it part by part.");
  // A view may only be marked as negated or as zero, without memory that says so.
  const at::Tensor tensor = (source._is_zerotensor() ? at::zeros(source.sizes(), source.options()) : source.resolve_neg()).contiguous();
  void* data = nullptr;
  napi_value buffer, result;
  check(env, napi_create_arraybuffer(env, tensor.nbytes(), &data, &buffer));
  if (tensor.nbytes() > 0) std::memcpy(data, tensor.data_ptr(), tensor.nbytes());
  check(env, napi_create_typedarray(env, type, static_cast<size_t>(tensor.numel()), buffer, 0, &result));
  return result;
}

// fromData(typedArray, shape, device) -> handle. One copy, into the engine's memory, and for a card an upload.
napi_value fromData(Arguments& arguments) {
  napi_env env = arguments.env;
  bool isArray = false;
  if (arguments.count > 0) check(env, napi_is_typedarray(env, arguments.values[0], &isArray));
  if (!isArray)
    throw WrongArgument(std::string("Expected a typed array for data but received ") +
                        kindOf(env, arguments.count > 0 ? arguments.values[0] : nullptr) + ".");
  // The shape first: to read an array can run JavaScript, which could take the data away meanwhile.
  const std::vector<int64_t> shape = arguments.integers(1, "shape");
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  check(env, napi_get_typedarray_info(env, arguments.values[0], &type, &length, &data, nullptr, nullptr));
  double elements = 1;
  for (const int64_t size : shape) {
    if (size < 0) throw WrongArgument("Expected sizes of at least 0 for shape but received " + std::to_string(size) + ".");
    elements *= static_cast<double>(size);
  }
  if (elements != static_cast<double>(length))
    throw WrongArgument("Expected as many numbers as the shape has but received " + std::to_string(length) +
                        " numbers for a shape of " + std::to_string(static_cast<int64_t>(elements)) + ".");
  const c10::Device device = deviceFromName(arguments.text(2, "device"));
  if (device.is_meta()) return fromTensor(env, at::empty(shape, at::TensorOptions().dtype(dtypeOfArray(type)).device(device)));
  const at::Tensor tensor = namingWork(arguments, "data of shape " + shapeText(shape), arguments.count,
                                       [&] { return emptyForUpload(shape, dtypeOfArray(type), device); });
  if (length > 0) std::memcpy(tensor.data_ptr(), data, tensor.nbytes());
  return fromTensor(env, onDevice(tensor, device));
}

// How often JavaScript has read elements: each time, a card has to finish what it was asked to do.
static int64_t reads = 0;

// readData(handle) -> a new typed array with the elements in row-major order.
napi_value readData(Arguments& arguments) {
  const at::Tensor& source = tensorOf(arguments.env, arguments.values[0], "the tensor to read");
  if (source.is_meta()) throw WrongArgument("Expected a tensor with elements to read but received one on the device meta, which has none.");
  reads++;
  return toArray(arguments.env, source.detach().to(at::kCPU));
}

// readCount() -> how often readData was called
napi_value readCount(Arguments& arguments) { return fromNumber(arguments.env, static_cast<double>(reads)); }

// mockReadCount() -> how often the CPU read elements of the device mock, by whatever way
napi_value mockReadCount(Arguments& arguments) { return fromNumber(arguments.env, static_cast<double>(mockReads())); }

// release(handle...): frees the handles; those that are stale are passed over, so freeing twice is harmless.
napi_value release(Arguments& arguments) {
  for (size_t i = 0; i < arguments.count; i++) {
    Slot* slot = find(arguments.number(i, "a tensor handle"));
    if (slot == nullptr) continue;
    slot->tensor = at::Tensor();
    slot->generation = slot->generation >= 536870911.0 ? 1 : slot->generation + 1;
    Table& all = table();
    all.live--;
    all.free.push_back(static_cast<uint32_t>(slot - all.slots.data()));
  }
  return undefined(arguments.env);
}

napi_value shapeOf(Arguments& arguments) {
  const at::Tensor& tensor = tensorOf(arguments.env, arguments.values[0], "the tensor");
  return fromNumbers(arguments.env, std::vector<double>(tensor.sizes().begin(), tensor.sizes().end()));
}

napi_value dtypeOf(Arguments& arguments) {
  const at::Tensor& tensor = tensorOf(arguments.env, arguments.values[0], "the tensor");
  return fromText(arguments.env, nameOfDtype(tensor.scalar_type()));
}

napi_value deviceOf(Arguments& arguments) {
  const at::Tensor& tensor = tensorOf(arguments.env, arguments.values[0], "the tensor");
  return fromText(arguments.env, nameOfDevice(tensor.device()));
}

napi_value liveTensors(Arguments& arguments) {
  return fromNumber(arguments.env, static_cast<double>(table().live));
}

}  // namespace satin
