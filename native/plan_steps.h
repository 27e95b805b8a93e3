// The steps of an execution plan, as src/models/execution-plan/encode.ts writes them: whole numbers, one record each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "activation_kinds.h"

namespace satin {

enum class StepKind : int64_t {
  kLoad = 0,             // images, channels first, to channels last: times scale, plus shift
  kConvolution = 1,      // f(x * w + bias + other)
  kConvolutionBack = 2,  // (dy turned w + other) · slopes
  kCurve = 3,            // f(x · scale + shift)
  kMean = 4,             // over the places of an image
  kMeanBack = 5,         // (dy / places + other) · slopes
  kSum = 6,              // (x + other) · slopes
  kStore = 7,            // logits, or the images' gradient times scale, to channels first
  kMaxPool = 8,          // keeps where each maximum was
  kMaxPoolBack = 9,      // (dy where the maximum was + other) · slopes
  kGate = 10,            // x · σ(other) of each channel; keeps x · σ'(other), and after that σ(other)
  kGateBack = 11,        // to x: (dy · σ + other) · slopes
  kGateBackToGate = 12,  // to the gate: the sum over the places of dy · x σ', plus other, times the slopes
  kNear = 13,            // what the leading steps lead to, by plan_near.h; not written in a plan
};

// Of the convolution or the windows forward, whichever way it is gone. Of other steps `inputs` are the channels, where they are asked for,
// and `height` is the number of places of a mean or a gate.
struct Geometry {
  int64_t inputs, outputs, kernel, stride, top, left, height, width, outHeight, outWidth, groups;
};

struct Step {
  StepKind kind;
  int64_t from, to, other;   // numbers of values; -1 for none
  int64_t curve, derivative;  // numbers of curves
  int64_t slopes, saved;      // what is kept for the way back, by its number: slopes, and what else the kind says; -1 for nothing
  int64_t weights, bias;     // numbers of constants: packed weights and bias, or scale and shift
  Geometry geometry;
};

struct Plan {
  int64_t channels, height, width, classes;
  std::vector<int64_t> kept;    // numbers of an image in each array that is kept for the way back
  std::vector<int64_t> values;  // numbers of an image in each value
  std::vector<Step> forward, backward;
  std::vector<Curve> curves;
};

// Reads and checks it: throws where a number refers to nothing. `plan`: int64; `curves`: float64, kind, a and b of each.
Plan readPlan(const at::Tensor& plan, const at::Tensor& curves, int64_t constants);

// From the numbers of a geometry.
Geometry readGeometry(c10::IntArrayRef numbers);

}  // namespace satin
