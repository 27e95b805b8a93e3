// Which operators a TorchScript file may use: those that compute.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

namespace satin {

// Throws WrongArgument for a file whose code would already run while it is loaded. Read by the reader that loads it.
void requireInertFile(const std::string& path);

// Throws WrongArgument, naming the operator, where any function of a loaded file could do more than compute: read or write files,
// print, sleep, change global state or call out. Warnings, which would be printed, are removed.
void requireComputation(const torch::jit::Module& loaded);

}  // namespace satin
