// Runs the kernels of native/cuda on the CPU, without speed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace emulated {

// Runs `thread` for each thread of a grid. Between two barriers the threads of a block take turns in an order that
// differs from barrier to barrier, so that a missing barrier shows. Throws where some threads end and others wait.
void run(int64_t blocksX, int64_t blocksY, int threads, const std::function<void()>& thread);

// All kernels by file and name, as those of the host ask for them.
using Kernel = void (*)(const void* arguments);
const std::map<std::string, Kernel>& kernels();

// Tables of single files, which are compiled side by side.
using Table = std::map<std::string, Kernel>;
void addActivations(Table& table);
void addNorms(Table& table);
void addOthers(Table& table);

template <typename Arguments, void (*kernel)(const Arguments)>
void start(const void* arguments) {
  kernel(*static_cast<const Arguments*>(arguments));
}

}  // namespace emulated
