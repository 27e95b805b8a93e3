#include "plan_memory.h"

#include <algorithm>

namespace satin {
namespace {

// Bytes of values that a step may touch at a time: half of a second-level cache of 1 MiB, the rest for what it works in.
constexpr int64_t kCache = 512 << 10;
// Weights of more bytes are read for as many places as the kernels take at once, or reading them takes longer than the products.
constexpr int64_t kManyWeights = 128 << 10;
constexpr int64_t kPlaces = 48 * 16;

int64_t sizeOf(const Plan& plan, int64_t value) { return value < 0 ? 0 : plan.values[static_cast<size_t>(value)]; }

// How many images steps take at a time, and whether they have many weights: those that do read them more often with fewer.
struct Wanted {
  int64_t images;
  bool heavy;
};

Wanted wantedBy(const Plan& plan, const Step& step, int64_t weights, int64_t most) {
  const int64_t slopes = step.slopes < 0 ? 0 : sizeOf(plan, step.to);
  // Of what a gate saved the way back to its input reads only the last row.
  const int64_t saved = step.saved < 0 || step.kind == StepKind::kGateBack ? 0 : plan.kept[static_cast<size_t>(step.saved)];
  const int64_t bytes = 4 * (sizeOf(plan, step.from) + sizeOf(plan, step.to) + sizeOf(plan, step.other) + slopes + saved);
  int64_t images = bytes == 0 ? most : std::max<int64_t>(1, kCache / bytes);
  const bool heavy = weights > kManyWeights;
  if (heavy) {
    const Geometry& g = step.geometry;
    const int64_t places = std::max<int64_t>(1, std::min(g.height * g.width, g.outHeight * g.outWidth));
    images = std::max(images, (kPlaces + places - 1) / places);
  }
  return {std::min(images, most), heavy};
}

// What serves both; of two kinds those with many weights decide.
Wanted together(const Wanted& a, const Wanted& b) {
  if (a.heavy != b.heavy) return a.heavy ? a : b;
  return {a.heavy ? std::max(a.images, b.images) : std::min(a.images, b.images), a.heavy};
}

std::vector<Segment> segmentsOf(const Plan& plan, const std::vector<Step>& steps, const std::vector<int64_t>& weights, int64_t images) {
  std::vector<Segment> segments;
  Wanted last{};
  for (size_t at = 0; at < steps.size(); at++) {
    const Wanted wanted = wantedBy(plan, steps[at], weights[at], images);
    // A boundary costs a way through memory: only where it matters.
    const bool begins = segments.empty() || wanted.images >= 2 * last.images || 2 * wanted.images <= last.images;
    last = begins ? wanted : together(last, wanted);
    if (begins) segments.push_back({at, at + 1, last.images});
    else segments.back() = {segments.back().begin, at + 1, last.images};
  }
  // As many times, of nearly as many images each: a few that are left over would read all weights.
  for (Segment& segment : segments) {
    const int64_t times = (images + segment.images - 1) / segment.images;
    segment.images = (images + times - 1) / times;
  }
  return segments;
}

// From the first step to the last during which a value is needed, both included.
struct Life {
  size_t first, last;
};

}  // namespace

PlanMemory layOut(const Plan& plan, const std::vector<Step>& steps, const std::vector<int64_t>& weights, int64_t images) {
  PlanMemory memory{segmentsOf(plan, steps, weights, images), {}, {}, 0};
  const size_t count = plan.values.size(), none = steps.size();
  memory.begin.assign(count, -1);
  memory.isWhole.assign(count, false);
  std::vector<Life> lives(count, {none, 0});
  for (size_t at = 0; at < steps.size(); at++)
    for (const int64_t value : {steps[at].from, steps[at].to, steps[at].other})
      if (value >= 0) {
        Life& life = lives[static_cast<size_t>(value)];
        life = {std::min(life.first, at), at};
      }
  const auto segmentOf = [&](size_t step) {
    return *std::find_if(memory.segments.begin(), memory.segments.end(), [&](const Segment& each) { return step < each.end; });
  };
  std::vector<int64_t> sizes(count, 0);
  for (size_t value = 0; value < count; value++) {
    if (lives[value].first == none) continue;
    const Segment first = segmentOf(lives[value].first), last = segmentOf(lives[value].last);
    memory.isWhole[value] = first.begin != last.begin;
    // A segment begins again with other images while values of others wait.
    if (memory.isWhole[value]) lives[value] = {first.begin, last.end - 1};
    const int64_t numbers = plan.values[value] * (memory.isWhole[value] ? images : first.images);
    sizes[value] = (numbers + 15) / 16 * 16;
  }
  // The lowest place that is free during the whole life.
  std::vector<size_t> placed;
  for (size_t value = 0; value < count; value++) {
    if (lives[value].first == none) continue;
    std::vector<size_t> beside;
    for (const size_t other : placed)
      if (lives[other].first <= lives[value].last && lives[value].first <= lives[other].last) beside.push_back(other);
    std::sort(beside.begin(), beside.end(), [&](size_t a, size_t b) { return memory.begin[a] < memory.begin[b]; });
    int64_t begin = 0;
    for (const size_t other : beside) {
      if (begin + sizes[value] <= memory.begin[other]) break;
      begin = std::max(begin, memory.begin[other] + sizes[other]);
    }
    memory.begin[value] = begin;
    memory.size = std::max(memory.size, begin + sizes[value]);
    placed.push_back(value);
  }
  return memory;
}

}  // namespace satin
