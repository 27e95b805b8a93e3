// What the kernel of noise.cu is started with. Host and card read the same declaration.
#pragma once

#include "../portable.h"

namespace satin {

struct DrawNoise {
  uint64_t key;
  const int64_t* ids;  // [examples]
  int64_t examples, elements;
  void* out;  // [examples, elements]
};

}  // namespace satin
