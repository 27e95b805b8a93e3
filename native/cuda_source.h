// The CUDA kernels as the binary carries them: native/embed-kernels.mjs makes them from native/cuda.
#pragma once

#include <string>

namespace satin {

// The text of a file of native/cuda with all that it includes, or null.
const char* cudaSource(const std::string& file);

}  // namespace satin
