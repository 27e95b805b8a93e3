// The gradient of a convolution's weights by Winograd's F(4x4, 3x3): 36 multiplications where the definition has 144. The sums
// over the images are taken of the transformed inputs and output gradients, and transformed back once.
#pragma once

#include "winograd_kernel.h"

namespace satin {

// From one point's sums to the next, for some outputs.
int64_t winogradSumStride(const ConvolutionShape& shape, int64_t outputs);

// How many numbers the sums for some outputs have.
int64_t winogradSumCount(const ConvolutionShape& shape, int64_t outputs);

// How many numbers winogradSums needs to work in.
int64_t winogradSumScratch(const ConvolutionShape& shape, int64_t outputs);

// Sums over some tiles, for some outputs, a multiple of 16: [36 points][output][input].
void winogradSums(const ConvolutionShape& shape, const float* x, const float* dy, Range tiles, Range outputs, float* scratch, float* sums);

// The gradient [output][row][column][input] of `rows` of `outputs` outputs, from their sums, of which there are `parts`, each
// `partStride` numbers after the one before, to be added.
void winogradWeightGradient(const ConvolutionShape& shape, const float* sums, int64_t parts, int64_t partStride, int64_t outputs, Range rows,
                            float* gradient);

}  // namespace satin
