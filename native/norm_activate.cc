// satin::norm_activate: activation(batch_norm(x) + residual) as one operator with its own gradient, reached through the
// same generic call as libtorch's operators. Where the kernel does not serve (another device, dtype or layout, weights
// that want a gradient in evaluation mode) the same function is composed of libtorch's operators.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <memory>

#include "activate.h"
#include "collective.h"
#include "norm_activate.h"
#include "norm_activate_kernel.h"

namespace satin {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Settings {
  bool train;
  double momentum;
  double epsilon;
  ActivationArgument activation;
  bool synchronised = false;
};

bool isDense(const at::Tensor& tensor, at::IntArrayRef shape) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.sizes() == shape &&
         tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
}

bool isVector(const at::Tensor& tensor, int64_t length) {
  return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == 1 && tensor.size(0) == length &&
         tensor.is_contiguous();
}

// Batch norm in training by the statistics of all ranks, of operators that can be differentiated as often as is wanted.
// Every rank has as many images as the others.
at::Tensor synchronisedNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
                            const OptionalTensor& runningVariance, double momentum, double epsilon) {
  const double count = static_cast<double>(x.numel() / x.size(1)) * rankCount();
  const auto perChannel = [](const at::Tensor& vector) { return vector.reshape({1, -1, 1, 1}); };
  const at::Tensor mean = sumOverRanks(x.sum({0, 2, 3})) / count;
  const at::Tensor centred = x - perChannel(mean);
  const at::Tensor variance = sumOverRanks((centred * centred).sum({0, 2, 3})) / count;
  if (runningMean.has_value() && runningVariance.has_value()) {
    at::NoGradGuard guard;
    at::Tensor movingMean = *runningMean, movingVariance = *runningVariance;
    movingMean.mul_(1 - momentum).add_(mean, momentum);
    movingVariance.mul_(1 - momentum).add_(variance, momentum * count / std::max(1.0, count - 1));
  }
  return centred * perChannel(weight * (variance + epsilon).rsqrt()) + perChannel(bias);
}

// What the activation acts on, of libtorch's operators.
at::Tensor normed(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                  const OptionalTensor& mean, const OptionalTensor& variance, const Settings& settings) {
  const at::Tensor z =
      settings.train && settings.synchronised
          ? synchronisedNorm(x, weight, bias, mean, variance, settings.momentum, settings.epsilon)
          : at::batch_norm(x, weight, bias, mean, variance, settings.train, settings.momentum, settings.epsilon, false);
  return residual.has_value() ? z + *residual : z;
}

Rows rowsOf(const at::Tensor& x) { return {x.size(0) * x.size(2) * x.size(3), x.size(1)}; }

// Shares the rows out between threads: body(first number, rows, thread).
template <typename Body>
void parallelRows(Rows rows, Body body) {
  const int64_t enough = std::max<int64_t>(1, 32768 / rows.channels);
  at::parallel_for(0, rows.count, enough, [&](int64_t begin, int64_t end) {
    body(begin * rows.channels, Rows{end - begin, rows.channels}, at::get_thread_num());
  });
}

// Two sums a channel, added up thread by thread in a fixed order.
struct ChannelSums {
  explicit ChannelSums(int64_t channels)
      : channels(channels), threads(at::get_num_threads()), values(static_cast<size_t>(2 * channels * threads), 0.0) {}
  double* first(int thread) { return &values[static_cast<size_t>(2 * channels * thread)]; }
  double* second(int thread) { return first(thread) + channels; }
  double total(int64_t channel, bool isSecond) const {
    double sum = 0;
    for (int thread = 0; thread < threads; thread++)
      sum += values[static_cast<size_t>(2 * channels * thread + (isSecond ? channels : 0) + channel)];
    return sum;
  }
  // All first sums, then all second ones.
  std::vector<double> totals() const {
    std::vector<double> result;
    for (const bool isSecond : {false, true})
      for (int64_t channel = 0; channel < channels; channel++) result.push_back(total(channel, isSecond));
    return result;
  }
  int64_t channels;
  int threads;
  std::vector<double> values;
};

// Moments about each rank's own pivots become those of all ranks about zero; returns how many rows they are of. Every rank
// has as many. In double numbers, squares about zero are as exact as the float32 values themselves.
double overRanks(std::vector<double>& totals, std::vector<double>& pivots, double count) {
  const size_t channels = pivots.size();
  for (size_t c = 0; c < channels; c++) {
    totals[channels + c] += pivots[c] * (2 * totals[c] + count * pivots[c]);
    totals[c] += count * pivots[c];
    pivots[c] = 0;
  }
  sumOverRanks(totals);
  return count * rankCount();
}

// The sums of learned coefficients of each thread; none where no gradient of theirs is wanted.
struct ThreadCoefficients {
  explicit ThreadCoefficients(bool wanted) : threads(static_cast<size_t>(wanted ? at::get_num_threads() : 0)) {}
  CoefficientSums<float>* of(int thread) {
    if (threads.empty()) return nullptr;
    auto& sums = threads[static_cast<size_t>(thread)];
    if (sums == nullptr) sums = std::make_unique<CoefficientSums<float>>();
    return sums.get();
  }
  // The gradient; undefined where none is wanted.
  at::Tensor total(const at::Tensor& coefficients) {
    if (threads.empty()) return {};
    at::Tensor result = at::empty_like(coefficients, coefficients.options().requires_grad(false));
    for (int i = 0; i < result.size(0); i++) {
      double sum = 0;
      for (const auto& each : threads) sum += each == nullptr ? 0 : each->total(i);
      result.data_ptr<float>()[i] = static_cast<float>(sum);
    }
    return result;
  }
  std::vector<std::unique_ptr<CoefficientSums<float>>> threads;
};

const float* data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }
const float* dataOrNull(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }
const float* shifted(const float* pointer, int64_t by) { return pointer == nullptr ? nullptr : pointer + by; }

class NormActivate : public torch::autograd::Function<NormActivate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const OptionalTensor& residual,
                            const at::Tensor& weight, const at::Tensor& bias, const OptionalTensor& runningMean,
                            const OptionalTensor& runningVariance, const OptionalTensor& coefficients,
                            const Settings& settings) {
    const auto& [train, momentum, epsilon, activation, synchronised] = settings;
    const ActivationSpec spec = activationSpec(activation, x, coefficients);
    const Rows rows = rowsOf(x);
    const auto vector = [&] { return at::empty({rows.channels}, weight.options().requires_grad(false)); };
    at::Tensor mean = vector(), inverse = vector(), scale = vector(), shift = vector();
    float *means = mean.data_ptr<float>(), *inverses = inverse.data_ptr<float>(), *scales = scale.data_ptr<float>(), *shifts = shift.data_ptr<float>();
    const float *weights = data(weight), *biases = data(bias), *numbers = data(x);
    if (train) {
      ChannelSums sums(rows.channels);
      // The first row is the pivot: near enough to the mean for the squares not to cancel.
      parallelRows(rows, [&](int64_t start, Rows part, int thread) {
        addMoments(part, numbers + start, numbers, sums.first(thread), sums.second(thread));
      });
      std::vector<double> totals = sums.totals();
      double count = static_cast<double>(rows.count);
      std::vector<double> pivots(numbers, numbers + rows.channels);
      if (synchronised) count = overRanks(totals, pivots, count);
      for (int64_t c = 0; c < rows.channels; c++) {
        const size_t first = static_cast<size_t>(c), second = static_cast<size_t>(rows.channels + c);
        const double offset = totals[first] / count;
        const double variance = std::max(0.0, totals[second] / count - offset * offset);
        const double average = pivots[first] + offset;
        means[c] = static_cast<float>(average);
        inverses[c] = static_cast<float>(1 / std::sqrt(variance + epsilon));
        if (runningMean.has_value()) {
          float& movingMean = runningMean->data_ptr<float>()[c];
          float& movingVariance = runningVariance->data_ptr<float>()[c];
          movingMean = static_cast<float>((1 - momentum) * movingMean + momentum * average);
          const double unbiased = variance * count / std::max(1.0, count - 1);
          movingVariance = static_cast<float>((1 - momentum) * movingVariance + momentum * unbiased);
        }
      }
    } else {
      for (int64_t c = 0; c < rows.channels; c++) {
        means[c] = data(*runningMean)[c];
        inverses[c] = static_cast<float>(1 / std::sqrt(static_cast<double>(data(*runningVariance)[c]) + epsilon));
      }
    }
    for (int64_t c = 0; c < rows.channels; c++) {
      scales[c] = weights[c] * inverses[c];
      shifts[c] = biases[c] - means[c] * scales[c];
    }

    const Curve curve = coefficients.has_value() ? learnedCurve(spec.curve, *coefficients) : spec.curve;
    at::Tensor y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    const at::Tensor added = residual.has_value() ? *residual : at::Tensor();
    parallelRows(rows, [&](int64_t start, Rows part, int) {
      normActivate(curve, part, numbers + start, shifted(dataOrNull(added), start), scales, shifts, y.data_ptr<float>() + start);
    });
    const at::Tensor learned = coefficients.has_value() ? *coefficients : at::Tensor();
    context->save_for_backward({x, added, weight, mean, inverse, scale, shift, learned});
    context->saved_data["train"] = train;
    context->saved_data["synchronised"] = synchronised;
    // the coefficients' place among the tensors that were given: x, weight and bias always stand before them
    context->saved_data["place"] = int64_t{3} + residual.has_value() + runningMean.has_value() + runningVariance.has_value();
    context->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "The fused batch norm has no second derivatives; run the network without fusion for those.");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &residual = saved[1], &weight = saved[2], &mean = saved[3];
    const at::Tensor &inverse = saved[4], &scale = saved[5], &shift = saved[6];
    const at::Tensor& coefficients = saved[7];
    const auto numbers = context->saved_data["activation"].toDoubleVector();
    const ActivationSpec spec = activationSpec(numbers, x, coefficients.defined() ? OptionalTensor(coefficients) : OptionalTensor());
    const bool learning = coefficients.defined() && context->needs_input_grad(context->saved_data["place"].toInt());
    TORCH_CHECK(!spec.derivative.has_value() || !learning, kNoCoefficientGradient);
    const Curve curve = spec.derivative.has_value() ? *spec.derivative
                        : coefficients.defined()    ? learnedCurve(spec.curve, coefficients)
                                                    : spec.curve;
    ThreadCoefficients coefficientSums(learning);
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Rows rows = rowsOf(x);
    at::Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    at::Tensor g = residual.defined() ? at::empty_like(dx, dx.options(), at::MemoryFormat::ChannelsLast) : at::Tensor();

    if (!context->saved_data["train"].toBool()) {
      parallelRows(rows, [&](int64_t start, Rows part, int thread) {
        activateScaleBackward(curve, part, data(dy) + start, data(x) + start, shifted(dataOrNull(residual), start), data(scale),
                              data(shift), g.defined() ? g.data_ptr<float>() + start : nullptr, dx.data_ptr<float>() + start,
                              coefficientSums.of(thread));
      });
      return {dx, g, {}, {}, {}, {}, coefficientSums.total(coefficients), {}};
    }

    // Without a residual nobody else wants g: it is kept where dx will stand.
    const at::Tensor& held = g.defined() ? g : dx;
    ChannelSums sums(rows.channels);
    parallelRows(rows, [&](int64_t start, Rows part, int thread) {
      activateBackward(curve, part, data(dy) + start, data(x) + start, shifted(dataOrNull(residual), start), data(scale),
                       data(shift), data(mean), held.data_ptr<float>() + start, sums.first(thread), sums.second(thread),
                       coefficientSums.of(thread));
    });
    at::Tensor dWeight = at::empty_like(weight), dBias = at::empty_like(weight);
    at::Tensor offset = at::empty_like(weight), slope = at::empty_like(weight);
    // The weight's gradients are this rank's own: they are summed with all others.
    const std::vector<double> own = sums.totals();
    std::vector<double> all = own;
    const bool synchronised = context->saved_data["synchronised"].toBool();
    if (synchronised) sumOverRanks(all);
    const double count = static_cast<double>(rows.count) * (synchronised ? rankCount() : 1);
    for (int64_t c = 0; c < rows.channels; c++) {
      const size_t first = static_cast<size_t>(c), second = static_cast<size_t>(rows.channels + c);
      const double scaled = data(scale)[c], sum = all[first], product = all[second];
      const double inverted = data(inverse)[c];
      dWeight.data_ptr<float>()[c] = static_cast<float>(own[second] * inverted);
      dBias.data_ptr<float>()[c] = static_cast<float>(own[first]);
      offset.data_ptr<float>()[c] = static_cast<float>(scaled * sum / count);
      slope.data_ptr<float>()[c] = static_cast<float>(scaled * product * inverted * inverted / count);
    }
    parallelRows(rows, [&](int64_t start, Rows part, int) {
      normBackward(part, data(held) + start, data(x) + start, data(mean), data(scale), data(offset), data(slope),
                   dx.data_ptr<float>() + start);
    });
    return {dx, g, dWeight, dBias, {}, {}, coefficientSums.total(coefficients), {}};
  }
};

}  // namespace

at::Tensor normActivateOperator(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight,
                                const at::Tensor& bias, const OptionalTensor& runningMean,
                                const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
                                const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  const Settings settings{train, momentum, epsilon, activation, synchronised && rankCount() > 1};
  activationSpec(activation, x, coefficients);
  const bool statistics = runningMean.has_value() && runningVariance.has_value();
  const bool wanted = at::GradMode::is_enabled() && (weight.requires_grad() || bias.requires_grad());
  bool serves = x.dim() == 4 && x.numel() > 0 && isDense(x, x.sizes());
  if (serves) {
    const int64_t channels = x.size(1);
    serves = isVector(weight, channels) && isVector(bias, channels) && (train || (statistics && !wanted)) &&
             runningMean.has_value() == runningVariance.has_value() &&
             (!statistics || (isVector(*runningMean, channels) && isVector(*runningVariance, channels))) &&
             (!residual.has_value() || isDense(*residual, x.sizes()));
  }
  if (!serves)
    return activate(normed(x, residual, weight, bias, runningMean, runningVariance, settings), coefficients, activation);
  return NormActivate::apply(x, residual, weight, bias, runningMean, runningVariance, coefficients, settings);
}

NormScale normScale(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& variance, double epsilon) {
  NormScale norm;
  for (int64_t c = 0; c < weight.size(0); c++) {
    const float inverse = static_cast<float>(1 / std::sqrt(static_cast<double>(data(variance)[c]) + epsilon));
    norm.scale.push_back(data(weight)[c] * inverse);
    norm.shift.push_back(data(bias)[c] - data(mean)[c] * norm.scale.back());
  }
  return norm;
}

namespace {

at::Tensor tracedOperator(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                          const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum,
                          double epsilon, const OptionalTensor& coefficients, ActivationArgument activation, bool) {
  const Settings settings{train, momentum, epsilon, activation};
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  const at::Tensor z = normed(x, residual, weight, bias, runningMean, runningVariance, settings);
  return activateTraced(z, coefficients, spec.curve);
}

TORCH_LIBRARY(satin, library) {
  library.def(
      "norm_activate(Tensor x, Tensor? residual, Tensor weight, Tensor bias, Tensor? running_mean, Tensor? running_var, "
      "bool train, float momentum, float epsilon, Tensor? coefficients, float[] activation, bool synchronised=False) -> Tensor",
      &normActivateOperator);
  library.def(
      "synchronised_batch_norm(Tensor x, Tensor weight, Tensor bias, Tensor? running_mean, Tensor? running_var, "
      "float momentum, float epsilon) -> Tensor",
      &synchronisedNorm);
}

TORCH_LIBRARY_IMPL(satin, Tracer, library) { library.impl("norm_activate", &tracedOperator); }

}  // namespace
}  // namespace satin
