// Every kernel of norm_activate.cu.
#include "emulated_device.h"

#include "../../../native/cuda/norm_activate.cu"

namespace emulated {
namespace {

using namespace satin;

std::string text(bool value) { return value ? "true" : "false"; }

template <template <typename> class F, typename Storage, bool kResidual, int kPack>
void addKind(Table& table, const std::string& name, const std::string& storage) {
  const std::string file = "norm_activate.cu ", shared = "<" + name + ", " + storage + ", " + text(kResidual) + ", " + std::to_string(kPack);
  table[file + "normActivateForward" + shared + ">"] = start<NormActivateForward, normActivateForward<F, Storage, kResidual, kPack>>;
  table[file + "normActivateSums" + shared + ", false>"] = start<NormActivateSums, normActivateSums<F, Storage, kResidual, kPack, false>>;
  if constexpr (satin::Kind<F>::kCoefficients > 0)
    table[file + "normActivateSums" + shared + ", true>"] = start<NormActivateSums, normActivateSums<F, Storage, kResidual, kPack, true>>;
  table[file + "normActivateBackward" + shared + ", false>"] =
      start<NormActivateBackward, normActivateBackward<F, Storage, kResidual, kPack, false>>;
  table[file + "normActivateBackward" + shared + ", true>"] =
      start<NormActivateBackward, normActivateBackward<F, Storage, kResidual, kPack, true>>;
}

template <typename Storage, int kPack>
void addPack(Table& table, const std::string& storage) {
  table["norm_activate.cu channelMoments<" + storage + ", " + std::to_string(kPack) + ">"] =
      start<ChannelMoments, channelMoments<Storage, kPack>>;
#define SATIN_ADD(NAME, NUMBER, TEXT, COEFFICIENTS)              \
  addKind<NAME, Storage, false, kPack>(table, #NAME, storage);   \
  addKind<NAME, Storage, true, kPack>(table, #NAME, storage);
  SATIN_ACTIVATIONS(SATIN_ADD)
}

template <typename Storage>
void addStorage(Table& table, const std::string& storage) {
  table["norm_activate.cu normStatistics<" + storage + ">"] = start<NormStatistics, normStatistics<Storage>>;
  addPack<Storage, 1>(table, storage);
  addPack<Storage, 4>(table, storage);
}

}  // namespace

void addNorms(Table& table) {
  table["norm_activate.cu normGradients"] = start<NormGradients, normGradients>;
  addStorage<float>(table, "float");
  addStorage<BFloat16>(table, "BFloat16");
}

}  // namespace emulated
