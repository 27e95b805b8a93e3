#include "resample_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "simd.h"

namespace satin {
namespace {

// Pillow's Resample.c: weights are rounded to this many fractional bits, each of the two passes rounds to bytes, and the
// filter widens with the reduction (antialiasing). Sums of whole numbers do not depend on their order.
constexpr int kBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kBits - 1);

double bilinear(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// For each place of the window: the first place of the source that counts, how many do, and their weights.
struct Taps {
  std::vector<int> first, count;
  std::vector<int32_t> weights;
  int most;
};

// OpenCV's INTER_CUBIC: four places of the source however much it is reduced (no antialiasing), the cubic of a = -0.75, in
// float; a place beyond the edge is the one at the edge. Weights have 11 fractional bits and the pass across rounds
// nothing, so that both passes together have kBits.
constexpr int kOpencvBits = kBits / 2;

Taps opencvTapsOf(int length, int full, int start, int window) {
  constexpr int most = 4;
  constexpr float a = -0.75f;
  const double scale = 1 / (static_cast<double>(full) / length);
  Taps taps = {std::vector<int>(window), std::vector<int>(window), {}, most};
  taps.weights.assign(static_cast<size_t>(window) * most, 0);
  for (int place = 0; place < window; place++) {
    const float centre = static_cast<float>((start + place + 0.5) * scale - 0.5);
    const int before = static_cast<int>(std::floor(centre));
    const float x = centre - before;
    float exact[most];
    exact[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    exact[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    exact[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    exact[3] = 1 - exact[0] - exact[1] - exact[2];
    const auto inside = [length](int at) { return std::min(length - 1, std::max(0, at)); };
    const int first = inside(before - 1);
    for (int i = 0; i < most; i++)
      taps.weights[static_cast<size_t>(place) * most + inside(before - 1 + i) - first] +=
          static_cast<int32_t>(std::nearbyint(exact[i] * (1 << kOpencvBits)));
    taps.first[place] = first;
    taps.count[place] = inside(before + 2) - first + 1;
  }
  return taps;
}

Taps tapsOf(int length, int full, int start, int window, Filter filter) {
  if (filter == Filter::kOpencvCubic) return opencvTapsOf(length, full, start, window);
  const double scale = static_cast<double>(length) / full, wide = std::max(scale, 1.0);
  const double support = (filter == Filter::kBilinear ? 1.0 : 2.0) * wide;
  Taps taps = {std::vector<int>(window), std::vector<int>(window), {}, static_cast<int>(std::ceil(support)) * 2 + 1};
  taps.weights.assign(static_cast<size_t>(window) * taps.most, 0);
  std::vector<double> exact(taps.most);
  for (int place = 0; place < window; place++) {
    const double centre = (start + place + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int count = std::min(length, static_cast<int>(centre + support + 0.5)) - first;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      const double x = (i + first - centre + 0.5) * (1.0 / wide);
      exact[i] = filter == Filter::kBilinear ? bilinear(x) : bicubic(x);
      sum += exact[i];
    }
    for (int i = 0; i < count; i++) {
      const double weight = (sum != 0 ? exact[i] / sum : exact[i]) * (1 << kBits);
      taps.weights[static_cast<size_t>(place) * taps.most + i] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.first[place] = first;
    taps.count[place] = count;
  }
  return taps;
}

SATIN_INLINE uint8_t toByte(int32_t sum) { return static_cast<uint8_t>(std::min(255, std::max(0, sum >> kBits))); }

typedef uint8_t Bytes __attribute__((vector_size(4)));
typedef uint8_t Register __attribute__((vector_size(16)));
typedef int32_t Numbers __attribute__((vector_size(16)));

// Four bytes as four numbers. Spelt as a shuffle: of a conversion GCC makes eight scalar instructions.
SATIN_INLINE Numbers widen(const uint8_t* from) {
  uint32_t word;
  std::memcpy(&word, from, 4);
  const Register bytes = (Register)(Numbers{static_cast<int32_t>(word), 0, 0, 0});
#ifdef __clang__
  return (Numbers)__builtin_shufflevector(bytes, bytes, 0, 4, 4, 4, 1, 4, 4, 4, 2, 4, 4, 4, 3, 4, 4, 4);
#else
  return (Numbers)__builtin_shuffle(bytes, Register{0, 4, 4, 4, 1, 4, 4, 4, 2, 4, 4, 4, 3, 4, 4, 4});
#endif
}

// One row [width, 3] to the window's places, four bytes each: the fourth is ignored. A pixel is loaded with the byte
// that follows it, so `row` has one more.
SATIN_CLONES void reduceRow(const uint8_t* __restrict row, const int* __restrict first, const int* __restrict count,
                            const int32_t* __restrict weights, int most, int window, uint8_t* __restrict out) {
  const Numbers none = {0, 0, 0, 0}, whole = {255, 255, 255, 255};
  for (int place = 0; place < window; place++) {
    Numbers sum = {kHalf, kHalf, kHalf, kHalf};
    const uint8_t* from = row + 3 * static_cast<size_t>(first[place]);
    const int32_t* weight = weights + static_cast<size_t>(place) * most;
    for (int i = 0; i < count[place]; i++) sum += widen(from + 3 * i) * weight[i];
    sum >>= kBits;
    sum = sum < none ? none : sum;
    sum = sum > whole ? whole : sum;
    const Bytes bytes = __builtin_convertvector(sum, Bytes);
    std::memcpy(out + 4 * static_cast<size_t>(place), &bytes, 4);
  }
}

// The same without rounding, four numbers each: at most 1.375 * 255 * 2^11 in magnitude, 1.375 the sum of the cubic's
// magnitudes, and times 1.375 * 2^11 in the columns still an int32.
SATIN_CLONES void reduceRow(const uint8_t* __restrict row, const int* __restrict first, const int* __restrict count,
                            const int32_t* __restrict weights, int most, int window, int32_t* __restrict out) {
  for (int place = 0; place < window; place++) {
    Numbers sum = {0, 0, 0, 0};
    const uint8_t* from = row + 3 * static_cast<size_t>(first[place]);
    const int32_t* weight = weights + static_cast<size_t>(place) * most;
    for (int i = 0; i < count[place]; i++) sum += widen(from + 3 * i) * weight[i];
    std::memcpy(out + 4 * static_cast<size_t>(place), &sum, sizeof sum);
  }
}

// A row of the window from `count` rows of `length` numbers.
SATIN_CLONES void reduceColumns(const int32_t* __restrict rows, int count, const int32_t* __restrict weights, int length,
                                uint8_t* __restrict out) {
  for (int x = 0; x < length; x++) {
    int32_t sum = kHalf;
    for (int i = 0; i < count; i++) sum += rows[static_cast<size_t>(i) * length + x] * weights[i];
    out[x] = toByte(sum);
  }
}

// A row of the window from `count` rows of `length` bytes.
SATIN_CLONES void reduceColumns(const uint8_t* __restrict rows, int count, const int32_t* __restrict weights, int length,
                                uint8_t* __restrict out) {
  constexpr int kBlock = 32;
  int x = 0;
  for (; x + kBlock <= length; x += kBlock) {
    int32_t sum[kBlock];
    for (int lane = 0; lane < kBlock; lane++) sum[lane] = kHalf;
    for (int i = 0; i < count; i++) {
      const uint8_t* from = rows + static_cast<size_t>(i) * length + x;
      const int32_t weight = weights[i];
      for (int lane = 0; lane < kBlock; lane++) sum[lane] += from[lane] * weight;
    }
    for (int lane = 0; lane < kBlock; lane++) out[x + lane] = toByte(sum[lane]);
  }
  for (; x < length; x++) {
    int32_t sum = kHalf;
    for (int i = 0; i < count; i++) sum += rows[static_cast<size_t>(i) * length + x] * weights[i];
    out[x] = toByte(sum);
  }
}

void mirror(uint8_t* pixels, int window) {
  uint32_t left, right;
  for (int x = 0, y = window - 1; x < y; x++, y--) {
    std::memcpy(&left, pixels + 4 * x, 4);
    std::memcpy(&right, pixels + 4 * y, 4);
    std::memcpy(pixels + 4 * x, &right, 4);
    std::memcpy(pixels + 4 * y, &left, 4);
  }
}

// [window, 4] to three rows, `plane` bytes apart.
SATIN_CLONES void split(const uint8_t* __restrict pixels, int window, size_t plane, uint8_t* __restrict out) {
  uint8_t *red = out, *green = out + plane, *blue = out + 2 * plane;
  for (int x = 0; x < window; x++) {
    red[x] = pixels[4 * x];
    green[x] = pixels[4 * x + 1];
    blue[x] = pixels[4 * x + 2];
  }
}

int beginOf(const Taps& down) { return down.first.front(); }

int endOf(const Taps& down) { return down.first.back() + down.count.back(); }

Taps downOf(const Resampling& how) { return tapsOf(how.height, how.fullHeight, how.top, how.windowHeight, how.filter); }

}  // namespace

void rowsOf(const Resampling& how, int* begin, int* end) {
  const Taps down = downOf(how);
  *begin = beginOf(down);
  *end = endOf(down);
}

namespace {

// `Value`: what a row of the window is between the passes, bytes or unrounded numbers.
template <typename Value>
void resampleBy(const Resampling& how, const uint8_t* source, uint8_t* target) {
  const Taps across = tapsOf(how.width, how.fullWidth, how.left, how.windowWidth, how.filter);
  const Taps down = downOf(how);
  const int begin = beginOf(down), rows = endOf(down) - begin;
  const size_t sourceLength = static_cast<size_t>(how.width) * 3, length = static_cast<size_t>(how.windowWidth) * 4;
  // A pixel is loaded with the byte that follows it.
  std::vector<uint8_t> row(sourceLength + 1), done(length);
  std::vector<Value> reduced(rows * length);
  for (int y = 0; y < rows; y++) {
    std::memcpy(row.data(), source + static_cast<size_t>(begin + y) * sourceLength, sourceLength);
    reduceRow(row.data(), across.first.data(), across.count.data(), across.weights.data(), across.most, how.windowWidth,
              reduced.data() + static_cast<size_t>(y) * length);
  }
  const size_t plane = static_cast<size_t>(how.windowHeight) * how.windowWidth;
  for (int y = 0; y < how.windowHeight; y++) {
    reduceColumns(reduced.data() + static_cast<size_t>(down.first[y] - begin) * length, down.count[y],
                  down.weights.data() + static_cast<size_t>(y) * down.most, static_cast<int>(length), done.data());
    if (how.flip) mirror(done.data(), how.windowWidth);
    split(done.data(), how.windowWidth, plane, target + static_cast<size_t>(y) * how.windowWidth);
  }
}

}  // namespace

void resample(const Resampling& how, const uint8_t* source, uint8_t* target) {
  if (how.filter == Filter::kOpencvCubic)
    resampleBy<int32_t>(how, source, target);
  else
    resampleBy<uint8_t>(how, source, target);
}

}  // namespace satin
