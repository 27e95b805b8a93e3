// What the kernel of projection.cu is started with. Host and card read the same declaration.
#pragma once

#include "../portable.h"

namespace satin {

struct StepToHyperplane {
  const void *x, *w, *excess;  // [examples, count], the same, [examples]
  void* step;                  // [examples, count]
  int64_t count;
};

}  // namespace satin
