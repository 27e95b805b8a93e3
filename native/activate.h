// activation(x) for each number as one operator with its own gradient.
#pragma once

#include "activation_twin.h"
#include "optional.h"

#include <vector>

namespace satin {

// What is computed, and whose derivative its gradient takes.
struct Activating {
  Curve curve;
  bool own;  // its own derivative
  Curve derivative;
};

// What stands in an operator's arguments: numbers of kinds, -1 for one's own derivative; a and b are not looked at where
// coefficients are learned. Throws where a kind is none or a coefficient out of range.
Activating activatingOf(const OptionalTensor& coefficients, int64_t kind, double a, double b, int64_t backward, double backwardA,
                        double backwardB);

// An autograd context keeps lists of numbers, not structs.
std::vector<double> numbersOf(const Activating& activating);
Activating activatingOf(const std::vector<double>& numbers);

// Throws where learned coefficients are not as many as the curve takes, or not like x.
void checkCoefficients(const Activating& activating, const at::Tensor& x, const OptionalTensor& coefficients);

// The curve with learned coefficients, which are on the CPU, in the place of its own. Throws where they are out of range.
Curve learnedCurve(const Curve& curve, const at::Tensor& coefficients);

at::Tensor activate(const at::Tensor& x, const OptionalTensor& coefficients, const Activating& activating);

// Only of libtorch's operators, for traces: nothing of Satin's stays in the result.
at::Tensor activateTraced(const at::Tensor& x, const OptionalTensor& coefficients, const Curve& curve);

// What a backward pass says where both are wanted.
constexpr const char* kNoCoefficientGradient =
    "Expected no gradient of a learned coefficient where another function's derivative is used: a learned coefficient has "
    "no gradient then. Ask for the gradient of x alone.";

}  // namespace satin
