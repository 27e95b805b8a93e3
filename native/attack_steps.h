// The attacks' own arithmetic on the CPU, in float32: what src/attacks/ composes of libtorch's operators elsewhere.
#pragma once

#include <ATen/core/Tensor.h>

namespace satin {

// Images are [N, C, H, W]; what there is one of for each image has N numbers; the first pixel of a window is int64 [N, 2]. Results are contiguous, and no gradient flows.
at::Tensor projectInL1Cpu(const at::Tensor& candidate, const at::Tensor& x, double epsilon);
at::Tensor sparseDirectionCpu(const at::Tensor& gradient, const at::Tensor& share);
at::Tensor greedyStepCpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess);
at::Tensor momentumStepCpu(const at::Tensor& x, const at::Tensor& previous, const at::Tensor& gradient, const at::Tensor& stepSize,
                           const at::Tensor& origin, double epsilon, double share, bool euclidean);
at::Tensor mixProjectionsCpu(const at::Tensor& x, const at::Tensor& fromX, const at::Tensor& origin, const at::Tensor& fromOrigin,
                             const at::Tensor& alpha, double overshoot);
at::Tensor changeSquareCpu(const at::Tensor& x, const at::Tensor& best, const at::Tensor& window, const at::Tensor& signs, int64_t side,
                           double epsilon);
// δ of the next point, before it is brought into ball and box.
at::Tensor moveBumpCpu(const at::Tensor& x, const at::Tensor& best, const at::Tensor& to, const at::Tensor& from, const at::Tensor& bump,
                       double epsilon, bool euclidean);
at::Tensor chooseImagesCpu(const at::Tensor& chosen, const at::Tensor& yes, const at::Tensor& no);

}  // namespace satin
