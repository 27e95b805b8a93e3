#include "plan_steps.h"

#include <ATen/ATen.h>

#include "activation_kernel.h"

namespace satin {
namespace {

// Takes numbers off the front.
class Reader {
 public:
  explicit Reader(c10::IntArrayRef numbers) : numbers_(numbers) {}
  int64_t next() {
    TORCH_CHECK(at_ < numbers_.size(), "internal: an execution plan ends too early.");
    return numbers_[at_++];
  }
  int64_t count() {
    const int64_t count = next();
    TORCH_CHECK(count >= 0, "internal: an execution plan has a negative count.");
    return count;
  }
  bool isDone() const { return at_ == numbers_.size(); }

 private:
  c10::IntArrayRef numbers_;
  size_t at_ = 0;
};

Geometry readGeometry(Reader& reader) {
  Geometry g{};
  for (int64_t* each : {&g.inputs, &g.outputs, &g.kernel, &g.stride, &g.top, &g.left, &g.height, &g.width, &g.outHeight, &g.outWidth,
                        &g.groups})
    *each = reader.next();
  return g;
}

Step readStep(Reader& reader) {
  Step step{};
  step.kind = static_cast<StepKind>(reader.next());
  for (int64_t* each : {&step.from, &step.to, &step.other, &step.curve, &step.derivative, &step.slopes, &step.saved, &step.weights,
                        &step.bias})
    *each = reader.next();
  step.geometry = readGeometry(reader);
  return step;
}

template <typename Number>
c10::ArrayRef<Number> listOf(const at::Tensor& numbers, at::ScalarType type) {
  TORCH_CHECK(numbers.scalar_type() == type && numbers.dim() == 1 && numbers.is_contiguous() && numbers.device().is_cpu(),
              "internal: an execution plan is no list of ", type, ".");
  return {numbers.data_ptr<Number>(), static_cast<size_t>(numbers.numel())};
}

// The kinds of one direction.
bool leads(StepKind kind, bool forward) {
  switch (kind) {
    case StepKind::kLoad:
    case StepKind::kStore: return true;
    case StepKind::kConvolution:
    case StepKind::kCurve:
    case StepKind::kMean:
    case StepKind::kMaxPool:
    case StepKind::kGate: return forward;
    case StepKind::kConvolutionBack:
    case StepKind::kMeanBack:
    case StepKind::kSum:
    case StepKind::kMaxPoolBack:
    case StepKind::kGateBack:
    case StepKind::kGateBackToGate: return !forward;
    case StepKind::kNear: return false;
  }
  return false;
}

void check(const Step& step, const Plan& plan, int64_t constants, bool forward) {
  const auto within = [](int64_t number, size_t count) { return number >= -1 && number < static_cast<int64_t>(count); };
  const auto sizeOf = [&](int64_t value) { return value < 0 ? -1 : plan.values[static_cast<size_t>(value)]; };
  const bool placed = within(step.from, plan.values.size()) && within(step.to, plan.values.size()) && within(step.other, plan.values.size());
  const bool curved = within(step.curve, plan.curves.size()) && within(step.derivative, plan.curves.size());
  const bool given = within(step.weights, static_cast<size_t>(constants)) && within(step.bias, static_cast<size_t>(constants));
  const auto fits = [&](int64_t number, int64_t value, int64_t more) {
    if (number == -1) return true;
    return value >= 0 && number >= 0 && within(number, plan.kept.size()) &&
           plan.kept[static_cast<size_t>(number)] == plan.values[static_cast<size_t>(value)] + more;
  };
  TORCH_CHECK(leads(step.kind, forward), "internal: an execution plan has a step that is none of its direction.");
  const bool gated = step.kind == StepKind::kGate || step.kind == StepKind::kGateBack || step.kind == StepKind::kGateBackToGate;
  const bool kept = placed && fits(step.slopes, step.to, 0) && fits(step.saved, forward ? step.to : step.from, gated ? step.geometry.inputs : 0);
  const bool sloped = !forward || step.slopes < 0 || (step.curve >= 0 && step.derivative >= 0);
  const bool scaled = step.kind != StepKind::kCurve || (step.weights < 0) == (step.bias < 0);
  TORCH_CHECK(placed && curved && given && kept && sloped && scaled, "internal: a step of an execution plan refers to nothing.");
  const int64_t images = plan.channels * plan.height * plan.width, channels = step.geometry.inputs;
  if (step.kind == StepKind::kLoad)
    TORCH_CHECK(step.from < 0 && sizeOf(step.to) == (forward ? images : plan.classes), "internal: an execution plan begins with a value of another size.");
  if (step.kind == StepKind::kStore)
    TORCH_CHECK(sizeOf(step.from) == (forward ? plan.classes : images) && channels > 0 && sizeOf(step.from) % channels == 0,
                "internal: an execution plan ends in a value of another size.");
}

}  // namespace

Geometry readGeometry(c10::IntArrayRef numbers) {
  Reader reader(numbers);
  return readGeometry(reader);
}

Plan readPlan(const at::Tensor& encoded, const at::Tensor& encodedCurves, int64_t constants) {
  Reader reader(listOf<int64_t>(encoded, at::kLong));
  const c10::ArrayRef<double> curves = listOf<double>(encodedCurves, at::kDouble);
  Plan plan{};
  for (int64_t* each : {&plan.channels, &plan.height, &plan.width, &plan.classes}) *each = reader.next();
  for (std::vector<int64_t>* sizes : {&plan.kept, &plan.values}) {
    sizes->resize(static_cast<size_t>(reader.count()));
    for (int64_t& size : *sizes) size = reader.count();
  }
  for (std::vector<Step>* steps : {&plan.forward, &plan.backward}) {
    steps->resize(static_cast<size_t>(reader.count()));
    for (Step& step : *steps) step = readStep(reader);
  }
  TORCH_CHECK(reader.isDone() && curves.size() % 3 == 0, "internal: an execution plan has numbers left over.");
  for (size_t at = 0; at < curves.size(); at += 3) {
    const Curve curve{static_cast<Activation>(static_cast<int64_t>(curves[at])), curves[at + 1], curves[at + 2]};
    TORCH_CHECK(nameOf(curve.kind) != nullptr, "internal: an execution plan has an activation that is none.");
    plan.curves.push_back(curve);
  }
  for (const Step& step : plan.forward) check(step, plan, constants, true);
  for (const Step& step : plan.backward) check(step, plan, constants, false);
  return plan;
}

}  // namespace satin
