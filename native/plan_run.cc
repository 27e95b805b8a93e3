#include "plan_run.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "plan_epilogue.h"

namespace satin {
namespace {

// The most images that a thread takes through the plan before it asks for more: enough for the layers with many weights, and
// few enough that a thread that is held up by other programs does not keep the others waiting for long.
constexpr int64_t kMostImages = 64;

Windows windowsOf(const Geometry& g) {
  return {g.height, g.width, g.inputs, g.kernel, g.stride, g.top, g.left, g.outHeight, g.outWidth};
}

}  // namespace

PlanRun::PlanRun(const Plan& plan, c10::ArrayRef<Step> steps, at::TensorList constants, int64_t images, const NearBatch* near)
    : plan_(plan), images_(images), near_(near) {
  if (near != nullptr) {
    steps_.push_back({near->prefix.step(), {}, nullptr, nullptr});
    scratch_ = near->prefix.scratch();
    zeros_ = near->prefix.zeros();
  }
  for (const Step& step : steps) {
    steps_.push_back(prepare(plan, step, constants));
    const PreparedStep& each = steps_.back();
    if (step.kind == StepKind::kMaxPool) scratch_ = std::max(scratch_, valueSize(plan, step.to));
    if (!each.convolution) continue;
    scratch_ = std::max(scratch_, each.convolution->scratch());
    zeros_ = std::max(zeros_, each.convolution->zeros());
  }
}

void PlanRun::run(const float* source, float* target, float* kept) {
  const int64_t threads = at::get_num_threads();
  const int64_t parts = std::max(threads, (images_ + kMostImages - 1) / kMostImages);
  const int64_t most = (images_ + parts - 1) / parts;
  std::vector<Step> steps;
  std::vector<int64_t> weights;
  for (const PreparedStep& each : steps_) {
    steps.push_back(each.step);
    weights.push_back(each.convolution ? 4 * each.convolution->weightCount() : 0);
  }
  memory_ = layOut(plan_, steps, weights, most);
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min(threads, parts), 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; thread++) {
      const at::Tensor arena = at::empty({memory_.size + zeros_ + scratch_}, at::kFloat);
      float* zeros = arena.data_ptr<float>();
      std::fill(zeros, zeros + zeros_, 0.0f);
      for (int64_t part = next++; part < parts; part = next++)
        runPart({images_ * part / parts, images_ * (part + 1) / parts}, zeros, source, target, kept);
    }
  });
}

void PlanRun::runPart(Range images, float* zeros, const float* source, float* target, float* kept) const {
  float *scratch = zeros + zeros_, *values = scratch + scratch_;
  for (const Segment& segment : memory_.segments)
    for (int64_t first = images.begin; first < images.end; first += segment.images) {
      const Range some = {first, std::min(images.end, first + segment.images)};
      const auto at = [&](int64_t value) -> float* {
        if (value < 0) return nullptr;
        const size_t number = static_cast<size_t>(value);
        const int64_t skipped = memory_.isWhole[number] ? (first - images.begin) * plan_.values[number] : 0;
        return values + memory_.begin[number] + skipped;
      };
      for (size_t number = segment.begin; number < segment.end; number++) {
        const PreparedStep& each = steps_[number];
        const Step& step = each.step;
        // What is kept lies step by step, and there image by image.
        const auto keptAt = [&](int64_t begin, int64_t value) {
          const bool isKept = begin >= 0 && value >= 0 && kept != nullptr;
          return isKept ? kept + begin * images_ + first * plan_.values[static_cast<size_t>(value)] : nullptr;
        };
        const int64_t pooled = step.kind == StepKind::kMaxPool ? step.to : step.from;
        runStep(each, some, at(step.from), at(step.other), at(step.to), keptAt(step.slopes, step.to), keptAt(step.positions, pooled),
                zeros, scratch, source, target);
      }
    }
}

void PlanRun::runStep(const PreparedStep& each, Range images, const float* from, const float* other, float* to, float* slopes, float* positions,
             const float* zeros, float* scratch, const float* source, float* target) const {
  const Step& step = each.step;
  const int64_t count = images.end - images.begin, size = step.to < 0 ? 0 : plan_.values[static_cast<size_t>(step.to)];
  switch (step.kind) {
    case StepKind::kLoad: {
      const int64_t channels = step.geometry.inputs, places = step.geometry.height * step.geometry.width;
      for (int64_t image = 0; image < count; image++)
        toChannelsLast(channels, places, source + (images.begin + image) * size, each.weights, each.bias, to + image * size);
      return;
    }
    case StepKind::kConvolution: {
      const int64_t channels = each.convolution->outputChannels();
      each.convolution->run(count, from, each.weights, zeros, scratch, to, [&](int64_t offset, int64_t numbers) {
        float* z = to + offset;
        if (each.bias != nullptr || other != nullptr)
          addPerChannel(numbers / channels, channels, z, nullptr, each.bias, other == nullptr ? nullptr : other + offset, z);
        activate(plan_, step, numbers, z, z, slopes == nullptr ? nullptr : slopes + offset);
      });
      return;
    }
    case StepKind::kConvolutionBack:
      each.convolution->run(count, from, each.weights, zeros, scratch, to, [&](int64_t offset, int64_t numbers) {
        timesSlopes(numbers, to + offset, other == nullptr ? nullptr : other + offset, slopes == nullptr ? nullptr : slopes + offset,
                    to + offset);
      });
      return;
    case StepKind::kCurve: {
      const int64_t channels = step.geometry.inputs, rows = count * size / channels;
      addPerChannel(rows, channels, from, each.weights, each.bias, other, to);
      activate(plan_, step, count * size, to, to, slopes);
      if (slopes != nullptr && each.weights != nullptr) scaleChannels(rows, channels, each.weights, slopes);
      return;
    }
    case StepKind::kMean:
      for (int64_t image = 0; image < count; image++)
        meanOfRows(step.geometry.height, size, from + image * size * step.geometry.height, to + image * size);
      return;
    case StepKind::kMeanBack: {
      const int64_t channels = size / step.geometry.height;
      for (int64_t image = 0; image < count; image++)
        spreadOverRows(step.geometry.height, channels, from + image * channels, to + image * size);
      timesSlopes(count * size, to, other, slopes, to);
      return;
    }
    case StepKind::kMaxPool: {
      const Windows windows = windowsOf(step.geometry);
      // Without a way back the positions are written to where nobody reads them.
      const int64_t input = plan_.values[static_cast<size_t>(step.from)];
      for (int64_t image = 0; image < count; image++)
        maxOfWindows(windows, from + image * input, to + image * size, positions == nullptr ? scratch : positions + image * size);
      return;
    }
    case StepKind::kMaxPoolBack: {
      const Windows windows = windowsOf(step.geometry);
      const int64_t output = plan_.values[static_cast<size_t>(step.from)];
      for (int64_t image = 0; image < count; image++)
        spreadToMaxima(windows, from + image * output, positions + image * output, to + image * size);
      timesSlopes(count * size, to, other, slopes, to);
      return;
    }
    case StepKind::kNear:
      for (int64_t image = 0; image < count; image++)
        near_->run(images.begin + image, source, zeros, scratch, to + image * size);
      return;
    case StepKind::kSum: timesSlopes(count * size, from, other, slopes, to); return;
    case StepKind::kStore: {
      const int64_t numbers = plan_.values[static_cast<size_t>(step.from)];
      const int64_t channels = step.geometry.inputs, places = numbers / channels;
      for (int64_t image = 0; image < count; image++)
        toChannelsFirst(channels, places, from + image * numbers, each.weights, target + (images.begin + image) * numbers);
      return;
    }
  }
}

}  // namespace satin
