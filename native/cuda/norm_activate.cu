// satin::norm_activate on a graphics card: y = f(z), z = x * scale + shift + residual, with scale and shift one number a
// channel, for channels-last float and bfloat16.
//
// Forward in training: channelMoments, normStatistics, normActivateForward; in evaluation the last alone. Backward in
// training: normActivateSums, normGradients, normActivateBackward; in evaluation the last alone. The backward pass computes
// g = dy f'(z) twice rather than keep it: without a residual that moves less memory, and bfloat16 would round it.
#include "../activation_math.h"
#include "norm_activate_arguments.h"
#include "storage.h"

namespace satin {

// Rows that a thread adds up in float before it goes on in double: as exact as double, nearly as fast as float.
constexpr int kRowsInFloat = 16;

// Where lane 0 of a block of rows writes its sums.
SATIN_INLINE int64_t partialAt(int kind, int64_t rowBlock, int64_t rowBlocks, int64_t channel, int64_t channels) {
  return (kind * rowBlocks + rowBlock) * channels + channel;
}

// Adds two sums a channel over the lanes and writes them.
template <int kPack>
SATIN_INLINE void writePartials(double (&sums)[2 * kPack], const Part<kPack>& part, const Tiles& tiles, double* partials) {
  __shared__ double shared[2 * kPack][kThreads];
  sumLanes(sums, tiles.columns, tiles.lanes, shared);
  if (part.lane != 0 || !part.isUsed) return;
  for (int kind = 0; kind < 2; kind++)
    for (int i = 0; i < kPack; i++)
      partials[partialAt(kind, blockIdx.x, gridDim.x, part.channel + i, tiles.channels)] = sums[kind * kPack + i];
}

template <typename Storage, int kPack>
__global__ void __launch_bounds__(kThreads) channelMoments(const ChannelMoments arguments) {
  const Tiles& tiles = arguments.tiles;
  const Part<kPack> part(tiles);
  const Storage* x = static_cast<const Storage*>(arguments.x);
  double sums[2 * kPack] = {};
  if (part.isUsed) {
    float pivot[kPack];
    for (int i = 0; i < kPack; i++) pivot[i] = widened(x[part.channel + i]);
    for (int64_t first = part.row; first < tiles.rows; first += kRowsInFloat * part.step) {
      float near[2 * kPack] = {};
#pragma unroll 4
      for (int held = 0; held < kRowsInFloat; held++) {
        const int64_t row = first + held * part.step;
        if (row >= tiles.rows) continue;
        const auto in = loaded<Storage, kPack>(x + row * tiles.channels + part.channel);
        for (int i = 0; i < kPack; i++) {
          const float distance = widened(in.at[i]) - pivot[i];
          near[i] += distance;
          near[kPack + i] += distance * distance;
        }
      }
      for (int i = 0; i < 2 * kPack; i++) sums[i] += near[i];
    }
  }
  writePartials<kPack>(sums, part, tiles, arguments.partials);
}

// The two sums of a channel over all blocks of rows, for the threads of lane 0. Returns whether this is one of them.
SATIN_INLINE bool sumPartials(const double* partials, int64_t rowBlocks, int64_t channels, int64_t& channel, double (&sums)[2]) {
  const int lane = static_cast<int>(threadIdx.x) / kFinished;
  channel = static_cast<int64_t>(blockIdx.x) * kFinished + threadIdx.x % kFinished;
  sums[0] = sums[1] = 0;
  if (channel < channels)
    for (int64_t block = lane; block < rowBlocks; block += kThreads / kFinished)
      for (int kind = 0; kind < 2; kind++) sums[kind] += partials[partialAt(kind, block, rowBlocks, channel, channels)];
  __shared__ double shared[2][kThreads];
  sumLanes(sums, kFinished, kThreads / kFinished, shared);
  return lane == 0 && channel < channels;
}

template <typename Storage>
__global__ void __launch_bounds__(kThreads) normStatistics(const NormStatistics arguments) {
  int64_t c;
  double sums[2];
  if (!sumPartials(arguments.partials, arguments.rowBlocks, arguments.channels, c, sums)) return;
  const double count = static_cast<double>(arguments.rows), offset = sums[0] / count;
  const double moment = sums[1] / count - offset * offset;
  const double variance = moment < 0 ? 0 : moment;
  const double average = static_cast<double>(widened(static_cast<const Storage*>(arguments.x)[c])) + offset;
  const float mean = static_cast<float>(average), inverse = static_cast<float>(1 / squareRoot(variance + arguments.epsilon));
  if (arguments.runningMean != nullptr) {
    const double kept = 1 - arguments.momentum, unbiased = variance * count / (count > 2 ? count - 1 : 1);
    arguments.runningMean[c] = static_cast<float>(kept * arguments.runningMean[c] + arguments.momentum * average);
    arguments.runningVariance[c] = static_cast<float>(kept * arguments.runningVariance[c] + arguments.momentum * unbiased);
  }
  const float scale = arguments.weight[c] * inverse;
  arguments.mean[c] = mean;
  arguments.inverse[c] = inverse;
  arguments.scale[c] = scale;
  arguments.shift[c] = arguments.bias[c] - mean * scale;
}

// The numbers of a thread's channels.
template <int kPack>
SATIN_INLINE void take(const float* vector, int64_t channel, float (&numbers)[kPack]) {
  for (int i = 0; i < kPack; i++) numbers[i] = vector[channel + i];
}

// Scale and shift in evaluation; the first block of rows keeps them for the gradient, if there will be one.
template <int kPack>
SATIN_INLINE void evaluate(const NormActivateForward& arguments, const Part<kPack>& part, float (&scale)[kPack], float (&shift)[kPack]) {
  for (int i = 0; i < kPack; i++) {
    const int64_t c = part.channel + i;
    const double variance = static_cast<double>(arguments.runningVariance[c]) + arguments.epsilon;
    const float mean = arguments.runningMean[c], inverse = 1 / squareRoot(static_cast<float>(variance));
    scale[i] = arguments.weight[c] * inverse;
    shift[i] = arguments.bias[c] - mean * scale[i];
    if (arguments.mean == nullptr || blockIdx.x != 0 || part.lane != 0) continue;
    arguments.mean[c] = mean;
    arguments.inverse[c] = inverse;
    arguments.scale[c] = scale[i];
    arguments.shift[c] = shift[i];
  }
}

template <template <typename> class F, typename Storage, bool kResidual, int kPack>
__global__ void __launch_bounds__(kThreads) normActivateForward(const NormActivateForward arguments) {
  const F<float> f = curveOf<F, float>(arguments.curve);
  const Tiles& tiles = arguments.tiles;
  const Part<kPack> part(tiles);
  if (!part.isUsed) return;
  const Storage *x = static_cast<const Storage*>(arguments.x), *residual = static_cast<const Storage*>(arguments.residual);
  Storage* y = static_cast<Storage*>(arguments.y);
  float scale[kPack], shift[kPack];
  if (arguments.runningVariance != nullptr) {
    evaluate<kPack>(arguments, part, scale, shift);
  } else {
    take(arguments.scale, part.channel, scale);
    take(arguments.shift, part.channel, shift);
  }
  for (int64_t row = part.row; row < tiles.rows; row += part.step) {
    const int64_t at = row * tiles.channels + part.channel;
    const auto in = loaded<Storage, kPack>(x + at);
    Pack<Storage, kPack> added = {}, out;
    if constexpr (kResidual) added = loaded<Storage, kPack>(residual + at);
    for (int i = 0; i < kPack; i++) {
      float z = widened(in.at[i]) * scale[i] + shift[i];
      if constexpr (kResidual) z += widened(added.at[i]);
      narrow(f.value(z), out.at[i]);
    }
    store(out, y + at);
  }
}

// Arguments and upstream gradients of a thread's channels in one row.
template <typename Storage, bool kResidual, int kPack>
struct Row {
  SATIN_INLINE Row(const void* upstream, const void* numbers, const void* residual, int64_t at, const float (&scale)[kPack],
                   const float (&shift)[kPack]) {
    const auto above = loaded<Storage, kPack>(static_cast<const Storage*>(upstream) + at);
    const auto in = loaded<Storage, kPack>(static_cast<const Storage*>(numbers) + at);
    Pack<Storage, kPack> added = {};
    if constexpr (kResidual) added = loaded<Storage, kPack>(static_cast<const Storage*>(residual) + at);
    for (int i = 0; i < kPack; i++) {
      dy[i] = widened(above.at[i]);
      x[i] = widened(in.at[i]);
      z[i] = x[i] * scale[i] + shift[i];
      if constexpr (kResidual) z[i] += widened(added.at[i]);
    }
  }
  float dy[kPack], x[kPack], z[kPack];
};

template <template <typename> class F, typename Storage, bool kResidual, int kPack, bool kLearning>
__global__ void __launch_bounds__(kThreads) normActivateSums(const NormActivateSums arguments) {
  const F<float> f = curveOf<F, float>(arguments.curve);
  const Tiles& tiles = arguments.tiles;
  const Part<kPack> part(tiles);
  double sums[2 * kPack] = {}, coefficients[2] = {};
  if (part.isUsed) {
    float scale[kPack], shift[kPack], mean[kPack];
    take(arguments.scale, part.channel, scale);
    take(arguments.shift, part.channel, shift);
    take(arguments.mean, part.channel, mean);
    for (int64_t first = part.row; first < tiles.rows; first += kRowsInFloat * part.step) {
      float near[2 * kPack] = {}, nearA = 0, nearB = 0;
#pragma unroll 2
      for (int held = 0; held < kRowsInFloat; held++) {
        const int64_t row = first + held * part.step;
        if (row >= tiles.rows) continue;
        const Row<Storage, kResidual, kPack> at(arguments.dy, arguments.x, arguments.residual, row * tiles.channels + part.channel,
                                                scale, shift);
        for (int i = 0; i < kPack; i++) {
          const float g = at.dy[i] * f.slope(at.z[i]);
          near[i] += g;
          near[kPack + i] += g * (at.x[i] - mean[i]);
          if constexpr (kLearning) {
            nearA += at.dy[i] * f.slopeA(at.z[i]);
            if constexpr (Kind<F>::kCoefficients > 1) nearB += at.dy[i] * f.slopeB(at.z[i]);
          }
        }
      }
      for (int i = 0; i < 2 * kPack; i++) sums[i] += near[i];
      coefficients[0] += nearA;
      coefficients[1] += nearB;
    }
  }
  writePartials<kPack>(sums, part, tiles, arguments.partials);
  if constexpr (kLearning) {
    __shared__ double shared[2][kThreads];
    sumBlock(coefficients, shared);
    const int64_t block = static_cast<int64_t>(blockIdx.y) * gridDim.x + blockIdx.x;
    if (threadIdx.x < 2) arguments.coefficients[2 * block + threadIdx.x] = threadIdx.x == 0 ? coefficients[0] : coefficients[1];
  }
}

__global__ void __launch_bounds__(kThreads) normGradients(const NormGradients arguments) {
  int64_t c;
  double sums[2];
  if (!sumPartials(arguments.partials, arguments.rowBlocks, arguments.channels, c, sums)) return;
  const double count = static_cast<double>(arguments.rows), scale = arguments.scale[c], inverse = arguments.inverse[c];
  arguments.dWeight[c] = static_cast<float>(sums[1] * inverse);
  arguments.dBias[c] = static_cast<float>(sums[0]);
  arguments.offset[c] = static_cast<float>(scale * sums[0] / count);
  arguments.slope[c] = static_cast<float>(scale * sums[1] * inverse * inverse / count);
}

template <template <typename> class F, typename Storage, bool kResidual, int kPack, bool kTrain>
__global__ void __launch_bounds__(kThreads) normActivateBackward(const NormActivateBackward arguments) {
  const F<float> f = curveOf<F, float>(arguments.curve);
  const Tiles& tiles = arguments.tiles;
  const Part<kPack> part(tiles);
  if (!part.isUsed) return;
  Storage *dx = static_cast<Storage*>(arguments.dx), *dResidual = static_cast<Storage*>(arguments.dResidual);
  float scale[kPack], shift[kPack], mean[kPack], offset[kPack], slope[kPack];
  take(arguments.scale, part.channel, scale);
  take(arguments.shift, part.channel, shift);
  if constexpr (kTrain) {
    take(arguments.mean, part.channel, mean);
    take(arguments.offset, part.channel, offset);
    take(arguments.slope, part.channel, slope);
  }
  for (int64_t row = part.row; row < tiles.rows; row += part.step) {
    const int64_t start = row * tiles.channels + part.channel;
    const Row<Storage, kResidual, kPack> at(arguments.dy, arguments.x, arguments.residual, start, scale, shift);
    Pack<Storage, kPack> out, added;
    for (int i = 0; i < kPack; i++) {
      const float g = at.dy[i] * f.slope(at.z[i]);
      if constexpr (kResidual) narrow(g, added.at[i]);
      if constexpr (kTrain) narrow(g * scale[i] - offset[i] - (at.x[i] - mean[i]) * slope[i], out.at[i]);
      else narrow(g * scale[i], out.at[i]);
    }
    store(out, dx + start);
    if constexpr (kResidual) store(added, dResidual + start);
  }
}

}  // namespace satin
