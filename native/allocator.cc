// A caching CPU allocator. Fresh memory from the system costs a page fault every 4 KiB, which makes memory-bound
// operators several times slower; blocks are therefore cached by size and reused.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#ifdef __linux__
#include <malloc.h>
#endif
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <map>

#include "memory.h"
#include "memory_room.h"

namespace satin {
namespace {

constexpr size_t kHeader = 64;             // precedes the data and keeps it aligned for vector loads
constexpr size_t kPage = 4096;
constexpr size_t kHuge = size_t{2} << 20;  // blocks from here on are mapped by themselves and ask for huge pages

struct Header {
  size_t block;  // how many bytes the data may have: its class
  size_t asked;  // how many it has
};

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<Header*>> free;
  size_t liveBytes = 0;
  size_t liveBlocks = 0;
  size_t cachedBytes = 0;
  size_t peakBytes = 0;
  size_t cacheLimit = 0;
  size_t totalLimit = 0;  // of all tensors together
  size_t given = 0;       // what the process may have, tensors and all else
  size_t unchecked = 0;  // bytes taken from the system since it was last asked what it has left
  size_t leftThen = 0;   // what it had left when it was asked
  std::string giver = "this machine";
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

std::string mebibytes(size_t bytes) { return std::to_string((bytes >> 20) + (bytes % (size_t{1} << 20) != 0)) + " MiB"; }

[[noreturn]] void refuse(const Pool& all, size_t bytes, size_t left) {
  throw OutOfMemory(mebibytes(bytes) + " asked for, " + mebibytes(all.liveBytes) + " in use by tensors, " +
                    std::to_string(left >> 20) + " MiB left of the " + mebibytes(all.totalLimit) + " that " + all.giver +
                    " allows. A smaller batch, network or image needs less.");
}

// What is left for tensors, by what they were asked for and by what the system says.
size_t left(const Pool& all, size_t room) {
  return std::min(room, all.totalLimit > all.liveBytes ? all.totalLimit - all.liveBytes : 0);
}

// Linux grants more than there is and kills the process when it is used: so we refuse first. The system is asked again
// once a quarter of what it had left, or 256 MiB, were taken, since to read its files takes as long as to map a page.
void requireRoom(Pool& all, size_t bytes, size_t block) {
  all.unchecked += block;
  if (all.unchecked < std::min(all.leftThen / 4, size_t{256} << 20)) return;
  size_t room = roomLeft(all.given);
  if (bytes > room && all.cachedBytes > 0) {
    releaseCache(all);
    room = roomLeft(all.given);
  }
  all.unchecked = 0;
  all.leftThen = room;
  if (bytes > room) refuse(all, bytes, left(all, room));
  all.leftThen -= bytes;
}

// New memory from the system; its cached blocks are given back first where they take the room.
Header* obtain(Pool& all, size_t bytes, size_t block) {
  if (all.liveBytes + all.cachedBytes + block > all.totalLimit) releaseCache(all);
  requireRoom(all, bytes, block);
  Header* header = fresh(block);
  if (header == nullptr) {
    releaseCache(all);
    header = fresh(block);
  }
  if (header == nullptr) refuse(all, bytes, left(all, roomLeft(all.given)));
  header->block = block;
  return header;
}

void* take(size_t bytes) {
  Pool& all = pool();
  Header* header = nullptr;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    if (bytes > all.totalLimit || all.liveBytes + bytes > all.totalLimit) refuse(all, bytes, left(all, all.totalLimit));
    const size_t block = blockSize(bytes);
    header = cached(all, block);
    if (header == nullptr) header = obtain(all, bytes, block);
    header->asked = bytes;
    all.liveBytes += bytes;
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
  all.liveBytes -= header->asked;
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
  all.totalLimit = all.given = physicalMemory();
  all.cacheLimit = all.totalLimit / 4;
#ifdef __linux__
  // oneDNN's scratch memory comes from malloc: keep that mapped as well.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  static CachingAllocator* allocator = new CachingAllocator();
  c10::SetCPUAllocator(allocator, 0);
}

// memory() -> [live bytes, live blocks, cached bytes, peak bytes, cache limit, total limit, left for tensors]
napi_value memory(Arguments& arguments) {
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  return fromNumbers(arguments.env, {static_cast<double>(all.liveBytes), static_cast<double>(all.liveBlocks),
                                     static_cast<double>(all.cachedBytes), static_cast<double>(all.peakBytes),
                                     static_cast<double>(all.cacheLimit), static_cast<double>(all.totalLimit),
                                     static_cast<double>(left(all, roomLeft(all.given) + all.cachedBytes))});
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
  all.giver = "setMemoryLimits";
  if (all.cachedBytes > all.cacheLimit) releaseCache(all);
  return undefined(arguments.env);
}

// limitMemory(total bytes, who gives them, gauges): a gauge is a control group's limit, margin, and the files that say what
// is used and what of that the system would give back, on one line each
napi_value limitMemory(Arguments& arguments) {
  const int64_t total = arguments.integer(0, "the total limit");
  if (total < 0) throw WrongArgument("Expected a memory limit of at least 0 bytes.");
  Pool& all = pool();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.totalLimit = all.given = static_cast<size_t>(total);
  all.cacheLimit = all.totalLimit / 4;
  all.giver = arguments.text(1, "who gives the memory");
  all.unchecked = all.leftThen = 0;
  setGauges(arguments.text(2, "the gauges"));
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
