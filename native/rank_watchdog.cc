#include "rank_watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "collective_log.h"
#include "error_file.h"
#include "napi_convert.h"
#include "tcp_store.h"

namespace satin {
namespace {

constexpr const char* kEnded = "ended";
constexpr const char* kHeard = "heard";
// Seconds for which a rank may end by itself once it is known that all must; then its watch ends it.
constexpr int kGrace = 15;
// How often ranks have published their logs of collective operations; each is under its own key.
constexpr const char* kLogs = "logs";
// Beats without a new collective operation after which a rank publishes its log: it computes, or waits for the others.
constexpr int kStalled = 3;
// Beats between digests of the operations, for those that do not make anybody wait.
constexpr uint64_t kDigestEvery = 5;
constexpr const char* kMismatch = "Expected the same operations on all ranks but ";

std::string beatOf(size_t rank) { return "beat/" + std::to_string(rank); }
std::string logOf(size_t rank) { return "log/" + std::to_string(rank); }
std::string digestsOf(size_t rank) { return "digests/" + std::to_string(rank); }

// Of this process, with or without a watch.
std::atomic<bool> terminationHeld{false};

struct Watch {
  WatchOptions options;
  std::unique_ptr<KeyStore> store;
  std::thread beater, monitor;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  std::string ended;
  std::atomic<uint64_t> turns{0};
  std::atomic<bool> lostOne{false};
  // Of the thread that sends the signs of life.
  uint64_t lastCount = 0, publishedCount = 0;
  int stalled = 0;
  int64_t comparedLogs = 0;

  // Sleeps; returns whether the watchdog continues.
  bool pause(std::chrono::milliseconds duration) {
    std::unique_lock<std::mutex> lock(mutex);
    return !changed.wait_for(lock, duration, [&] { return stopped; });
  }

  void report(const std::string& sentence) {
    std::lock_guard<std::mutex> lock(mutex);
    if (ended.empty()) ended = sentence;
    changed.notify_all();
  }

  bool isOver() {
    std::lock_guard<std::mutex> lock(mutex);
    return !ended.empty();
  }

  std::string lost(size_t rank) const {
    const double seconds = static_cast<double>(options.interval) * options.missing / 1000;
    char text[32];
    std::snprintf(text, sizeof text, "%g", seconds);
    return "Lost " + options.names[rank] + ": no sign of life for " + text + " s";
  }

  // A rank that waits for ever is told from a slow one by what it waits for: of two ranks, the operation of the same number
  // must be the same. What is published stays true, so that a rank that goes on meanwhile is not accused.
  void publishOperations() {
    const auto rank = static_cast<size_t>(options.rank);
    const uint64_t count = collectiveCount();
    if (turns % kDigestEvery == 0) store->set(digestsOf(rank), collectiveDigests());
    stalled = count == lastCount ? stalled + 1 : 0;
    lastCount = count;
    if (stalled < kStalled || count == publishedCount) return;
    store->set(logOf(rank), recentCollectives());
    store->add(kLogs, 1);
    publishedCount = count;
  }

  // Compares what the ranks published; empty where they agree.
  std::string mismatch() {
    const int64_t published = store->add(kLogs, 0);
    if (published != comparedLogs) {
      comparedLogs = published;
      const std::string found = compare(logOf, [&](size_t first, size_t second, const std::string& log, const std::string& other, uint64_t number) {
        return "operation " + std::to_string(number) + " is " + wordsOf(log, number) + " on " + options.names[first] + " and " +
               wordsOf(other, number) + " on " + options.names[second];
      });
      if (!found.empty()) return found;
    }
    if (turns % kDigestEvery != 0) return "";
    return compare(digestsOf, [&](size_t first, size_t second, const std::string&, const std::string&, uint64_t number) {
      return "the first " + std::to_string(number) + " of " + options.names[first] + " and of " + options.names[second] + " differ";
    });
  }

  // Compares the texts of all ranks with that of the first that has one.
  template <typename Describe>
  std::string compare(std::string (*keyOf)(size_t), const Describe& describe) {
    size_t first = 0;
    std::string log, other;
    while (first < options.names.size() && !store->find(keyOf(first), log)) first++;
    for (size_t rank = first + 1; rank < options.names.size(); rank++) {
      if (!store->find(keyOf(rank), other)) continue;
      if (const uint64_t number = firstDifference(log, other); number > 0) return kMismatch + describe(first, rank, log, other, number);
    }
    return "";
  }

  // Rank 0 watches all ranks; the others watch rank 0, which tells them what it found. Turns are counted rather than
  // seconds: a job that was suspended as a whole has lost nobody.
  void beat() {
    const bool leads = options.rank == 0;
    std::vector<int64_t> last(options.names.size(), -1);
    std::vector<int> missing(options.names.size(), 0);
    const size_t watched = leads ? options.names.size() : 1;
    try {
      do {
        store->add(beatOf(static_cast<size_t>(options.rank)), 1);
        std::string sentence;
        if (store->find(kEnded, sentence)) {
          if (!leads) store->add(kHeard, 1);
          return report(sentence);
        }
        publishOperations();
        if (leads) {
          sentence = mismatch();
          if (!sentence.empty()) {
            store->set(kEnded, sentence);
            return report(sentence);
          }
        }
        for (size_t rank = leads ? 1 : 0; rank < watched; rank++) {
          const int64_t count = store->add(beatOf(rank), 0);
          missing[rank] = count == last[rank] ? missing[rank] + 1 : 0;
          last[rank] = count;
          if (missing[rank] < options.missing) continue;
          lostOne = true;
          store->set(kEnded, lost(rank));
          return report(lost(rank));
        }
        turns++;
      } while (pause(std::chrono::milliseconds(options.interval)));
    } catch (...) {
      report("Lost " + options.names[0] + ": its store answers no more");
    }
  }

  // Asks nobody, so nothing can hold it up: neither a store that answers no more nor a main thread that waits for ever.
  void guard() {
    uint64_t last = 0;
    int missing = 0;
    while (!isOver()) {
      if (!pause(std::chrono::milliseconds(options.interval))) return;
      const uint64_t now = turns;
      missing = now == last ? missing + 1 : 0;
      last = now;
      if (missing >= options.missing + 5) report("Lost " + options.names[0] + ": its store answers no more");
    }
    // A checkpoint that is being written is completed; then the process has its time to end by itself again.
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(kGrace);
    while (std::chrono::steady_clock::now() < until) {
      if (!pause(std::chrono::milliseconds(100))) return;
      if (terminationHeld) until = std::chrono::steady_clock::now() + std::chrono::seconds(kGrace);
    }
    std::fprintf(stderr, "satin: %s.\n", ended.c_str());
    writeErrorFile(ended);
    _exit(1);
  }
};

Watch*& watch() {
  static Watch* instance = nullptr;
  return instance;
}

}  // namespace

void startWatch(std::unique_ptr<KeyStore> store, WatchOptions options) {
  stopWatch();
  auto* started = new Watch();
  started->options = std::move(options);
  started->store = std::move(store);
  started->beater = std::thread([started] { started->beat(); });
  started->monitor = std::thread([started] { started->guard(); });
  watch() = started;
}

void stopWatch() {
  Watch* running = watch();
  if (running == nullptr) return;
  watch() = nullptr;
  {
    std::lock_guard<std::mutex> lock(running->mutex);
    running->stopped = true;
  }
  running->changed.notify_all();
  running->monitor.join();
  // The other thread may hang in a store that no longer answers: then it is abandoned with its resources.
  if (running->isOver()) return running->beater.detach();
  running->beater.join();
  delete running;
}

std::string endOfRanks() {
  Watch* running = watch();
  if (running == nullptr) return "";
  std::lock_guard<std::mutex> lock(running->mutex);
  return running->ended;
}

std::string waitForEndOfRanks() {
  Watch* running = watch();
  if (running == nullptr) return "";
  const auto longest = std::chrono::milliseconds(running->options.interval) * (running->options.missing + 5);
  std::unique_lock<std::mutex> lock(running->mutex);
  running->changed.wait_for(lock, longest, [&] { return !running->ended.empty(); });
  return running->ended;
}

void announceEnd(KeyStore& store, const std::string& sentence) {
  Watch* running = watch();
  if (running == nullptr) return;
  const bool known = !endOfRanks().empty(), lostOne = running->lostOne;
  const int rank = running->options.rank;
  const auto others = static_cast<int64_t>(running->options.names.size()) - 1;
  stopWatch();
  if (!known) store.set(kEnded, sentence);
  if (rank != 0) {
    if (!known) store.add(kHeard, 1);
    return;
  }
  const int64_t expected = lostOne ? others - 1 : others;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (store.add(kHeard, 0) < expected && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

// watchRanks(host, port, rank, names, intervalMilliseconds, missing); names is a text with one a line
napi_value watchRanks(Arguments& arguments) {
  WatchOptions options{static_cast<int>(arguments.integer(2, "rank")), {}, static_cast<int>(arguments.integer(4, "interval")),
                       static_cast<int>(arguments.integer(5, "missing"))};
  const std::string names = arguments.text(3, "names");
  for (size_t start = 0; start < names.size();) {
    const size_t end = std::min(names.find('\n', start), names.size());
    options.names.push_back(names.substr(start, end - start));
    start = end + 1;
  }
  auto store = connectStore(arguments.text(0, "host"), static_cast<uint16_t>(arguments.integer(1, "port")), false);
  startWatch(std::move(store), std::move(options));
  static bool hooked = false;
  if (!hooked) check(arguments.env, napi_add_env_cleanup_hook(arguments.env, [](void*) { stopWatch(); }, nullptr));
  hooked = true;
  return undefined(arguments.env);
}

// holdTermination(held): while held, the watchdog does not end this process
napi_value holdTermination(Arguments& arguments) {
  terminationHeld = arguments.boolean(0, "held");
  return undefined(arguments.env);
}

// endOfTheRanks() -> why they cannot go on, null while all is well
napi_value endOfTheRanks(Arguments& arguments) {
  const std::string sentence = endOfRanks();
  return sentence.empty() ? null(arguments.env) : fromText(arguments.env, sentence);
}

// announceEndOfRanks(sentence): tells the other ranks why this one ends
napi_value announceEndOfRanks(Arguments& arguments) {
  if (openedStore() != nullptr) announceEnd(*openedStore(), arguments.text(0, "sentence"));
  return undefined(arguments.env);
}

}  // namespace satin
