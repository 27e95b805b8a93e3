// compile_kernels LIBNVRTC CAPABILITY...: compiles every kernel of native/cuda for each compute capability, such as 90, as the
// binding does when it first starts one. Needs no graphics card and no driver.
#include <cstdio>
#include <exception>

#include "../../../native/nvrtc_cuda.h"
#include "emulator.h"

int main(int count, char** words) {
  if (count < 3) return 2;
  int compiled = 0;
  size_t bytes = 0;
  try {
    const satin::Nvrtc nvrtc({words[1]});
    for (int i = 2; i < count; i++)
      for (const auto& [name, kernel] : emulated::kernels()) {
        const size_t space = name.find(' ');
        bytes += nvrtc.compile(name.substr(0, space), name.substr(space + 1), std::stoi(words[i])).binary.size();
        compiled++;
      }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%d kernels, %zu bytes\n", compiled, bytes);
  return 0;
}
