#include "memory_room.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

namespace satin {
namespace {

struct Gauge {
  size_t limit = 0, margin = 0;
  std::string usage, statistics;
};

// Never destroyed: tensors may be made after main has ended.
std::vector<Gauge>& gauges() {
  static auto* instance = new std::vector<Gauge>();
  return *instance;
}

// What is left for stacks, JavaScript and the scratch memory of libraries where the address space is limited.
constexpr size_t kAddressMargin = size_t{64} << 20;

size_t minus(size_t a, size_t b) { return a > b ? a - b : 0; }

// The number behind a name in a file of names and numbers; 0 where there is none.
size_t numberBehind(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  size_t number = 0;
  while (file >> word)
    if (word == name) return file >> number ? number : 0;
  return 0;
}

// Linux gives the page cache back before it ends a process; its groups count it as used. The first name is of cgroup v2,
// the second of v1, where it includes the groups below.
size_t reclaimable(const std::string& path) {
  return std::max(numberBehind(path, "total_inactive_file"), numberBehind(path, "inactive_file"));
}

size_t roomIn(const Gauge& gauge) {
  std::ifstream file(gauge.usage);
  size_t used = 0;
  if (!(file >> used)) return SIZE_MAX;
  return minus(gauge.limit, minus(used, reclaimable(gauge.statistics)) + gauge.margin);
}

size_t addressRoom(int resource, size_t used) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return minus(static_cast<size_t>(limit.rlim_cur), used + kAddressMargin);
}

}  // namespace

size_t physicalMemory() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
}

void setGauges(const std::string& lines) {
  gauges().clear();
  std::istringstream text(lines);
  for (Gauge gauge; text >> gauge.limit >> gauge.margin;) {
    std::string rest;
    std::getline(text, rest);
    if (!std::getline(text, gauge.usage) || !std::getline(text, gauge.statistics)) return;
    gauges().push_back(gauge);
  }
}

size_t roomLeft(size_t limit) {
  size_t room = limit;
#ifdef __linux__
  std::ifstream file("/proc/self/statm");
  size_t addresses = 0, resident = 0, shared = 0, code = 0, library = 0, data = 0;
  if (file >> addresses >> resident >> shared >> code >> library >> data) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
    // What is shared is the libraries' code, which the system can read again.
    room = std::min(room, minus(limit, minus(resident, shared) * page));
    room = std::min(room, addressRoom(RLIMIT_AS, addresses * page));
    room = std::min(room, addressRoom(RLIMIT_DATA, data * page));
  }
  const size_t available = numberBehind("/proc/meminfo", "MemAvailable:") << 10;
  if (available > 0) room = std::min(room, available);
  for (const Gauge& gauge : gauges()) room = std::min(room, roomIn(gauge));
#endif
  return room;
}

}  // namespace satin
