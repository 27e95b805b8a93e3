// What follows the products of a step in an execution plan, over plain arrays: [rows, channels].
#pragma once

#include <cstdint>

namespace satin {

// z = x · scale + shift + other; null is 1 for the scale, which comes with a shift, and 0 for the others. x and z may be the same
// array.
void addPerChannel(int64_t rows, int64_t channels, const float* x, const float* scale, const float* shift, const float* other, float* z);

// g = (x + other) · slopes; a null other is 0, null slopes are 1. x and g may be the same array.
void timesSlopes(int64_t n, const float* x, const float* other, const float* slopes, float* g);

// x *= factor per channel
void scaleChannels(int64_t rows, int64_t channels, const float* factor, float* x);

// Mean over the rows; and of the gradient of a mean over `all` rows some of them.
void meanOfRows(int64_t rows, int64_t channels, const float* x, float* mean);
void spreadOverRows(int64_t all, int64_t rows, int64_t channels, const float* dMean, float* dx);

// open = σ(gate)
void openGate(int64_t channels, const float* gate, float* open);
// y = x · open per channel. `saved`, unless it is null, gets x · open · (1 − open): x times the slope of the sigmoid.
void passGate(int64_t rows, int64_t channels, const float* x, const float* open, float* y, float* saved);
// sum = Σ over the rows of a · b
void sumOfProducts(int64_t rows, int64_t channels, const float* a, const float* b, float* sum);

// The maximum of each window of x [height, width, channels], and its place, row · width + column, as bits; the first of equals.
// Places beyond the edge count for nothing.
struct Windows {
  int64_t height, width, channels, kernel, stride, top, left, outHeight, outWidth;
};
void maxOfWindows(const Windows& windows, const float* x, float* y, float* places);
// dx[place] = the sum of dy of the windows whose maximum was there.
void spreadToMaxima(const Windows& windows, const float* dy, const float* places, float* dx);

// Between [channels, places] and [places, channels]: x · scale + shift per channel; a null scale is 1, a null shift 0.
void toChannelsLast(int64_t channels, int64_t places, const float* x, const float* scale, const float* shift, float* y);
void toChannelsFirst(int64_t channels, int64_t places, const float* x, const float* scale, float* y);

}  // namespace satin
