// The device `mock`, which stands for a graphics card in tests.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace satin {

// Whether it is there: with SATIN_MOCK_DEVICE=1.
bool hasMockDevice();

c10::Device mockDevice();

// How often the CPU has read elements of tensors on it, by whatever way.
int64_t mockReads();

}  // namespace satin
