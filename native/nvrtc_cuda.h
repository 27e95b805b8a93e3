// NVRTC, CUDA's compiler at run time, which libtorch brings or a CUDA toolkit. No torch headers here: a test compiles every
// kernel with it on machines without a card.
#pragma once

#include <string>
#include <vector>

#include "shared_library.h"

namespace satin {

// A kernel as the driver loads it.
struct CompiledKernel {
  std::string binary;  // machine code, or PTX for a card that is newer than the compiler
  std::string symbol;
};

class Nvrtc {
 public:
  // Loads the first library of these names.
  explicit Nvrtc(const std::vector<std::string>& names);

  // The kernel `name`, such as `activateForward<Silu, float>`, of a file of native/cuda, for a card of this compute capability
  // (90 is 9.0). Throws with the compiler's words where it refuses.
  CompiledKernel compile(const std::string& file, const std::string& name, int capability) const;

 private:
  void check(int result, const std::string& what, const std::string& log = "") const;
  std::string architecture(int capability) const;
  SharedLibrary library;
};

}  // namespace satin
