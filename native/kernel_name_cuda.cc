// The names of kernels as C++ writes them, and the sizes of grids.
#include <algorithm>

#include "launch_cuda.h"

namespace satin {

Grid gridOf(int64_t count, int64_t each, int64_t most) {
  const int64_t taken = kThreads * each;
  return {std::min(most, (count + taken - 1) / taken)};
}

KernelName::KernelName(const char* file, const std::string& kernel, std::initializer_list<std::string> arguments) : file(file), text(kernel) {
  const char* before = "<";
  for (const std::string& argument : arguments) {
    text += before + argument;
    before = ", ";
  }
  if (arguments.size() > 0) text += ">";
}

std::string nameOfClass(Activation kind) {
#define SATIN_NAME(NAME, NUMBER, TEXT, COEFFICIENTS) \
  case Activation::k##NAME: return #NAME;
  switch (kind) { SATIN_ACTIVATIONS(SATIN_NAME) }
#undef SATIN_NAME
  return "";
}

std::string nameOfStorage(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat: return "float";
    case at::kDouble: return "double";
    case at::kBFloat16: return "BFloat16";
    case at::kHalf: return "Half";
    default: break;
  }
  TORCH_CHECK(false, "Expected float32, float64, bfloat16 or float16 on a graphics card but received ", dtype, ".");
}

}  // namespace satin
