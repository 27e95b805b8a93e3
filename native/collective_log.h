// The collective operations that this rank has begun, in order. Ranks whose logs differ wait for each other for ever; the
// watchdog compares them (rank_watchdog.cc). No torch headers here.
#pragma once

#include <cstdint>
#include <string>

namespace satin {

// What all ranks must agree on. The texts must be literals: they are not copied.
struct Collective {
  const char* operation;  // 'an all-reduce'
  const char* dtype;      // 'float64'; null for an operation without numbers
  int64_t length;
};

// Adds an operation to the log.
void recordCollective(const Collective& collective);

// How many were recorded; a rank that computes, or waits in one of them, keeps this number.
uint64_t collectiveCount();

// The last operations, one a line: 'NUMBER WORDS', counted from 1. It names the operation in which ranks differ, where they
// wait for each other.
std::string recentCollectives();

// Digests of all operations up to certain numbers, one a line: 'NUMBER DIGEST'. They reveal that ranks differed where the
// operations completed all the same, with wrong results. Of every power of two, the last two multiples are kept, so that
// ranks that are far apart have a number in common, too.
std::string collectiveDigests();

// The number of the last operation and the digest of all.
std::string lastDigest();

// Starts over, for the next process group.
void clearCollectives();

// The first number with which two such texts have different words; 0 where they agree on all that both contain.
uint64_t firstDifference(const std::string& log, const std::string& other);

// The words of a number in such a text.
std::string wordsOf(const std::string& log, uint64_t number);

}  // namespace satin
