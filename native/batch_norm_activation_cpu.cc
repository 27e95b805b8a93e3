// satin::norm_activate by the kernels of batch_norm_activation_kernel.h: float32 with channels last on the CPU, rows shared out between
// threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "batch_norm_activation.h"
#include "batch_norm_activation_kernel.h"
#include "process_group.h"

namespace satin {
namespace {

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

// Converts moments about each rank's pivots to moments of all ranks about zero; returns the total number of rows. Every rank
// has as many. In double numbers, squares about zero are as exact as the float32 values themselves.
double overRanks(std::vector<double>& totals, std::vector<double>& pivots, double count) {
  const size_t channels = pivots.size();
  for (size_t c = 0; c < channels; c++) {
    totals[channels + c] += pivots[c] * (2 * totals[c] + count * pivots[c]);
    totals[c] += count * pivots[c];
    pivots[c] = 0;
  }
  allReduceInPlace(totals);
  return count * rankCount();
}

// Per-thread sums for the gradients of learned coefficients; none if those are not needed.
struct ThreadCoefficients {
  explicit ThreadCoefficients(bool wanted) : threads(static_cast<size_t>(wanted ? at::get_num_threads() : 0)) {}
  CoefficientSums<float>* of(int thread) {
    if (threads.empty()) return nullptr;
    auto& sums = threads[static_cast<size_t>(thread)];
    if (sums == nullptr) sums = std::make_unique<CoefficientSums<float>>();
    return sums.get();
  }
  // The gradient; undefined if it is not needed.
  at::Tensor total(const OptionalTensor& coefficients) {
    if (threads.empty()) return {};
    at::Tensor result = at::empty_like(*coefficients);
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
const float* dataOrNull(const OptionalTensor& tensor) { return tensor.has_value() ? tensor->data_ptr<float>() : nullptr; }
const float* shifted(const float* pointer, int64_t by) { return pointer == nullptr ? nullptr : pointer + by; }

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> normActivateForwardCpu(
    const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
    const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum, double epsilon,
    const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  TORCH_CHECK(fusedNormServes(kNormDtypesCpu, x, residual, weight, bias, runningMean, runningVariance, train),
              "Expected float32 with channels last for the fused batch norm.");
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  const Rows rows = rowsOf(x);
  const auto vector = [&] { return at::empty({rows.channels}, weight.options()); };
  at::Tensor mean = vector(), inverse = vector(), scale = vector(), shift = vector();
  float *means = mean.data_ptr<float>(), *inverses = inverse.data_ptr<float>();
  float *scales = scale.data_ptr<float>(), *shifts = shift.data_ptr<float>();
  const float *weights = data(weight), *biases = data(bias), *numbers = data(x);
  if (train) {
    ChannelSums sums(rows.channels);
    // The first row is the pivot: close enough to the mean to avoid cancellation of the squares.
    parallelRows(rows, [&](int64_t start, Rows part, int thread) {
      addMoments(part, numbers + start, numbers, sums.first(thread), sums.second(thread));
    });
    std::vector<double> totals = sums.totals();
    double count = static_cast<double>(rows.count);
    std::vector<double> pivots(numbers, numbers + rows.channels);
    if (synchronised && rankCount() > 1) count = overRanks(totals, pivots, count);
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

  const Curve curve = forwardCurve(spec, coefficients);
  at::Tensor y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  const float* added = dataOrNull(residual);
  parallelRows(rows, [&](int64_t start, Rows part, int) {
    normActivate(curve, part, numbers + start, shifted(added, start), scales, shifts, y.data_ptr<float>() + start);
  });
  return {y, mean, inverse, scale, shift};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> normActivateBackwardCpu(
    const at::Tensor& upstream, const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& mean, const at::Tensor& inverse,
    const at::Tensor& scale, const at::Tensor& shift, const OptionalTensor& coefficients, bool train, ActivationArgument activation,
    bool synchronised, bool learning) {
  const ActivationSpec spec = activationSpec(activation, x, coefficients);
  checkLearning(spec, coefficients, learning);
  const at::Tensor dy = upstream.contiguous(at::MemoryFormat::ChannelsLast);
  const bool fits = dy.sizes() == x.sizes() && fusedNormServes(kNormDtypesCpu, x, residual, mean, inverse, scale, shift, train);
  TORCH_CHECK(fits, "Expected what the forward pass of the fused batch norm returned.");
  const Curve curve = backwardCurve(spec, coefficients);
  const float* added = dataOrNull(residual);
  ThreadCoefficients coefficientSums(learning);
  const Rows rows = rowsOf(x);
  at::Tensor dx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
  at::Tensor g = residual.has_value() ? at::empty_like(dx, dx.options(), at::MemoryFormat::ChannelsLast) : at::Tensor();

  if (!train) {
    parallelRows(rows, [&](int64_t start, Rows part, int thread) {
      activateScaleBackward(curve, part, data(dy) + start, data(x) + start, shifted(added, start), data(scale),
                            data(shift), g.defined() ? g.data_ptr<float>() + start : nullptr, dx.data_ptr<float>() + start,
                            coefficientSums.of(thread));
    });
    return {dx, g, {}, {}, coefficientSums.total(coefficients)};
  }

  // Without a residual g is not returned: its memory is reused for dx.
  const at::Tensor& held = g.defined() ? g : dx;
  ChannelSums sums(rows.channels);
  parallelRows(rows, [&](int64_t start, Rows part, int thread) {
    activateBackward(curve, part, data(dy) + start, data(x) + start, shifted(added, start), data(scale),
                     data(shift), data(mean), held.data_ptr<float>() + start, sums.first(thread), sums.second(thread),
                     coefficientSums.of(thread));
  });
  at::Tensor dWeight = at::empty_like(mean), dBias = at::empty_like(mean);
  at::Tensor offset = at::empty_like(mean), slope = at::empty_like(mean);
  // The weight's gradients are this rank's: they are reduced with all other gradients.
  const std::vector<double> own = sums.totals();
  std::vector<double> all = own;
  const bool everywhere = synchronised && rankCount() > 1;
  if (everywhere) allReduceInPlace(all);
  const double count = static_cast<double>(rows.count) * (everywhere ? rankCount() : 1);
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
  return {dx, g, dWeight, dBias, coefficientSums.total(coefficients)};
}

at::Tensor normActivateCpu(const at::Tensor& x, const OptionalTensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                           const OptionalTensor& runningMean, const OptionalTensor& runningVariance, bool train, double momentum,
                           double epsilon, const OptionalTensor& coefficients, ActivationArgument activation, bool synchronised) {
  if (!fusedNormServes(kNormDtypesCpu, x, residual, weight, bias, runningMean, runningVariance, train))
    return normActivateComposed(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon, coefficients,
                                activation, synchronised);
  return std::get<0>(normActivateForwardCpu(x, residual, weight, bias, runningMean, runningVariance, train, momentum, epsilon,
                                            coefficients, activation, synchronised));
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

}  // namespace satin
