// JPEG files to pixels by libjpeg-turbo: the pixels of Pillow and sharp, which use it too. No torch headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace satin {

struct Box {
  int top, left, height, width;
};

// The version of libjpeg-turbo that this was compiled with; empty where there was none, and then nothing is decoded.
std::string jpegVersion();

// Height and width of a JPEG file that `decodeJpeg` can be tried on. False for all that is better left to a decoder that
// judges and names damage: other formats, files without their end, colours that are no RGB, grey or YCbCr.
bool jpegSize(const uint8_t* file, size_t length, int* height, int* width);

// The rows `begin` to `end` of the box as bytes [box.height, box.width, 3]; the other rows of `pixels` are not written. Only
// what the box needs is decoded: nothing below it, and of the rest just enough to go on. False where the file is
// damaged, or too small for the box.
bool decodeJpeg(const uint8_t* file, size_t length, const Box& box, int begin, int end, uint8_t* pixels);

}  // namespace satin
