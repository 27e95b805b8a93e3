#include "collective_log.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <sstream>

namespace satin {
namespace {

// More than a rank can be ahead of another: on a GPU it queues the operations of a step without waiting for them.
constexpr uint64_t kKept = 1024;

struct Digest {
  uint64_t number = 0, digest = 0;
};

struct Log {
  std::mutex mutex;
  uint64_t count = 0, digest = 0;
  std::array<Collective, kKept> last;
  // Of each power of two, the digests at its last two multiples.
  std::array<std::array<Digest, 2>, 64> multiples;
};

Log& log() {
  static auto* instance = new Log();  // never destroyed: the watchdog's thread may outlive main
  return *instance;
}

// FNV-1a.
uint64_t mixed(uint64_t digest, uint64_t value) { return (digest ^ value) * 1099511628211u; }
uint64_t mixed(uint64_t digest, const char* text) {
  for (; text != nullptr && *text != '\0'; text++) digest = mixed(digest, static_cast<uint64_t>(static_cast<unsigned char>(*text)));
  return digest;
}

std::map<uint64_t, std::string> parse(const std::string& text) {
  std::map<uint64_t, std::string> found;
  std::istringstream lines(text);
  uint64_t number;
  std::string words;
  while (lines >> number && std::getline(lines >> std::ws, words)) found[number] = words;
  return found;
}

std::string line(const Digest& digest) { return std::to_string(digest.number) + " " + std::to_string(digest.digest); }

}  // namespace

void recordCollective(const Collective& collective) {
  std::lock_guard<std::mutex> lock(log().mutex);
  Log& own = log();
  own.last[own.count++ % kKept] = collective;
  const auto& [operation, dtype, length] = collective;
  own.digest = mixed(mixed(mixed(own.digest, operation), dtype), static_cast<uint64_t>(length));
  for (uint64_t power = 0; power < own.multiples.size() && own.count % (uint64_t{1} << power) == 0; power++)
    own.multiples[power] = {own.multiples[power][1], Digest{own.count, own.digest}};
}

uint64_t collectiveCount() {
  std::lock_guard<std::mutex> lock(log().mutex);
  return log().count;
}

std::string recentCollectives() {
  std::lock_guard<std::mutex> lock(log().mutex);
  const uint64_t count = log().count;
  std::string text;
  for (uint64_t i = count - std::min(count, kKept); i < count; i++) {
    const auto& [operation, dtype, length] = log().last[i % kKept];
    text += std::to_string(i + 1) + " " + operation;
    if (dtype != nullptr) text += " of " + std::to_string(length) + " " + dtype;
    text += "\n";
  }
  return text;
}

std::string collectiveDigests() {
  std::lock_guard<std::mutex> lock(log().mutex);
  std::string text;
  for (const auto& multiples : log().multiples)
    for (const Digest& digest : multiples)
      if (digest.number > 0) text += line(digest) + "\n";
  return text;
}

std::string lastDigest() {
  std::lock_guard<std::mutex> lock(log().mutex);
  return line({log().count, log().digest});
}

void clearCollectives() {
  std::lock_guard<std::mutex> lock(log().mutex);
  log().count = log().digest = 0;
  log().multiples = {};
}

uint64_t firstDifference(const std::string& log, const std::string& other) {
  const auto own = parse(log), others = parse(other);
  for (const auto& [number, words] : own) {
    const auto found = others.find(number);
    if (found != others.end() && found->second != words) return number;
  }
  return 0;
}

std::string wordsOf(const std::string& log, uint64_t number) { return parse(log)[number]; }

}  // namespace satin
