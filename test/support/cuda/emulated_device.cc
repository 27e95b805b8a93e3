#include "emulated_device.h"

#include <ucontext.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

Coordinates threadIdx, blockIdx, gridDim;

namespace emulated {
namespace {

// A thread of the block that runs, with a stack of its own.
struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  bool isDone;
};

constexpr size_t kStack = 128 * 1024;
std::vector<Fiber> fibers;
ucontext_t scheduler;
unsigned running;
const std::function<void()>* body;

void enter() {
  (*body)();
  fibers[running].isDone = true;
  swapcontext(&fibers[running].context, &scheduler);
}

void prepare(unsigned threads) {
  while (fibers.size() < threads) fibers.push_back({{}, std::make_unique<char[]>(kStack), false});
  for (unsigned thread = 0; thread < threads; thread++) {
    Fiber& fiber = fibers[thread];
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    fiber.isDone = false;
    makecontext(&fiber.context, enter, 0);
  }
}

void runBlock(unsigned threads) {
  static uint32_t random = 1;
  prepare(threads);
  std::vector<unsigned> order(threads);
  std::iota(order.begin(), order.end(), 0u);
  for (unsigned done = 0; done < threads;) {
    for (unsigned i = threads - 1; i > 0; i--) {
      random = random * 1664525u + 1013904223u;
      std::swap(order[i], order[(random >> 8) % (i + 1)]);
    }
    for (const unsigned thread : order) {
      running = thread;
      threadIdx = {thread, 0};
      swapcontext(&scheduler, &fibers[thread].context);
      done += fibers[thread].isDone;
    }
    if (done > 0 && done < threads) throw std::runtime_error("Threads of a block wait for others that have ended.");
  }
}

}  // namespace

void run(int64_t blocksX, int64_t blocksY, int threads, const std::function<void()>& thread) {
  body = &thread;
  gridDim = {static_cast<unsigned>(blocksX), static_cast<unsigned>(blocksY)};
  for (unsigned y = 0; y < gridDim.y; y++)
    for (unsigned x = 0; x < gridDim.x; x++) {
      blockIdx = {x, y};
      runBlock(static_cast<unsigned>(threads));
    }
}

const std::map<std::string, Kernel>& kernels() {
  static const Table all = [] {
    Table table;
    addActivations(table);
    addNorms(table);
    addOthers(table);
    return table;
  }();
  return all;
}

}  // namespace emulated

void __syncthreads() { swapcontext(&emulated::fibers[emulated::running].context, &emulated::scheduler); }

namespace satin {

float halfNumber(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const float sign = bits >> 15 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

uint16_t halfBits(float number) {
  if (number != number) return 0x7fff;
  const uint16_t sign = std::signbit(number) ? 0x8000 : 0;
  const double size = std::fabs(static_cast<double>(number));
  if (size == 0) return sign;
  if (size >= 65520) return sign | 0x7c00;
  int exponent;
  std::frexp(size, &exponent);
  const int unit = std::max(exponent - 11, -24);  // what the last bit of the mantissa is worth
  const auto steps = static_cast<unsigned>(std::nearbyint(std::ldexp(size, -unit)));
  // as a whole number of steps of the smallest binade it is in, exponents carry into each other
  return static_cast<uint16_t>(sign | (unit == -24 ? steps : (static_cast<unsigned>(unit + 24) << 10) + steps));
}

}  // namespace satin
