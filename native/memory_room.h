// How much memory the system has left for this process.
#pragma once

#include <cstddef>
#include <string>

namespace satin {

// The memory of the machine.
size_t physicalMemory();

// The control groups to watch, four lines each: the limit and a margin in bytes, the file with what is used, the file with
// what the system would give back.
void setGauges(const std::string& lines);

// What can still be taken without the system ending the process or refusing, given that the process may have `limit`:
// the least of what is left of the limit, of the machine's memory, of each control group, and of the address space.
size_t roomLeft(size_t limit);

}  // namespace satin
