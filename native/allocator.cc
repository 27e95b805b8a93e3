// A caching CPU allocator. Fresh memory from the system costs a page fault every 4 KiB, which makes memory-bound
// operators several times slower; blocks are therefore cached by size and reused.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#ifdef __linux__
#include <malloc.h>
#endif
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <unistd.h>
#include <map>

#include "napi_convert.h"

namespace satin {
namespace {

constexpr size_t kHeader = 64;             // precedes the data and keeps it aligned for vector loads
constexpr size_t kPage = 4096;
constexpr size_t kHuge = size_t{2} << 20;  // blocks from here on are mapped by themselves and ask for huge pages

struct Header {
  size_t block;  // how many bytes the data may have: its class
};

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<Header*>> free;
  size_t liveBytes = 0;
  size_t liveBlocks = 0;
  size_t cachedBytes = 0;
  size_t peakBytes = 0;
  size_t cacheLimit = 0;
  size_t totalLimit = 0;
  bool poison = false;
};

// Never destroyed: tensors are freed after main has ended.
Pool& pool() {
  static Pool* instance = new Pool();
  return *instance;
}

// Eight classes between one power of two and the next: at most 12.5 % of a block is unused. Images and weights come in
// powers of two: those fit exactly, since the header is not counted.
size_t blockSize(size_t bytes) {
  if (bytes <= 512) return (bytes + 63) & ~size_t{63};
  const int highest = 63 - __builtin_clzll(bytes - 1);
  const size_t step = size_t{1} << (highest - 3 < 6 ? 6 : highest - 3);
  return (bytes + step - 1) & ~(step - 1);
}

// What this process may use: the machine's memory, or its control group's where that is less.
size_t availableMemory() {
  size_t total = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
  std::ifstream group("/sys/fs/cgroup/memory.max");
  size_t limit = 0;
  if (group >> limit && limit < total) total = limit;
  return total;
}

char* dataOf(Header* header) { return reinterpret_cast<char*>(header) + kHeader; }
Header* headerOf(void* data) { return reinterpret_cast<Header*>(static_cast<char*>(data) - kHeader); }

// Data that begins where a huge page does, with the header in the page before it. What is mapped around it to get there
// is given back.
Header* map(size_t block) {
  const size_t mapped = kPage + block + kHuge;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  char* const start = static_cast<char*>(memory);
  char* const data = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(start) + kPage + kHuge - 1) & ~(kHuge - 1));
  char* const end = data + block;
  if (data - kPage > start) munmap(start, static_cast<size_t>(data - kPage - start));
  if (start + mapped > end) munmap(end, static_cast<size_t>(start + mapped - end));
#ifdef MADV_HUGEPAGE
  madvise(data, block, MADV_HUGEPAGE);
#endif
  return headerOf(data);
}

Header* fresh(size_t block) {
  if (block >= kHuge) return map(block);
  void* memory = nullptr;
  return posix_memalign(&memory, kHeader, kHeader + block) == 0 ? static_cast<Header*>(memory) : nullptr;
}

void giveBack(Header* header) {
  const size_t block = header->block;
  if (block < kHuge) return std::free(header);
  munmap(dataOf(header) - kPage, kPage + block);
}

void releaseCache(Pool& all) {
  for (auto& entry : all.free)
    for (Header* header : entry.second) giveBack(header);
  all.free.clear();
  all.cachedBytes = 0;
}

// The smallest kept block that will do, taken out of the cache; null where there is none. One of twice the size will do:
// at the peak of a training step that is better than new memory beside it.
Header* cached(Pool& all, size_t block) {
  const auto found = all.free.lower_bound(block);
  if (found == all.free.end() || found->first > 2 * block) return nullptr;
  Header* header = found->second.back();
  found->second.pop_back();
  if (found->second.empty()) all.free.erase(found);
  all.cachedBytes -= header->block;
  return header;
}

void* take(size_t bytes) {
  Pool& all = pool();
  const size_t block = bytes > (size_t{1} << 50) ? SIZE_MAX : blockSize(bytes);
  Header* header = nullptr;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    // Linux grants more than there is and kills the process when it is used: so we refuse first.
    if (block > all.totalLimit || all.liveBytes + block > all.totalLimit)
      throw std::runtime_error("Not enough memory: " + std::to_string(bytes >> 20) + " MiB asked for, " +
                               std::to_string(all.liveBytes >> 20) + " MiB in use, " +
                               std::to_string(all.totalLimit >> 20) + " MiB allowed. A smaller batch needs less.");
    header = cached(all, block);
    if (header == nullptr) {
      if (all.liveBytes + all.cachedBytes + block > all.totalLimit) releaseCache(all);
      header = fresh(block);
      if (header == nullptr) {
        releaseCache(all);
        header = fresh(block);
      }
      if (header == nullptr) throw std::bad_alloc();
      header->block = block;
    }
    all.liveBytes += header->block;
    all.liveBlocks++;
    if (all.liveBytes > all.peakBytes) all.peakBytes = all.liveBytes;
  }
  void* data = dataOf(header);
  // All bits set is a NaN in every float type: reads of uninitialised memory become visible.
  if (all.poison) std::memset(data, 0xff, bytes);
  return data;
}

void give(void* data) {
  if (data == nullptr) return;
  Header* header = headerOf(data);
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  const size_t block = header->block;
  all.liveBytes -= block;
  all.liveBlocks--;
  if (all.cachedBytes + block > all.cacheLimit) {
    giveBack(header);
    return;
  }
  all.cachedBytes += block;
  all.free[block].push_back(header);
}

struct CachingAllocator final : c10::Allocator {
#if SATIN_LIBTORCH_MAJOR >= 2
  c10::DataPtr allocate(size_t bytes) override {
#else
  c10::DataPtr allocate(size_t bytes) const override {
#endif
    void* data = bytes == 0 ? nullptr : take(bytes);
    return {data, data, &give, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give; }
#if SATIN_LIBTORCH_MAJOR >= 2
  void copy_data(void* destination, const void* source, size_t bytes) const override {
    default_copy_data(destination, source, bytes);
  }
#endif
};

}  // namespace

void installAllocator() {
  Pool& all = pool();
  all.totalLimit = availableMemory();
  all.cacheLimit = all.totalLimit / 4;
#ifdef __linux__
  // oneDNN's scratch memory comes from malloc: keep that mapped as well.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  static CachingAllocator* allocator = new CachingAllocator();
  c10::SetCPUAllocator(allocator, 0);
}

// memory() -> [live bytes, live blocks, cached bytes, peak bytes, cache limit, total limit]
napi_value memory(Arguments& arguments) {
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  return fromNumbers(arguments.env, {static_cast<double>(all.liveBytes), static_cast<double>(all.liveBlocks),
                                     static_cast<double>(all.cachedBytes), static_cast<double>(all.peakBytes),
                                     static_cast<double>(all.cacheLimit), static_cast<double>(all.totalLimit)});
}

// setMemoryLimits(cache bytes, total bytes)
napi_value setMemoryLimits(Arguments& arguments) {
  const int64_t cache = arguments.integer(0, "the cache limit");
  const int64_t total = arguments.integer(1, "the total limit");
  if (cache < 0 || total < 0) throw WrongArgument("Expected memory limits of at least 0 bytes.");
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.cacheLimit = static_cast<size_t>(cache);
  all.totalLimit = static_cast<size_t>(total);
  if (all.cachedBytes > all.cacheLimit) releaseCache(all);
  return undefined(arguments.env);
}

napi_value emptyCache(Arguments& arguments) {
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  releaseCache(all);
  return undefined(arguments.env);
}

napi_value poisonRecycled(Arguments& arguments) {
  pool().poison = arguments.boolean(0, "poison");
  return undefined(arguments.env);
}

}  // namespace satin
