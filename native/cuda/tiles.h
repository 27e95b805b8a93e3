// How the threads of a grid share out [rows, channels], the memory of a tensor with channels last. A thread has a pack of
// neighbouring channels and goes down the rows, so that numbers a channel stay in registers and sums need no atomics.
#pragma once

#include "block.h"

namespace satin {

// Channels that a thread takes at once, where their number allows it.
constexpr int kChannelPack = 4;

struct Tiles {
  int64_t rows;
  int64_t channels;
  int32_t columns;  // packs beside each other in a block; blockIdx.y counts groups of columns
  int32_t lanes;    // rows below each other in a block; columns * lanes <= kThreads
};

struct TileGrid {
  Tiles tiles;
  int64_t rowBlocks;      // gridDim.x
  int64_t channelBlocks;  // gridDim.y
};

// Grids of about `blocks` blocks whose threads have at least `rowsEach` rows, if there are as many. A function of the shape
// alone: sums do not depend on the card.
inline TileGrid tileGrid(int64_t rows, int64_t channels, int pack, int64_t rowsEach, int64_t blocks) {
  const auto divided = [](int64_t number, int64_t by) { return (number + by - 1) / by; };
  const int64_t packs = channels / pack, channelBlocks = divided(packs, kThreads), columns = divided(packs, channelBlocks);
  const int64_t lanes = kThreads / columns, wanted = divided(rows, lanes * rowsEach);
  const int64_t most = blocks / channelBlocks > 0 ? blocks / channelBlocks : 1;
  return {{rows, channels, static_cast<int32_t>(columns), static_cast<int32_t>(lanes)}, wanted < most ? wanted : most, channelBlocks};
}

#ifdef SATIN_DEVICE_CODE

// The part of a thread.
template <int kPack>
struct Part {
  SATIN_INLINE explicit Part(const Tiles& tiles) {
    const int thread = static_cast<int>(threadIdx.x);
    lane = thread / tiles.columns;
    const int64_t column = static_cast<int64_t>(blockIdx.y) * tiles.columns + thread % tiles.columns;
    isUsed = lane < tiles.lanes && column * kPack < tiles.channels;
    channel = column * kPack;
    row = static_cast<int64_t>(blockIdx.x) * tiles.lanes + lane;
    step = static_cast<int64_t>(gridDim.x) * tiles.lanes;
  }
  int lane;
  bool isUsed;      // else the thread only takes part in sums, with zeros
  int64_t channel;  // its first channel
  int64_t row;      // its first row
  int64_t step;     // to its next row
};

#endif

}  // namespace satin
