// Networks that PyTorch saved as TorchScript: loaded, run by libtorch's interpreter, differentiated like any operator.
// TorchScript is a program and not data: only what computes is run (torchscript_operators.h). It may still compute for ever, or
// use up the memory.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <new>

#include "device.h"
#include "tensor.h"
#include "torchscript_operators.h"

namespace satin {
namespace {

// Never destroyed, like the table of tensors. A number is given once, so that of a script that is gone is refused.
std::vector<std::unique_ptr<torch::jit::Module>>& scripts() {
  static auto* instance = new std::vector<std::unique_ptr<torch::jit::Module>>();
  return *instance;
}

torch::jit::Module& scriptOf(const Arguments& arguments) {
  const int64_t index = arguments.integer(0, "the script");
  auto& all = scripts();
  if (index < 0 || index >= static_cast<int64_t>(all.size()) || all[static_cast<size_t>(index)] == nullptr)
    throw Disposed("Expected a loaded script but received one that was disposed of or never loaded.");
  return *all[static_cast<size_t>(index)];
}

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// 'RuntimeError: shapes differ', 'builtins.ValueError: no': the line of a traceback that says what was thrown.
bool namesError(const std::string& line) {
  const size_t colon = line.find(": ");
  if (colon == std::string::npos || colon == 0) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

// The line that says what is wrong: the interpreter writes a traceback before it, the loader an empty line before it and
// advice behind it.
std::string reasonOf(const std::string& message) {
  const std::vector<std::string> lines = linesOf(message);
  if (message.find("in the TorchScript interpreter") != std::string::npos) {
    const auto thrown = std::find_if(lines.begin(), lines.end(), namesError);
    const std::string ordinary = "RuntimeError: ";
    if (thrown != lines.end()) return thrown->rfind(ordinary, 0) == 0 ? thrown->substr(ordinary.size()) : *thrown;
  }
  const auto said = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find_first_not_of(" \t\r:") != std::string::npos;
  });
  return said == lines.end() ? "libtorch gave no reason" : *said;
}

// What fails in here is the script's fault, unless memory ran out.
template <typename Body>
auto blamed(Body body) -> decltype(body()) {
  std::string message;
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  } catch (const std::exception& error) {
    message = error.what();
  }
  const std::string reason = reasonOf(message);
  if (reason.find("bad_alloc") != std::string::npos) throw std::bad_alloc();
  if (reason.rfind("Not enough memory", 0) == 0) throw std::runtime_error(reason);
  throw WrongArgument(reason);
}

// The device constants and the tensors that a graph holds. A network that was traced on a graphics card names it wherever it
// makes a tensor, and one that was traced on the CPU likewise.
void retarget(torch::jit::Block& block, c10::Device device) {
  for (torch::jit::Node* node : block.nodes()) {
    for (torch::jit::Block* inner : node->blocks()) retarget(*inner, device);
    if (node->kind() != torch::jit::prim::Constant || node->outputs().size() != 1 || !node->hasAttribute(torch::jit::attr::value)) continue;
    const c10::TypeKind kind = node->output()->type()->kind();
    const torch::jit::AttributeKind stored = node->kindOf(torch::jit::attr::value);
    if (kind == c10::TypeKind::DeviceObjType && stored == torch::jit::AttributeKind::s)
      node->s_(torch::jit::attr::value, device.str());
    else if (kind == c10::TypeKind::TensorType && stored == torch::jit::AttributeKind::t)
      node->t_(torch::jit::attr::value, node->t(torch::jit::attr::value).to(device));
  }
}

// The whole network on a device, whichever it was saved on. None of its tensors requires a gradient.
void moveTo(torch::jit::Module& root, c10::Device device) {
  for (torch::jit::Module module : root.modules()) {
    for (const auto& attribute : module.named_attributes(/*recurse=*/false)) {
      if (!attribute.value.isTensor() || !attribute.value.toTensor().defined()) continue;
      module.setattr(attribute.name, attribute.value.toTensor().detach().to(device));
    }
    for (const torch::jit::Method& method : module.get_methods()) retarget(*method.graph()->block(), device);
  }
}

}  // namespace

// loadScript(path, device) -> its number. In evaluation mode, and none of its tensors requires a gradient.
napi_value loadScript(Arguments& arguments) {
  const std::string path = arguments.text(0, "the path of a script");
  const c10::Device device = deviceFromName(arguments.text(1, "device"));
  // The profiling executor compiles the second and third call anew (three to five times as long), then computes other
  // gradients than the first call (4e-7 of the largest), and was no faster afterwards. Without it each call is what
  // PyTorch computes without a script, to the bit, and the same each time.
  torch::jit::setGraphExecutorOptimize(false);
  auto script = std::make_unique<torch::jit::Module>(blamed([&] {
    requireInertFile(path);
    // By way of the CPU, so that a machine without a card reads what was saved on one.
    torch::jit::Module loaded = torch::jit::load(path, at::kCPU);
    requireComputation(loaded);
    loaded.eval();
    moveTo(loaded, device);
    return loaded;
  }));
  scripts().push_back(std::move(script));
  return fromNumber(arguments.env, static_cast<double>(scripts().size() - 1));
}

// runScript(script, tensor) -> the tensor that its `forward` returns, with its history. Runs on the calling thread.
napi_value runScript(Arguments& arguments) {
  torch::jit::Module& script = scriptOf(arguments);
  const at::Tensor input = tensorOf(arguments.env, arguments.values[1], "the input");
  const at::AutoGradMode restored(at::GradMode::is_enabled());  // the script may leave another
  const c10::IValue output = blamed([&] { return script.forward({input}); });
  if (!output.isTensor()) throw WrongArgument("it returns a " + output.tagKind() + " and no tensor");
  const at::Tensor& logits = output.toTensor();
  if (!logits.defined() || logits.layout() != at::kStrided || logits.is_quantized())
    throw WrongArgument("it returns a sparse or packed tensor and no dense one: in its forward, end with .to_dense()");
  if (logits.is_complex()) throw WrongArgument("it returns complex numbers and no logits: in its forward, end with .real or .abs()");
  return fromTensor(arguments.env, logits);
}

// scriptInputs(script) -> how many arguments its `forward` needs: those without a default
napi_value scriptInputs(Arguments& arguments) {
  const auto forward = scriptOf(arguments).find_method("forward");
  if (!forward) return fromNumber(arguments.env, 0);
  const auto& inputs = forward->function().getSchema().arguments();
  const auto needed = std::count_if(inputs.begin(), inputs.end(),
                                    [](const c10::Argument& each) { return !each.default_value().has_value(); });
  return fromNumber(arguments.env, static_cast<double>(needed - 1));  // the first one is the module itself
}

// releaseScript(script): frees it; doing so twice is harmless
napi_value releaseScript(Arguments& arguments) {
  const int64_t index = arguments.integer(0, "the script");
  if (index >= 0 && index < static_cast<int64_t>(scripts().size())) scripts()[static_cast<size_t>(index)].reset();
  return undefined(arguments.env);
}

}  // namespace satin
