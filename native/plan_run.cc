#include "plan_run.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "plan_epilogue_kernel.h"

namespace satin {
namespace {

// The most images that a thread takes through the plan before it asks for more: enough for the layers with many weights, and
// few enough that a thread that is held up by other programs does not keep the others waiting for long, and that what it works
// in stays small.
constexpr int64_t kMostImages = 32;

// Weights of more bytes come from memory each time that a thread goes through them.
constexpr int64_t kHeavyWeights = 32 << 20;

// Of few images those that the threads share step by step; the others go through the plan a thread each. A thread may have nothing
// to do with the last of them, and with heavy weights the time goes into reading these, which a team does once for all threads.
int64_t countTogether(int64_t images, int64_t threads, int64_t weights) {
  if (threads > 1 && weights > kHeavyWeights && images < 4 * threads) return images;
  const int64_t rest = images % threads;
  return images < 4 * threads && 2 * rest <= threads ? rest : 0;
}

// One thread finishes each part of the output while it is in its cache. A team meets before, since a place may be the work of two.
template <typename Finish>
void convolve(const PlanConvolution& convolution, const float* weights, int64_t images, const float* from, const float* zeros,
              const Team& team, float* to, Finish finish) {
  if (team.threads() == 1)
    return team.share(1, [&](Range, float* scratch) { convolution.run(images, from, weights, zeros, scratch, to, finish); });
  team.share(team.threads(), [&](Range parts, float* scratch) {
    for (int64_t part = parts.begin; part < parts.end; part++)
      convolution.runPart(images, part, team.threads(), from, weights, zeros, scratch, to);
  });
  const int64_t channels = convolution.outputChannels();
  team.share(images * convolution.outputSize() / channels, [&](Range places, float*) {
    finish(places.begin * channels, (places.end - places.begin) * channels);
  });
}

// Calls `work(image, rows)` for a range of rows of some images, `perImage` of each.
template <typename Work>
void forImages(Range rows, int64_t perImage, Work work) {
  for (int64_t image = rows.begin / perImage; image * perImage < rows.end; image++)
    work(image, Range{std::max(rows.begin - image * perImage, int64_t{0}), std::min(rows.end - image * perImage, perImage)});
}

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
    if (step.kind == StepKind::kGate) scratch_ = std::max(scratch_, step.geometry.inputs);
    if (step.kind == StepKind::kGateBack) zeros_ = std::max(zeros_, step.geometry.inputs);
    if (!each.convolution) continue;
    scratch_ = std::max(scratch_, each.convolution->scratch());
    zeros_ = std::max(zeros_, each.convolution->zeros());
  }
}

void PlanRun::run(const float* source, float* target, at::TensorList kept) {
  std::vector<Step> steps;
  std::vector<int64_t> weights;
  for (const PreparedStep& each : steps_) {
    steps.push_back(each.step);
    weights.push_back(each.convolution ? 4 * each.convolution->weightCount() : 0);
  }
  const int64_t threads = at::get_num_threads(), sum = std::accumulate(weights.begin(), weights.end(), int64_t{0});
  const int64_t together = countTogether(images_, threads, sum), apart = images_ - together;
  const int64_t parts = std::max(threads, (apart + kMostImages - 1) / kMostImages);
  memory_ = layOut(plan_, steps, weights, std::max(together, (apart + parts - 1) / parts));
  // Zeros, what each thread of a team works in, and values.
  const auto withArena = [&](int64_t team, auto work) {
    const at::Tensor arena = at::empty({zeros_ + team * scratch_ + memory_.size}, at::kFloat);
    float *zeros = arena.data_ptr<float>(), *scratch = zeros + zeros_;
    std::fill(zeros, scratch, 0.0f);
    work(Team(team, scratch, scratch_), zeros, scratch + team * scratch_);
  };
  std::atomic<int64_t> next{0};
  if (apart > 0)
    at::parallel_for(0, std::min(threads, parts), 1, [&](int64_t begin, int64_t end) {
      for (int64_t thread = begin; thread < end; thread++)
        withArena(1, [&](const Team& alone, const float* zeros, float* values) {
          for (int64_t part = next++; part < parts; part = next++)
            runPart({apart * part / parts, apart * (part + 1) / parts}, alone, zeros, values, source, target, kept);
        });
    });
  if (together > 0)
    withArena(threads, [&](const Team& all, const float* zeros, float* values) {
      runPart({apart, images_}, all, zeros, values, source, target, kept);
    });
}

void PlanRun::runPart(Range images, const Team& team, const float* zeros, float* values, const float* source, float* target,
                      at::TensorList kept) const {
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
        const auto keptAt = [&](int64_t number) -> float* {
          if (number < 0 || kept.empty()) return nullptr;
          return kept[static_cast<size_t>(number)].data_ptr<float>() + first * plan_.kept[static_cast<size_t>(number)];
        };
        runStep(each, some, at(step.from), at(step.other), at(step.to), keptAt(step.slopes), keptAt(step.saved), zeros, team, source,
                target);
      }
    }
}

void PlanRun::runStep(const PreparedStep& each, Range images, const float* from, const float* other, float* to, float* slopes,
                      float* saved, const float* zeros, const Team& team, const float* source, float* target) const {
  const Step& step = each.step;
  const int64_t count = images.end - images.begin, size = step.to < 0 ? 0 : plan_.values[static_cast<size_t>(step.to)];
  switch (step.kind) {
    case StepKind::kLoad: {
      const int64_t channels = step.geometry.inputs, places = step.geometry.height * step.geometry.width;
      team.share(count, [&](Range some, float*) {
        for (int64_t image = some.begin; image < some.end; image++)
          toChannelsLast(channels, places, source + (images.begin + image) * size, each.weights, each.bias, to + image * size);
      });
      return;
    }
    case StepKind::kConvolution: {
      const int64_t channels = each.convolution->outputChannels();
      convolve(*each.convolution, each.weights, count, from, zeros, team, to, [&](int64_t offset, int64_t numbers) {
        float* z = to + offset;
        if (each.bias != nullptr || other != nullptr)
          addPerChannel(numbers / channels, channels, z, nullptr, each.bias, other == nullptr ? nullptr : other + offset, z);
        activate(plan_, step, numbers, z, z, slopes == nullptr ? nullptr : slopes + offset);
      });
      return;
    }
    case StepKind::kConvolutionBack:
      convolve(*each.convolution, each.weights, count, from, zeros, team, to, [&](int64_t offset, int64_t numbers) {
        timesSlopes(numbers, to + offset, other == nullptr ? nullptr : other + offset, slopes == nullptr ? nullptr : slopes + offset,
                    to + offset);
      });
      return;
    case StepKind::kCurve: {
      const int64_t channels = step.geometry.inputs;
      team.share(count * size / channels, [&](Range rows, float*) {
        const int64_t begin = rows.begin * channels, some = rows.end - rows.begin;
        addPerChannel(some, channels, from + begin, each.weights, each.bias, other == nullptr ? nullptr : other + begin, to + begin);
        activate(plan_, step, some * channels, to + begin, to + begin, slopes == nullptr ? nullptr : slopes + begin);
        if (slopes != nullptr && each.weights != nullptr) scaleChannels(some, channels, each.weights, slopes + begin);
      });
      return;
    }
    case StepKind::kMean:
      team.share(count, [&](Range some, float*) {
        for (int64_t image = some.begin; image < some.end; image++)
          meanOfRows(step.geometry.height, size, from + image * size * step.geometry.height, to + image * size);
      });
      return;
    case StepKind::kMeanBack: {
      const int64_t channels = size / step.geometry.height;
      team.share(count * step.geometry.height, [&](Range some, float*) {
        forImages(some, step.geometry.height, [&](int64_t image, Range rows) {
          const int64_t begin = image * size + rows.begin * channels, numbers = (rows.end - rows.begin) * channels;
          spreadOverRows(step.geometry.height, rows.end - rows.begin, channels, from + image * channels, to + begin);
          timesSlopes(numbers, to + begin, other == nullptr ? nullptr : other + begin, slopes == nullptr ? nullptr : slopes + begin, to + begin);
        });
      });
      return;
    }
    case StepKind::kMaxPool: {
      const Windows windows = windowsOf(step.geometry);
      const int64_t input = plan_.values[static_cast<size_t>(step.from)];
      team.share(count, [&](Range some, float* scratch) {
        // Without a way back the positions are written to where nobody reads them.
        for (int64_t image = some.begin; image < some.end; image++)
          maxOfWindows(windows, from + image * input, to + image * size, saved == nullptr ? scratch : saved + image * size);
      });
      return;
    }
    case StepKind::kMaxPoolBack: {
      const Windows windows = windowsOf(step.geometry);
      const int64_t output = plan_.values[static_cast<size_t>(step.from)];
      team.share(count, [&](Range some, float*) {
        for (int64_t image = some.begin; image < some.end; image++)
          spreadToMaxima(windows, from + image * output, saved + image * output, to + image * size);
      });
      timesSlopes(count * size, to, other, slopes, to);
      return;
    }
    case StepKind::kGate: {
      const int64_t channels = step.geometry.inputs, places = step.geometry.height;
      team.share(count * places, [&](Range some, float* open) {
        forImages(some, places, [&](int64_t image, Range rows) {
          openGate(channels, other + image * channels, open);
          const int64_t begin = rows.begin * channels;
          float* kept = saved == nullptr ? nullptr : saved + image * (size + channels);
          passGate(rows.end - rows.begin, channels, from + image * size + begin, open, to + image * size + begin,
                   kept == nullptr ? nullptr : kept + begin);
          if (kept != nullptr && rows.begin == 0) std::copy(open, open + channels, kept + size);
        });
      });
      return;
    }
    case StepKind::kGateBack: {
      const int64_t channels = step.geometry.inputs, places = step.geometry.height;
      team.share(count * places, [&](Range some, float*) {
        forImages(some, places, [&](int64_t image, Range rows) {
          const int64_t begin = image * size + rows.begin * channels, numbers = (rows.end - rows.begin) * channels;
          addPerChannel(rows.end - rows.begin, channels, from + begin, saved + image * (size + channels) + size, zeros,
                        other == nullptr ? nullptr : other + begin, to + begin);
          timesSlopes(numbers, to + begin, nullptr, slopes == nullptr ? nullptr : slopes + begin, to + begin);
        });
      });
      return;
    }
    case StepKind::kGateBackToGate: {
      const int64_t input = plan_.values[static_cast<size_t>(step.from)];
      team.share(count, [&](Range some, float*) {
        for (int64_t image = some.begin; image < some.end; image++)
          sumOfProducts(step.geometry.height, size, from + image * input, saved + image * (input + size), to + image * size);
      });
      timesSlopes(count * size, to, other, slopes, to);
      return;
    }
    case StepKind::kNear:
      team.share(count, [&](Range some, float* scratch) {
        for (int64_t image = some.begin; image < some.end; image++)
          near_->run(images.begin + image, source, zeros, scratch, to + image * size);
      });
      return;
    case StepKind::kSum:
      team.share(count * size, [&](Range some, float*) {
        const auto at = [&](const float* numbers) { return numbers == nullptr ? nullptr : numbers + some.begin; };
        timesSlopes(some.end - some.begin, from + some.begin, at(other), at(slopes), to + some.begin);
      });
      return;
    case StepKind::kStore: {
      const int64_t numbers = plan_.values[static_cast<size_t>(step.from)];
      const int64_t channels = step.geometry.inputs, places = numbers / channels;
      team.share(count, [&](Range some, float*) {
        for (int64_t image = some.begin; image < some.end; image++)
          toChannelsFirst(channels, places, from + image * numbers, each.weights, target + (images.begin + image) * numbers);
      });
      return;
    }
  }
}

}  // namespace satin
