#ifdef USE_C10D_GLOO
#include "small_all_reduce.h"

#include <gloo/allreduce_halving_doubling.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/store.h>
#include <gloo/transport/device.h>
#include <gloo/transport/pair.h>

#include <map>

namespace satin {
namespace {

using Context = gloo::rendezvous::Context;
using Device = std::shared_ptr<gloo::transport::Device>;
using Store = std::shared_ptr<gloo::rendezvous::Store>;

// Gloo took a reference at first, and takes a shared pointer since.
template <typename Any>
auto connectAll(Any& context, const Store& store, Device device, int) -> decltype(context.connectFullMesh(*store, device)) {
  return context.connectFullMesh(*store, device);
}
template <typename Any>
void connectAll(Any& context, const Store& store, Device device, long) {
  context.connectFullMesh(store, device);
}

// A single thread both sends and reads what the other ranks sent.
class GlooSmallAllReduce final : public SmallAllReduce {
 public:
  explicit GlooSmallAllReduce(const SmallAllReduceOptions& options) : context(std::make_shared<Context>(options.rank, options.size)) {
    connectAll(*context, options.store, options.device, 0);
    for (int other = 0; other < options.size; other++)
      if (other != options.rank) context->getPair(other)->setSync(true, options.spins);
  }

  void run(std::vector<double>& numbers) override {
    if (numbers.empty()) return;
    Sum& sum = sums[numbers.size()];
    if (sum.algorithm == nullptr) {
      sum.numbers.resize(numbers.size());
      sum.algorithm = std::make_unique<gloo::AllreduceHalvingDoubling<double>>(
          context, std::vector<double*>{sum.numbers.data()}, static_cast<int>(numbers.size()));
    }
    sum.numbers = numbers;
    sum.algorithm->run();
    numbers = sum.numbers;
  }

 private:
  // What Gloo keeps for sums of one length.
  struct Sum {
    std::vector<double> numbers;
    std::unique_ptr<gloo::Algorithm> algorithm;
  };
  const std::shared_ptr<Context> context;
  std::map<size_t, Sum> sums;
};

}  // namespace

std::unique_ptr<SmallAllReduce> connectSmallAllReduce(const SmallAllReduceOptions& options) { return std::make_unique<GlooSmallAllReduce>(options); }

}  // namespace satin
#endif
