#include "execution_plan.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "activation_kernel.h"
#include "dispatch.h"
#include "plan_convolution.h"
#include "plan_epilogue.h"
#include "plan_memory.h"
#include "plan_steps.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The most images that a thread takes through the plan before it asks for more: enough for the layers with many weights, and
// few enough that a thread that is held up by other programs does not keep the others waiting for long.
constexpr int64_t kMostImages = 64;

// A step with what its kernel needs.
struct Prepared {
  Step step;
  std::optional<PlanConvolution> convolution;
  const float* weights;
  const float* bias;
};

int64_t valueSize(const Plan& plan, int64_t value) {
  TORCH_CHECK(value >= 0, "internal: a step of an execution plan lacks a value.");
  return plan.values[static_cast<size_t>(value)];
}

const float* constantOf(at::TensorList constants, int64_t number, int64_t count) {
  if (number < 0) return nullptr;
  const at::Tensor& constant = constants[static_cast<size_t>(number)];
  TORCH_CHECK(constant.scalar_type() == at::kFloat && constant.is_contiguous() && constant.device().is_cpu() && constant.numel() == count,
              "internal: a constant of an execution plan has ", constant.numel(), " numbers in place of ", count, ".");
  return constant.data_ptr<float>();
}

void requireWindows(const Geometry& g) {
  TORCH_CHECK(g.kernel > 0 && g.stride > 0 && std::min({g.inputs, g.outputs, g.height, g.width, g.outHeight, g.outWidth}) > 0,
              "internal: a convolution of an execution plan has no windows.");
}

// Checks that a step's values and constants have the sizes that its kernel reads and writes.
Prepared prepare(const Plan& plan, const Step& step, at::TensorList constants) {
  Prepared prepared{step, {}, nullptr, nullptr};
  const int64_t image = plan.channels * plan.height * plan.width;
  const auto same = [](int64_t a, int64_t b) { TORCH_CHECK(a == b, "internal: the values of a step of an execution plan do not fit."); };
  if (step.other >= 0) same(valueSize(plan, step.other), valueSize(plan, step.to));
  switch (step.kind) {
    case StepKind::kLoad:
      if (step.from < 0) {
        same(valueSize(plan, step.to), step.geometry.inputs * step.geometry.height * step.geometry.width);
        prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
        prepared.bias = constantOf(constants, step.bias, step.geometry.inputs);
      }
      break;
    case StepKind::kConvolution:
    case StepKind::kConvolutionBack: {
      requireWindows(step.geometry);
      const bool back = step.kind == StepKind::kConvolutionBack;
      prepared.convolution.emplace(step.geometry, back);
      same(valueSize(plan, step.from), prepared.convolution->inputSize());
      same(valueSize(plan, step.to), prepared.convolution->outputSize());
      prepared.weights = constantOf(constants, step.weights, prepared.convolution->weightCount());
      TORCH_CHECK(prepared.weights != nullptr, "internal: a convolution of an execution plan has no weights.");
      if (!back) prepared.bias = constantOf(constants, step.bias, prepared.convolution->outputChannels());
      break;
    }
    case StepKind::kCurve:
      same(valueSize(plan, step.from), valueSize(plan, step.to));
      TORCH_CHECK(step.geometry.inputs > 0 && valueSize(plan, step.to) % step.geometry.inputs == 0,
                  "internal: the channels of a step of an execution plan do not fit.");
      prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
      prepared.bias = constantOf(constants, step.bias, step.geometry.inputs);
      break;
    case StepKind::kMean:
      TORCH_CHECK(step.geometry.height > 0, "internal: a mean of an execution plan is over nothing.");
      same(valueSize(plan, step.from), valueSize(plan, step.to) * step.geometry.height);
      break;
    case StepKind::kMeanBack:
      TORCH_CHECK(step.geometry.height > 0, "internal: a mean of an execution plan is over nothing.");
      same(valueSize(plan, step.from) * step.geometry.height, valueSize(plan, step.to));
      break;
    case StepKind::kSum: same(valueSize(plan, step.from), valueSize(plan, step.to)); break;
    case StepKind::kMaxPool:
    case StepKind::kMaxPoolBack: {
      const Geometry& g = step.geometry;
      const bool back = step.kind == StepKind::kMaxPoolBack;
      same(valueSize(plan, back ? step.to : step.from), g.inputs * g.height * g.width);
      same(valueSize(plan, back ? step.from : step.to), g.inputs * g.outHeight * g.outWidth);
      requireWindows(g);
      TORCH_CHECK(!back || step.positions >= 0, "internal: a pooling of an execution plan has no positions.");
      break;
    }
    case StepKind::kStore:
      prepared.weights = constantOf(constants, step.weights, step.geometry.inputs);
      TORCH_CHECK(valueSize(plan, step.from) == image || valueSize(plan, step.from) == plan.classes,
                  "internal: an execution plan ends in a value of another size.");
      break;
  }
  return prepared;
}

// One direction of a plan for one batch.
class Run {
 public:
  Run(const Plan& plan, const std::vector<Step>& steps, at::TensorList constants, int64_t images)
      : plan_(plan), images_(images) {
    for (const Step& step : steps) steps_.push_back(prepare(plan, step, constants));
    for (const Prepared& each : steps_) {
      if (each.step.kind == StepKind::kMaxPool) scratch_ = std::max(scratch_, valueSize(plan, each.step.to));
      if (!each.convolution) continue;
      scratch_ = std::max(scratch_, each.convolution->scratch());
      zeros_ = std::max(zeros_, (each.convolution->inputChannels() + 15) / 16 * 16);
    }
  }

  // `source` and `target`: images or logits of the batch, or their gradients. `kept`: of the batch for the way back, or null.
  void run(const float* source, float* target, float* kept) {
    const int64_t threads = at::get_num_threads();
    const int64_t parts = std::max(threads, (images_ + kMostImages - 1) / kMostImages);
    const int64_t most = (images_ + parts - 1) / parts;
    std::vector<Step> steps;
    std::vector<int64_t> weights;
    for (const Prepared& each : steps_) {
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

 private:
  void runPart(Range images, float* zeros, const float* source, float* target, float* kept) const {
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
          const Prepared& each = steps_[number];
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

  void runStep(const Prepared& each, Range images, const float* from, const float* other, float* to, float* slopes, float* positions,
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
          activate(step, numbers, z, z, slopes == nullptr ? nullptr : slopes + offset);
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
        activate(step, count * size, to, to, slopes);
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

  static Windows windowsOf(const Geometry& g) {
    return {g.height, g.width, g.inputs, g.kernel, g.stride, g.top, g.left, g.outHeight, g.outWidth};
  }

  // y = f(z), and the slopes of the derivative that the gradient takes where they are kept.
  void activate(const Step& step, int64_t count, const float* z, float* y, float* slopes) const {
    if (step.curve < 0) return;
    const Curve& curve = plan_.curves[static_cast<size_t>(step.curve)];
    if (slopes == nullptr) return activationValues(curve, count, z, y);
    if (step.derivative == step.curve) return activationValuesAndSlopes(curve, count, z, y, slopes);
    std::fill(slopes, slopes + count, 1.0f);
    activationGradients(plan_.curves[static_cast<size_t>(step.derivative)], count, slopes, z, slopes);
    activationValues(curve, count, z, y);
  }

  const Plan& plan_;
  const int64_t images_;
  std::vector<Prepared> steps_;
  PlanMemory memory_{};
  int64_t scratch_ = 0, zeros_ = 0;
};

void checkImages(const at::Tensor& images, const Plan& plan) {
  TORCH_CHECK(images.scalar_type() == at::kFloat && images.dim() == 4 && images.size(1) == plan.channels &&
                  images.size(2) == plan.height && images.size(3) == plan.width,
              "Expected images of float32 in the shape for which the execution plan was made.");
}

// `kept` gets what the way back needs; without it nothing is kept.
at::Tensor forward(const at::Tensor& images, at::TensorList constants, const Plan& plan, at::Tensor* kept) {
  checkImages(images, plan);
  const at::Tensor source = images.contiguous();
  const int64_t count = images.size(0);
  at::Tensor logits = at::empty({count, plan.classes}, images.options().memory_format(c10::nullopt));
  if (kept != nullptr) *kept = at::empty({count * plan.kept}, logits.options());
  if (count > 0)
    Run(plan, plan.forward, constants, count)
        .run(source.data_ptr<float>(), logits.data_ptr<float>(), kept == nullptr ? nullptr : kept->data_ptr<float>());
  return logits;
}

class RunPlan : public torch::autograd::Function<RunPlan> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& images, std::vector<at::Tensor> constants, std::vector<int64_t> numbers,
                            std::vector<double> curves) {
    const Plan plan = readPlan(numbers, curves, static_cast<int64_t>(constants.size()));
    const BelowAutograd below;
    at::Tensor kept;
    at::Tensor logits = satin::forward(images, constants, plan, &kept);
    context->saved_data["constants"] = constants;
    context->saved_data["plan"] = numbers;
    context->saved_data["curves"] = curves;
    context->save_for_backward({kept});
    return logits;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "The input gradient of an execution plan cannot be differentiated again.");
    const std::vector<at::Tensor> constants = context->saved_data["constants"].toTensorVector();
    const std::vector<int64_t> numbers = context->saved_data["plan"].toIntVector();
    const std::vector<double> curves = context->saved_data["curves"].toDoubleVector();
    const Plan plan = readPlan(numbers, curves, static_cast<int64_t>(constants.size()));
    const at::Tensor kept = context->get_saved_variables()[0], dy = gradients[0].contiguous();
    const int64_t count = dy.size(0);
    at::Tensor dx = at::empty({count, plan.channels, plan.height, plan.width}, dy.options());
    if (count > 0)
      Run(plan, plan.backward, constants, count).run(dy.data_ptr<float>(), dx.data_ptr<float>(), kept.data_ptr<float>());
    return {dx, {}, {}, {}};
  }
};

}  // namespace

at::Tensor planWeightsCpu(const at::Tensor& weight, at::IntArrayRef numbers, bool back) {
  const Geometry geometry = readGeometry(numbers);
  requireWindows(geometry);
  TORCH_CHECK(weight.scalar_type() == at::kFloat && weight.numel() == geometry.inputs * geometry.outputs * geometry.kernel * geometry.kernel,
              "internal: weights do not fit the geometry of their convolution.");
  const PlanConvolution convolution(geometry, back);
  at::Tensor packed = at::empty({convolution.weightCount()}, weight.options().memory_format(c10::nullopt));
  const at::Tensor plain = weight.contiguous();
  convolution.packWeights(plain.data_ptr<float>(), packed.data_ptr<float>());
  return packed;
}

at::Tensor runPlanCpu(const at::Tensor& images, at::TensorList constants, at::IntArrayRef numbers, at::ArrayRef<double> curves) {
  return forward(images, constants, readPlan(numbers, curves, static_cast<int64_t>(constants.size())), nullptr);
}

at::Tensor runPlanAutogradCpu(const at::Tensor& images, at::TensorList constants, at::IntArrayRef numbers, at::ArrayRef<double> curves) {
  if (!compute_requires_grad(images)) {
    const BelowAutograd below;
    return runPlanCpu(images, constants, numbers, curves);
  }
  return RunPlan::apply(images, constants.vec(), numbers.vec(), curves.vec());
}

}  // namespace satin
