// Every kernel of projection.cu and noise.cu.
#include "emulated_device.h"

#include "../../../native/cuda/noise.cu"
#include "../../../native/cuda/projection.cu"

namespace emulated {

void addOthers(Table& table) {
  using namespace satin;
  table["projection.cu stepToHyperplane<float, false>"] = start<StepToHyperplane, stepToHyperplane<float, false>>;
  table["projection.cu stepToHyperplane<float, true>"] = start<StepToHyperplane, stepToHyperplane<float, true>>;
  table["projection.cu stepToHyperplane<double, false>"] = start<StepToHyperplane, stepToHyperplane<double, false>>;
  table["projection.cu stepToHyperplane<double, true>"] = start<StepToHyperplane, stepToHyperplane<double, true>>;
  table["noise.cu drawNoise<float, false>"] = start<DrawNoise, drawNoise<float, false>>;
  table["noise.cu drawNoise<float, true>"] = start<DrawNoise, drawNoise<float, true>>;
  table["noise.cu drawNoise<double, false>"] = start<DrawNoise, drawNoise<double, false>>;
  table["noise.cu drawNoise<double, true>"] = start<DrawNoise, drawNoise<double, true>>;
}

}  // namespace emulated
