// What happens where there is not enough memory: an exception that says so, to which each call adds what it was doing.
#pragma once

#include <stdexcept>
#include <string>

#include "napi_convert.h"

namespace satin {

// Thrown by the allocator before the operating system would end the process; the text says how much, and of what.
struct OutOfMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The shapes of the tensors among the arguments from `first` on: '[64, 3, 32, 32] and [16, 3, 3, 3]'; at most four.
std::string shapesAmong(const Arguments& arguments, size_t first);

// Runs a function; what it lacks memory for becomes an error that names the work and the shapes of the tensors among
// its arguments, from `first` on: 'Not enough memory for aten::conv2d of [64, 3, 32, 32] and [16, 3, 3, 3]: ...'
template <typename Body>
auto namingWork(const Arguments& arguments, const std::string& work, size_t first, Body body) {
  try {
    return body();
  } catch (const OutOfMemory& error) {
    const std::string shapes = shapesAmong(arguments, first);
    throw std::runtime_error("Not enough memory for " + work + (shapes.empty() ? "" : " of " + shapes) + ": " +
                             error.what());
  }
}

}  // namespace satin
