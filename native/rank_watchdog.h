// Signs of life between ranks: a thread of each rank counts up a number in the store, whatever its main thread does, so
// that a lost rank is distinguished from a slow one. No torch headers here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store.h"

namespace satin {

struct WatchOptions {
  int rank;
  // How each rank reads in a sentence: 'rank 1 on node7, process 4711'.
  std::vector<std::string> names;
  // Milliseconds between two signs of life.
  int interval;
  // How many may be missing in a row.
  int missing;
};

// Starts the watchdog. It owns `store`, a separate connection, since other threads may block in theirs.
void startWatch(std::unique_ptr<KeyStore> store, WatchOptions options);

// Stops the watchdog without notifying the other ranks. Harmless if none was started.
void stopWatch();

// Why the ranks cannot go on, as a sentence; empty while all is well.
std::string endOfRanks();

// Waits until the watch knows why the ranks cannot go on, as long as that can take; empty where it found nothing.
std::string waitForEndOfRanks();

// Tells all ranks that this one ends, and why. Rank 0 gives the others a few seconds to receive it.
void announceEnd(KeyStore& store, const std::string& sentence);

}  // namespace satin
