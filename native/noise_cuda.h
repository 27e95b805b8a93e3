// The noise of noise_kernel.h drawn on a graphics card.
#pragma once

#include <ATen/core/Tensor.h>

#include "philox.h"

namespace satin {

// Fills `out` [examples, ...], float32 or float64 without gaps on a graphics card, for ids [examples] of int64 there. The
// numbers are those of drawFloat and drawDouble for the key; normal ones may differ in their last bit.
void drawNoiseCuda(Distribution distribution, uint64_t key, const at::Tensor& ids, at::Tensor& out);

}  // namespace satin
