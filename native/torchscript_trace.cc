// A network as TorchScript: libtorch's tracer records the operators that JavaScript calls, and the record is kept
// beside the tensors it used, under their names. Satin's operators are replaced by libtorch's while it records
// (dispatch key Tracer), so that PyTorch can read the file. The caller tests whether the file computes the same.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/serialization/export.h>

#include <algorithm>

#include "tensor.h"

namespace satin {
namespace {

using torch::jit::Module;
using torch::jit::Stack;

std::vector<std::string> partsOf(const std::string& name) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find('.', start), name.size());
    parts.push_back(name.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// 'layer1.0.conv1.weight' → module layer1, in it 0, in that conv1, in that the tensor weight. Each module has a class of
// its own, since what stands in a class is fixed.
struct Folder {
  std::vector<std::pair<std::string, Folder>> folders;
  std::vector<std::tuple<std::string, at::Tensor, bool>> tensors;

  Folder& at(const std::string& name) {
    for (auto& [other, folder] : folders)
      if (other == name) return folder;
    folders.emplace_back(name, Folder());
    return folders.back().second;
  }
};

void fill(Module& module, const Folder& folder, const std::string& className) {
  // PyTorch's code reads this attribute of every module.
  module.register_attribute("training", c10::BoolType::get(), false);
  for (const auto& [name, tensor, trained] : folder.tensors) module.register_parameter(name, tensor, !trained);
  for (const auto& [name, inner] : folder.folders) {
    const std::string innerName = className + "_" + name;
    Module child(c10::QualifiedName(innerName), module._ivalue()->compilation_unit());
    fill(child, inner, innerName);
    module.register_module(name, child);
  }
}

napi_value elementOf(napi_env env, napi_value array, uint32_t index) {
  napi_value element;
  check(env, napi_get_element(env, array, index, &element));
  return element;
}

Folder foldersOf(const Arguments& arguments) {
  const std::vector<double> handles = arguments.numbers(1, "the tensors");
  const std::vector<double> trained = arguments.numbers(2, "which are trained");
  Folder root;
  for (uint32_t i = 0; i < handles.size(); i++) {
    size_t length = 0;
    napi_value text = elementOf(arguments.env, arguments.values[0], i);
    check(arguments.env, napi_get_value_string_utf8(arguments.env, text, nullptr, 0, &length));
    std::string name(length, '\0');
    check(arguments.env, napi_get_value_string_utf8(arguments.env, text, name.data(), length + 1, &length));
    std::vector<std::string> parts = partsOf(name);
    const std::string last = parts.back();
    parts.pop_back();
    Folder* folder = &root;
    for (const std::string& part : parts) folder = &folder->at(part);
    folder->tensors.emplace_back(last, tensorOf(handles[i]), trained.at(i) != 0);
  }
  return root;
}

// An operator that only Satin has would make a file that nobody else can read.
void requireForeign(torch::jit::Block& block) {
  for (torch::jit::Node* node : block.nodes()) {
    const std::string name = node->kind().toQualString();
    if (name.rfind("satin::", 0) == 0) throw std::runtime_error("internal: " + name + " has no implementation for a trace.");
    for (torch::jit::Block* inner : node->blocks()) requireForeign(*inner);
  }
}

}  // namespace

// traceScript(names, tensors, trained (1 or 0 each), example, forward) -> the bytes of a TorchScript file: forward(handle) →
// handle as it was recorded for the example, in a module whose parameters and buffers are the tensors. Whoever calls it
// switches gradients off, and keeps forward from reading numbers out of tensors.
napi_value traceScript(Arguments& arguments) {
  napi_env env = arguments.env;
  const Folder folder = foldersOf(arguments);
  const at::Tensor example = tensorOf(env, arguments.values[3], "the example");
  napi_value forward = arguments.values[4];

  Module module(c10::QualifiedName("__torch__.Satin"));
  fill(module, folder, "__torch__.Satin");
  const auto recorded = [&](Stack inputs) -> Stack {
    napi_value receiver, handle = fromTensor(env, inputs.at(0).toTensor()), result;
    check(env, napi_get_undefined(env, &receiver));
    check(env, napi_call_function(env, receiver, forward, 1, &handle, &result));
    return {tensorOf(env, result, "what forward returned")};
  };
  const auto unnamed = [](const torch::autograd::Variable&) { return std::string(); };
  const auto traced = torch::jit::tracer::trace({example}, recorded, unnamed, true, false, &module, {"images"});
  const std::shared_ptr<torch::jit::Graph> graph = traced.first->graph;
  requireForeign(*graph->block());
  const c10::QualifiedName name(*module.type()->name(), "forward");
  module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(name, graph));

  // Into memory: where libtorch cannot write to a file, on a full disk, it ends the process.
  std::string bytes;
  torch::jit::ExportModule(module, [&](const void* data, size_t size) -> size_t {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  napi_value result;
  check(env, napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &result));
  return result;
}

}  // namespace satin
