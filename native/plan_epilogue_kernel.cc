#include "plan_epilogue_kernel.h"

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace satin {

namespace {

// work(i) for i below n, which touches nothing but the numbers i: x and z may be the same array, so they are not __restrict.
// Sixteen at a time are one vector or a few, without the code that a loop of unknown length has around it.
template <typename Work>
SATIN_INLINE void each(int64_t n, const Work& work) {
  int64_t begin = 0;
  for (; begin + 16 <= n; begin += 16) {
#pragma GCC ivdep
    for (int64_t i = begin; i < begin + 16; i++) work(i);
  }
  for (; begin < n; begin++) work(begin);
}

template <typename Term>
SATIN_INLINE void addRows(int64_t rows, int64_t channels, const float* other, float* z, const Term& term) {
  for (int64_t first = 0; first < rows * channels; first += channels) {
    if (other == nullptr) each(channels, [&](int64_t c) { z[first + c] = term(first, c); });
    else each(channels, [&](int64_t c) { z[first + c] = term(first, c) + other[first + c]; });
  }
}

}  // namespace

SATIN_CLONES void addPerChannel(int64_t rows, int64_t channels, const float* x, const float* scale, const float* shift, const float* other,
                                float* z) {
  if (scale != nullptr) addRows(rows, channels, other, z, [&](int64_t first, int64_t c) { return x[first + c] * scale[c] + shift[c]; });
  else if (shift != nullptr) addRows(rows, channels, other, z, [&](int64_t first, int64_t c) { return x[first + c] + shift[c]; });
  else addRows(rows, channels, other, z, [&](int64_t first, int64_t c) { return x[first + c]; });
}

SATIN_CLONES void timesSlopes(int64_t n, const float* x, const float* other, const float* slopes, float* g) {
  if (other != nullptr && slopes != nullptr) each(n, [&](int64_t i) { g[i] = (x[i] + other[i]) * slopes[i]; });
  else if (slopes != nullptr) each(n, [&](int64_t i) { g[i] = x[i] * slopes[i]; });
  else if (other != nullptr) each(n, [&](int64_t i) { g[i] = x[i] + other[i]; });
  else if (x != g) std::copy(x, x + n, g);
}

SATIN_CLONES void scaleChannels(int64_t rows, int64_t channels, const float* factor, float* x) {
  for (int64_t row = 0; row < rows; row++, x += channels)
    for (int64_t c = 0; c < channels; c++) x[c] *= factor[c];
}

SATIN_CLONES void meanOfRows(int64_t rows, int64_t channels, const float* x, float* mean) {
  std::fill(mean, mean + channels, 0.0f);
  for (int64_t row = 0; row < rows; row++, x += channels)
    for (int64_t c = 0; c < channels; c++) mean[c] += x[c];
  for (int64_t c = 0; c < channels; c++) mean[c] /= static_cast<float>(rows);
}

SATIN_CLONES void spreadOverRows(int64_t all, int64_t rows, int64_t channels, const float* dMean, float* dx) {
  const float share = 1.0f / static_cast<float>(all);
  for (int64_t row = 0; row < rows; row++, dx += channels)
    for (int64_t c = 0; c < channels; c++) dx[c] = dMean[c] * share;
}

void openGate(int64_t channels, const float* gate, float* open) {
  for (int64_t c = 0; c < channels; c++) open[c] = 1.0f / (1.0f + std::exp(-gate[c]));
}

SATIN_CLONES void passGate(int64_t rows, int64_t channels, const float* x, const float* open, float* y, float* saved) {
  for (int64_t first = 0; first < rows * channels; first += channels) {
    if (saved != nullptr) each(channels, [&](int64_t c) { saved[first + c] = x[first + c] * (open[c] * (1.0f - open[c])); });
    each(channels, [&](int64_t c) { y[first + c] = x[first + c] * open[c]; });
  }
}

SATIN_CLONES void sumOfProducts(int64_t rows, int64_t channels, const float* a, const float* b, float* sum) {
  std::fill(sum, sum + channels, 0.0f);
  for (int64_t first = 0; first < rows * channels; first += channels)
    each(channels, [&](int64_t c) { sum[c] += a[first + c] * b[first + c]; });
}

void maxOfWindows(const Windows& w, const float* x, float* y, float* places) {
  for (int64_t row = 0; row < w.outHeight; row++)
    for (int64_t column = 0; column < w.outWidth; column++, y += w.channels, places += w.channels) {
      bool isFirst = true;
      for (int64_t r = std::max<int64_t>(0, row * w.stride - w.top); r < std::min(w.height, row * w.stride - w.top + w.kernel); r++)
        for (int64_t c = std::max<int64_t>(0, column * w.stride - w.left); c < std::min(w.width, column * w.stride - w.left + w.kernel); c++) {
          const int64_t place = r * w.width + c;
          const float* from = x + place * w.channels;
          const float bits = numberOf(static_cast<uint32_t>(place));
          for (int64_t channel = 0; channel < w.channels; channel++) {
            // NaN is larger than any number, as in libtorch.
            const bool isLarger = isFirst || from[channel] > y[channel] || from[channel] != from[channel];
            y[channel] = isLarger ? from[channel] : y[channel];
            places[channel] = isLarger ? bits : places[channel];
          }
          isFirst = false;
        }
    }
}

void spreadToMaxima(const Windows& w, const float* dy, const float* places, float* dx) {
  std::fill(dx, dx + w.height * w.width * w.channels, 0.0f);
  for (int64_t window = 0; window < w.outHeight * w.outWidth; window++, dy += w.channels, places += w.channels)
    for (int64_t channel = 0; channel < w.channels; channel++) {
      const int64_t place = std::min<int64_t>(bitsOf(places[channel]), w.height * w.width - 1);
      dx[place * w.channels + channel] += dy[channel];
    }
}

void toChannelsLast(int64_t channels, int64_t places, const float* x, const float* scale, const float* shift, float* y) {
  for (int64_t c = 0; c < channels; c++) {
    const float factor = scale == nullptr ? 1.0f : scale[c], term = shift == nullptr ? 0.0f : shift[c];
    for (int64_t place = 0; place < places; place++) y[place * channels + c] = x[c * places + place] * factor + term;
  }
}

void toChannelsFirst(int64_t channels, int64_t places, const float* x, const float* scale, float* y) {
  for (int64_t c = 0; c < channels; c++) {
    const float factor = scale == nullptr ? 1.0f : scale[c];
    for (int64_t place = 0; place < places; place++) y[c * places + place] = x[place * channels + c] * factor;
  }
}

}  // namespace satin
