// The operators of attack_steps.h: their arguments, and a kernel for each image of a batch.
#include "attack_steps.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "bump_move_kernel.h"
#include "greedy_step_kernel.h"
#include "l1_projection_kernel.h"
#include "mixed_projections_kernel.h"
#include "momentum_step_kernel.h"
#include "sparse_direction_kernel.h"
#include "square_kernel.h"

namespace satin {
namespace {

// The numbers of images, or of one number for each, one after the other.
template <typename Number>
struct Rows {
  Rows(const at::Tensor& tensor, at::IntArrayRef sizes) : tensor(tensor.detach().contiguous()) {
    TORCH_CHECK(tensor.sizes() == sizes, "Expected a tensor of shape ", sizes, " but received ", tensor.sizes(), ".");
    TORCH_CHECK(tensor.scalar_type() == c10::CppTypeToScalarType<Number>::value, "Expected ",
                c10::CppTypeToScalarType<Number>::value, " but received ", tensor.scalar_type(), ".");
    numbers = this->tensor.template data_ptr<Number>();
    count = tensor.numel() / std::max<int64_t>(1, tensor.size(0));
  }
  Number* operator[](int64_t image) const { return numbers + image * count; }

  at::Tensor tensor;
  Number* numbers;
  int64_t count;  // of each image
};
using Images = Rows<float>;

// Of one number for each image, whatever the dimensions of size 1.
template <typename Number>
Rows<Number> onePerImage(const at::Tensor& tensor, const Images& images) {
  return Rows<Number>(tensor.reshape({-1}), {images.tensor.size(0)});
}

// `step(image, scratch)` of every image, in order within each thread; `scratch` holds `scratchOf` numbers for one number of an image.
template <typename Number, typename Step>
void eachImage(const Images& images, int64_t scratchOf, const Step& step) {
  constexpr int64_t kWorthAThread = 16384;  // numbers
  const int64_t grain = std::max<int64_t>(1, kWorthAThread / std::max<int64_t>(1, images.count));
  at::parallel_for(0, images.tensor.size(0), grain, [&](int64_t begin, int64_t end) {
    std::vector<Number> scratch(scratchOf * images.count);
    for (int64_t image = begin; image < end; image++) step(image, scratch.data());
  });
}

// A window of each image: rows and columns of the first pixel, [N, 2].
struct Windows {
  Windows(const at::Tensor& firsts, int64_t side, const at::Tensor& images) : firsts(firsts, {images.size(0), 2}), side(side) {
    const int64_t height = images.size(2), width = images.size(3);
    for (int64_t image = 0; image < images.size(0); image++) {
      const Window window = (*this)[image];
      TORCH_CHECK(side >= 0 && window.top >= 0 && side <= height - window.top && window.left >= 0 && side <= width - window.left,
                  "Expected a window inside the image.");
    }
  }
  Window operator[](int64_t image) const { return {firsts[image][0], firsts[image][1], side}; }

  Rows<int64_t> firsts;
  int64_t side;
};

void requireImages(const at::Tensor& x) { TORCH_CHECK(x.dim() == 4, "Expected images [N, C, H, W] but received ", x.sizes(), "."); }

Images emptyLike(const Images& images) { return Images(at::empty_like(images.tensor), images.tensor.sizes()); }

}  // namespace

at::Tensor projectInL1Cpu(const at::Tensor& candidate, const at::Tensor& x, double epsilon) {
  const Images candidates(candidate, x.sizes()), origins(x, x.sizes()), points = emptyLike(origins);
  eachImage<double>(origins, 2, [&](int64_t image, double* scratch) {
    projectInL1(origins.count, candidates[image], origins[image], epsilon, scratch, points[image]);
  });
  return points.tensor;
}

at::Tensor sparseDirectionCpu(const at::Tensor& gradient, const at::Tensor& share) {
  const Images gradients(gradient, gradient.sizes()), directions = emptyLike(gradients);
  const auto shares = onePerImage<float>(share, gradients);
  eachImage<float>(gradients, 0, [&](int64_t image, float*) {
    sparseDirection(gradients.count, gradients[image], *shares[image], directions[image]);
  });
  return directions.tensor;
}

at::Tensor greedyStepCpu(const at::Tensor& x, const at::Tensor& w, const at::Tensor& excess) {
  const Images points(x, x.sizes()), weights(w, x.sizes()), steps = emptyLike(points);
  const auto excesses = onePerImage<float>(excess, points);
  eachImage<double>(points, 1, [&](int64_t image, double* scratch) {
    greedyStep(points.count, points[image], weights[image], *excesses[image], scratch, steps[image]);
  });
  return steps.tensor;
}

at::Tensor momentumStepCpu(const at::Tensor& x, const at::Tensor& previous, const at::Tensor& gradient, const at::Tensor& stepSize,
                           const at::Tensor& origin, double epsilon, double share, bool euclidean) {
  const Images points(x, x.sizes()), before(previous, x.sizes()), gradients(gradient, x.sizes()), origins(origin, x.sizes());
  const Images next = emptyLike(points);
  const auto stepSizes = onePerImage<float>(stepSize, points);
  eachImage<float>(points, euclidean ? 1 : 0, [&](int64_t image, float* scratch) {
    const Ascent at = {origins[image], points[image], before[image], gradients[image], *stepSizes[image]};
    momentumStep(euclidean, points.count, at, static_cast<float>(epsilon), static_cast<float>(share), scratch, next[image]);
  });
  return next.tensor;
}

at::Tensor mixProjectionsCpu(const at::Tensor& x, const at::Tensor& fromX, const at::Tensor& origin, const at::Tensor& fromOrigin,
                             const at::Tensor& alpha, double overshoot) {
  const Images points(x, x.sizes()), fromPoints(fromX, x.sizes()), origins(origin, x.sizes()), fromOrigins(fromOrigin, x.sizes());
  const Images mixed = emptyLike(points);
  const auto alphas = onePerImage<float>(alpha, points);
  eachImage<float>(points, 0, [&](int64_t image, float*) {
    const Projected at = {points[image], fromPoints[image], origins[image], fromOrigins[image]};
    mixProjections(points.count, at, static_cast<float>(overshoot), *alphas[image], mixed[image]);
  });
  return mixed.tensor;
}

at::Tensor changeSquareCpu(const at::Tensor& x, const at::Tensor& best, const at::Tensor& window, const at::Tensor& signs, int64_t side,
                           double epsilon) {
  requireImages(x);
  const int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
  const Images origins(x, x.sizes()), bests(best, x.sizes()), moved = emptyLike(origins);
  const Images changes(signs, {x.size(0), channels, 1, 1});
  const Windows windows(window, side, x);
  eachImage<float>(origins, 0, [&](int64_t image, float*) {
    for (int64_t channel = 0; channel < channels; channel++) {
      const int64_t at = channel * height * width;
      const float change = changes[image][channel] * static_cast<float>(2 * epsilon);
      changeSquare(height, width, windows[image], origins[image] + at, bests[image] + at, change, static_cast<float>(epsilon),
                   moved[image] + at);
    }
  });
  return moved.tensor;
}

at::Tensor moveBumpCpu(const at::Tensor& x, const at::Tensor& best, const at::Tensor& to, const at::Tensor& from, const at::Tensor& bump,
                       double epsilon, bool euclidean) {
  requireImages(x);
  TORCH_CHECK(bump.dim() == 4, "Expected bumps [N, C, side, side] but received ", bump.sizes(), ".");
  const int64_t channels = x.size(1), side = bump.size(3);
  const Images origins(x, x.sizes()), bests(best, x.sizes()), deltas = emptyLike(origins);
  const Images bumps(bump, {x.size(0), channels, side, side});
  const Windows targets(to, side, x), sources(from, side, x);
  eachImage<float>(origins, 1, [&](int64_t image, float* scratch) {
    const BumpMove move = {channels, x.size(2), x.size(3), targets[image], sources[image], bumps[image]};
    moveBump(euclidean, move, origins[image], bests[image], epsilon, scratch, deltas[image]);
  });
  return deltas.tensor;
}

at::Tensor chooseImagesCpu(const at::Tensor& chosen, const at::Tensor& yes, const at::Tensor& no) {
  const Images ifSo(yes, yes.sizes()), ifNot(no, yes.sizes()), images = emptyLike(ifSo);
  const auto isChosen = onePerImage<bool>(chosen, ifSo);
  eachImage<float>(ifSo, 0, [&](int64_t image, float*) {
    const float* from = *isChosen[image] ? ifSo[image] : ifNot[image];
    std::copy(from, from + images.count, images[image]);
  });
  return images.tensor;
}

}  // namespace satin
