// How a loop becomes fast on every processor with one binary: it is compiled for several instruction sets, and the best is
// chosen when the program starts.
#pragma once

#include "portable.h"

#if defined(__x86_64__) && defined(__linux__)
#define SATIN_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2,fma", "default")))
#else
#define SATIN_CLONES
#endif
