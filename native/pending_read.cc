// Reads of tensors that are begun now and waited for later, so that the card goes on meanwhile.
#include <ATen/ATen.h>

#include <map>

#ifdef SATIN_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include "device.h"
#include "tensor.h"

namespace satin {
namespace {

// A copy on the CPU that may not have arrived yet.
struct PendingRead {
  at::Tensor copy;
#ifdef SATIN_CUDA
  cudaEvent_t arrived = nullptr;
#endif
};

std::map<int64_t, PendingRead>& pendingReads() {
  static auto* instance = new std::map<int64_t, PendingRead>();
  return *instance;
}

PendingRead begun(const at::Tensor& source) {
  PendingRead read;
  read.copy = emptyForUpload(source.sizes(), source.scalar_type(), source.device());
  read.copy.copy_(source.detach(), /*non_blocking=*/true);
#ifdef SATIN_CUDA
  if (source.is_cuda()) {
    const c10::cuda::CUDAGuard guard(source.device());
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&read.arrived, cudaEventDisableTiming));
    C10_CUDA_CHECK(cudaEventRecord(read.arrived, c10::cuda::getCurrentCUDAStream()));
  }
#endif
  return read;
}

void wait(PendingRead& read) {
#ifdef SATIN_CUDA
  if (read.arrived == nullptr) return;
  C10_CUDA_CHECK(cudaEventSynchronize(read.arrived));
  C10_CUDA_CHECK(cudaEventDestroy(read.arrived));
  read.arrived = nullptr;
#else
  static_cast<void>(read);
#endif
}

}  // namespace

// beginRead(handle) -> a number for finishRead
napi_value beginRead(Arguments& arguments) {
  static int64_t next = 0;
  const at::Tensor& source = tensorOf(arguments.env, arguments.values[0], "the tensor to read");
  pendingReads().emplace(next, begun(source));
  return fromNumber(arguments.env, static_cast<double>(next++));
}

// finishRead(number) -> the elements as they were at beginRead, as readData returns them; once
napi_value finishRead(Arguments& arguments) {
  const auto found = pendingReads().find(arguments.integer(0, "the read"));
  if (found == pendingReads().end()) throw Disposed("Expected a read that was begun but received one that is finished.");
  wait(found->second);
  const at::Tensor copy = std::move(found->second.copy);
  pendingReads().erase(found);
  return toArray(arguments.env, copy);
}

}  // namespace satin
