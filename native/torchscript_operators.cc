#include "torchscript_operators.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string_view>
#include <unordered_set>

#include "napi_convert.h"

namespace satin {
namespace {

// The statements of the language, and the operators on its plain values.
const std::unordered_set<std::string_view>& statements() {
  static const auto* names = new std::unordered_set<std::string_view>{
      "Constant", "GetAttr", "SetAttr", "CallMethod", "CallFunction", "CreateObject", "If", "Loop", "With", "Enter", "Exit",
      "ListConstruct", "ListUnpack", "TupleConstruct", "TupleUnpack", "TupleIndex", "TupleSlice", "DictConstruct", "DictIndex",
      "ListIndex", "StringIndex", "NumToTensor", "ImplicitTensorToNum", "RaiseException", "Uninitialized", "unchecked_cast",
      "unchecked_unwrap_optional", "isinstance", "Closure", "Function", "EnumName", "EnumValue", "ModuleContainerIndex", "rangelist",
      "tolist", "ConstantChunk", "Return", "Param", "abs", "min", "max", "data", "grad", "requires_grad", "device", "dtype", "layout",
      "shape", "type", "index", "name", "id", "itemsize", "nbytes", "is_cpu", "is_cuda", "is_ipu", "is_maia", "is_meta", "is_mkldnn",
      "is_mps", "is_mtia", "is_nested", "is_ort", "is_quantized", "is_sparse", "is_sparse_csr", "is_vulkan", "is_xla", "is_xpu"};
  return *names;
}

// The operators of libtorch that do more than compute.
const std::unordered_set<std::string_view>& effects() {
  static const auto* names = new std::unordered_set<std::string_view>{
      "from_file", "save", "load", "print", "_print", "sleep", "manual_seed", "seed", "wait", "to_here", "owner", "owner_name", "is_owner",
      "confirmed_by_owner", "local_value", "record_stream", "_cufft_set_plan_cache_max_size", "_cufft_clear_plan_cache"};
  return *names;
}

bool computes(const std::string& space, const std::string& name) {
  if (space == "prim") return statements().count(name) > 0;
  return space == "aten" && effects().count(name) == 0 && name.find("file") == std::string::npos;
}

void requireComputation(torch::jit::Block& block) {
  for (auto node = block.nodes().begin(); node != block.nodes().end(); ++node) {
    const std::string space = node->kind().ns().toUnqualString();
    const std::string name = node->kind().toUnqualString();
    if (space == "aten" && name == "warn") {
      node.destroyCurrent();
      continue;
    }
    if (!computes(space, name)) throw WrongArgument("it calls " + space + "::" + name + ", which does more than compute");
    for (torch::jit::Block* inner : node->blocks()) requireComputation(*inner);
    for (const torch::jit::Symbol attribute : node->attributeNames())
      if (node->kindOf(attribute) == torch::jit::AttributeKind::g) requireComputation(*node->g(attribute)->block());
  }
}

bool endsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

void requireInertFile(const std::string& path) {
  caffe2::serialize::PyTorchStreamReader reader(path);
  for (const std::string& name : reader.getAllRecords()) {
    const bool isCode = endsWith(name, ".py");
    if (!isCode && !endsWith(name, ".pkl")) continue;
    const auto record = reader.getRecord(name);
    const std::string_view text(static_cast<const char*>(std::get<0>(record).get()), std::get<1>(record));
    // Called by the loader on every object of its class.
    if (isCode && text.find("__setstate__") != std::string_view::npos)
      throw WrongArgument("it calls __setstate__ while it is loaded, which does more than compute");
    if (isCode && text.find("MKLDNN") != std::string_view::npos) throw WrongArgument("its code has constants of MKLDNN");
    // Classes in C++, such as packed weights; a pickle puts a line feed between module and name.
    for (const char* classes : {"torch.classes", "torch\nclasses"})
      if (text.find(classes) != std::string_view::npos)
        throw WrongArgument("it makes objects of torch.classes, which does more than compute");
  }
}

void requireComputation(const torch::jit::Module& loaded) {
  for (torch::jit::Function* function : loaded._ivalue()->compilation_unit()->get_functions())
    if (torch::jit::GraphFunction* graph = torch::jit::tryToGraphFunction(*function)) requireComputation(*graph->graph()->block());
}

}  // namespace satin
