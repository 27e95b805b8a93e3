#include "plan_near.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "plan_epilogue_kernel.h"

namespace satin {
namespace {

Region joined(const Region& a, const Region& b) {
  if (a.isEmpty()) return b;
  if (b.isEmpty()) return a;
  return {std::min(a.top, b.top), std::max(a.bottom, b.bottom), std::min(a.left, b.left), std::max(a.right, b.right)};
}

// Calls `visit(place, number, count)` for each row of some places of a map: where it begins there, and in an array that has the
// places one after the other.
template <typename Visit>
void forRows(const Region& region, int64_t width, int64_t channels, Visit visit) {
  const int64_t count = (region.right - region.left) * channels;
  for (int64_t row = region.top; row < region.bottom; row++)
    visit((row * width + region.left) * channels, (row - region.top) * count, count);
}

void copy(const float* from, int64_t count, float* to) { std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float)); }

}  // namespace

NearPrefix::NearPrefix(const Plan& plan, at::TensorList constants, int64_t leading)
    : plan_(plan), imageSize_(plan.channels * plan.height * plan.width) {
  TORCH_CHECK(leading >= 2 && static_cast<size_t>(leading) < plan.forward.size() && plan.forward[0].kind == StepKind::kLoad,
              "internal: an execution plan has no such leading steps.");
  for (const Step& step : c10::ArrayRef<Step>(plan.forward).slice(0, static_cast<size_t>(leading))) {
    const PreparedStep each = prepare(plan, step, constants);
    for (const int64_t value : {step.from, step.other})
      if (value >= 0) TORCH_CHECK(stepOf(value) < steps_.size(), "internal: a leading step of an execution plan reads what is not there.");
    const bool isFirst = steps_.empty();
    switch (step.kind) {
      case StepKind::kLoad:
        TORCH_CHECK(isFirst, "internal: an execution plan loads its images twice.");
        height_.push_back(plan.height);
        width_.push_back(plan.width);
        break;
      case StepKind::kConvolution:
        height_.push_back(step.geometry.outHeight);
        width_.push_back(step.geometry.outWidth);
        scratch_ = std::max(scratch_, each.convolution->scratch());
        zeros_ = std::max(zeros_, each.convolution->zeros());
        break;
      case StepKind::kCurve:
        height_.push_back(height_[stepOf(step.from)]);
        width_.push_back(width_[stepOf(step.from)]);
        break;
      default: TORCH_CHECK(false, "internal: a leading step of an execution plan is of another kind.");
    }
    const int64_t size = valueSize(plan, step.to), places = height_.back() * width_.back();
    TORCH_CHECK(places > 0 && size % places == 0, "internal: a value of a leading step of an execution plan does not fit its places.");
    channels_.push_back(size / places);
    begin_.push_back(valuesSize_);
    valuesSize_ += size;
    steps_.push_back(each);
  }
  for (const Step& step : c10::ArrayRef<Step>(plan.forward).slice(static_cast<size_t>(leading)))
    for (const int64_t value : {step.from, step.other})
      TORCH_CHECK(value < 0 || value == steps_.back().step.to || stepOf(value) == steps_.size(),
                  "internal: the leading steps of an execution plan lead to more than one value.");
}

Step NearPrefix::step() const {
  Step step{};
  step.kind = StepKind::kNear;
  step.to = steps_.back().step.to;
  for (int64_t* each : {&step.from, &step.other, &step.curve, &step.derivative, &step.slopes, &step.saved, &step.weights, &step.bias})
    *each = -1;
  return step;
}

size_t NearPrefix::stepOf(int64_t value) const {
  return static_cast<size_t>(std::find_if(steps_.begin(), steps_.end(), [&](const PreparedStep& each) { return each.step.to == value; }) -
                             steps_.begin());
}

Region NearPrefix::differenceOf(const float* a, const float* b) const {
  Region region{plan_.height, 0, plan_.width, 0};
  for (int64_t line = 0; line < plan_.channels * plan_.height; line++) {
    const float *left = a + line * plan_.width, *right = b + line * plan_.width;
    if (std::memcmp(left, right, static_cast<size_t>(plan_.width) * sizeof(float)) == 0) continue;
    const int64_t row = line % plan_.height;
    region.top = std::min(region.top, row);
    region.bottom = std::max(region.bottom, row + 1);
    const auto differs = [&](int64_t column) { return std::memcmp(left + column, right + column, sizeof(float)) != 0; };
    int64_t first = 0, last = plan_.width - 1;
    while (!differs(first)) first++;
    while (!differs(last)) last--;
    region.left = std::min(region.left, first);
    region.right = std::max(region.right, last + 1);
  }
  return region;
}

std::vector<Region> NearPrefix::reachOf(const Region& change) const {
  std::vector<Region> regions;
  for (const PreparedStep& each : steps_) {
    Region region = each.step.kind == StepKind::kLoad ? change : regions[stepOf(each.step.from)];
    if (each.convolution) region = each.convolution->reachOf(region);
    if (each.step.other >= 0) region = joined(region, regions[stepOf(each.step.other)]);
    regions.push_back(region);
  }
  return regions;
}

Region NearPrefix::computedFor(size_t step, const std::vector<Region>& reach) const {
  const PreparedStep& each = steps_[step];
  if (each.step.kind == StepKind::kLoad) return {0, height_[step], 0, width_[step]};
  return each.convolution ? each.convolution->computedFor(reach[step]) : reach[step];
}

bool NearPrefix::isLarge(const Region& change) const {
  const std::vector<Region> reach = reachOf(change);
  int64_t computed = 0;
  for (size_t step = 0; step < steps_.size(); step++) computed += computedFor(step, reach).places() * channels_[step];
  return 5 * computed > 3 * valuesSize_;
}

void NearPrefix::apply(const float* image, const Region& change, float* memory, const float* zeros, float* scratch,
                       std::vector<Saved>* saved) const {
  const std::vector<Region> reach = reachOf(change);
  float* free = scratch;
  float* work = scratch + valuesSize_;
  for (size_t at = 0; at < steps_.size(); at++) {
    const PreparedStep& each = steps_[at];
    const int64_t channels = channels_[at], width = width_[at];
    float* to = valueAt(at, memory);
    const Region region = computedFor(at, reach);
    if (saved != nullptr) {
      forRows(region, width, channels, [&](int64_t place, int64_t number, int64_t count) { copy(to + place, count, free + number); });
      free += region.places() * channels;
      saved->push_back({at, region});
    }
    if (each.step.kind == StepKind::kLoad) {
      toChannelsLast(channels, region.places(), image, each.weights, each.bias, to);
      continue;
    }
    const float* from = valueAt(stepOf(each.step.from), memory);
    const float* other = each.step.other < 0 ? nullptr : valueAt(stepOf(each.step.other), memory);
    if (each.convolution) each.convolution->runRegion(region, from, each.weights, zeros, work, to);
    forRows(region, width, channels, [&](int64_t place, int64_t, int64_t count) {
      float* z = to + place;
      const float* added = other == nullptr ? nullptr : other + place;
      if (!each.convolution)
        addPerChannel(count / channels, channels, from + place, each.weights, each.bias, added, z);
      else if (each.bias != nullptr || added != nullptr)
        addPerChannel(count / channels, channels, z, nullptr, each.bias, added, z);
      activate(plan_, each.step, count, z, z, nullptr);
    });
  }
}

void NearPrefix::restore(const std::vector<Saved>& saved, const float* from, float* memory) const {
  for (const auto& [step, region] : saved) {
    const int64_t channels = channels_[step];
    float* to = valueAt(step, memory);
    forRows(region, width_[step], channels, [&](int64_t place, int64_t number, int64_t count) { copy(from + number, count, to + place); });
    from += region.places() * channels;
  }
}

void NearPrefix::run(const float* image, const float* near, float* memory, const float* zeros, float* scratch, float* to) const {
  const auto become = [&](const float* other) {
    const Region stale = differenceOf(other, memory);
    if (stale.isEmpty()) return;
    apply(other, stale, memory, zeros, scratch, nullptr);
    copy(other, imageSize_, memory);
  };
  const size_t last = steps_.size() - 1;
  const int64_t size = valueSize(plan_, steps_[last].step.to);
  const Region change = differenceOf(image, near);
  if (isLarge(change)) {
    become(image);
    copy(valueAt(last, memory), size, to);
    return;
  }
  become(near);
  std::vector<Saved> saved;
  if (!change.isEmpty()) apply(image, change, memory, zeros, scratch, &saved);
  copy(valueAt(last, memory), size, to);
  restore(saved, scratch, memory);
}

void NearBatch::run(int64_t image, const float* images, const float* zeros, float* scratch, float* to) const {
  prefix.run(images + image * prefix.imageSize(), near + image * prefix.imageSize(), memory + slots[static_cast<size_t>(image)] * prefix.memorySize(),
             zeros, scratch, to);
}

}  // namespace satin
