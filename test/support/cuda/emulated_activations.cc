// Every kernel of activation.cu.
#include "emulated_device.h"

#include "../../../native/cuda/activation.cu"

namespace emulated {
namespace {

using namespace satin;

template <template <typename> class F, typename Storage>
void add(Table& table, const std::string& name, const std::string& storage) {
  const std::string arguments = name + ", " + storage;
  table["activation.cu activateForward<" + arguments + ">"] = start<ActivateForward, activateForward<F, Storage>>;
  table["activation.cu activateBackward<" + arguments + ", false>"] = start<ActivateBackward, activateBackward<F, Storage, false>>;
  if constexpr (satin::Kind<F>::kCoefficients > 0)
    table["activation.cu activateBackward<" + arguments + ", true>"] = start<ActivateBackward, activateBackward<F, Storage, true>>;
}

}  // namespace

void addActivations(Table& table) {
#define SATIN_ADD(NAME, NUMBER, TEXT, COEFFICIENTS)  \
  add<NAME, float>(table, #NAME, "float");           \
  add<NAME, double>(table, #NAME, "double");         \
  add<NAME, BFloat16>(table, #NAME, "BFloat16");     \
  add<NAME, Half>(table, #NAME, "Half");
  SATIN_ACTIVATIONS(SATIN_ADD)
  table["activation.cu sumCoefficients<float>"] = start<SumCoefficients, sumCoefficients<float>>;
  table["activation.cu sumCoefficients<double>"] = start<SumCoefficients, sumCoefficients<double>>;
}

}  // namespace emulated
