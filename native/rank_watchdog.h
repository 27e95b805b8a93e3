// Signs of life between ranks: a thread of each rank counts up a number in the store, whatever its main thread does, so
// that a rank that is lost is told from one that is slow. No torch headers here.
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

// Starts the watch. `store` belongs to it: a connection of its own, since others may wait in theirs.
void startWatch(std::unique_ptr<KeyStore> store, WatchOptions options);

// Ends the watch; before the others are told nothing more. Harmless where none was started.
void stopWatch();

// Why the ranks cannot go on, as a sentence; empty while all is well.
std::string endOfRanks();

// Waits until the watch knows why the ranks cannot go on, as long as that can take; empty where it found nothing.
std::string waitForEndOfRanks();

// Tells all ranks that this one ends, and why. Rank 0 gives the others a few seconds to hear of it.
void announceEnd(KeyStore& store, const std::string& sentence);

}  // namespace satin
