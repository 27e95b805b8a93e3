// Starts a kernel of native/cuda on a graphics card. It is compiled when it is first started on a card, which takes about 0.2 s and
// cannot be captured in a graph; after that nothing here waits for the card, and a graph may capture it.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>

#include "activation_kinds.h"
#include "cuda/block.h"

namespace satin {

struct Grid {
  int64_t x;
  int64_t y = 1;
};

// Enough blocks for `count` numbers of which a thread takes `each` at a time, at most `most`.
Grid gridOf(int64_t count, int64_t each, int64_t most);

// A kernel by its file and by its name with template arguments.
struct KernelName {
  KernelName(const char* file, const std::string& kernel, std::initializer_list<std::string> arguments = {});
  const char* file;
  std::string text;
};

// The C++ names of template arguments.
std::string nameOfClass(Activation kind);
std::string nameOfStorage(at::ScalarType dtype);
inline std::string nameOf(bool value) { return value ? "true" : "false"; }

// On the device of `place` and its current stream, in blocks of kThreads threads.
void launchKernel(const at::Tensor& place, const KernelName& kernel, Grid grid, const void* arguments);

template <typename Arguments>
void launch(const at::Tensor& place, const KernelName& kernel, Grid grid, const Arguments& arguments) {
  launchKernel(place, kernel, grid, &arguments);
}

}  // namespace satin
