#include "jpeg.h"

#ifdef SATIN_LIBJPEG
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>
#endif

namespace satin {

#ifndef SATIN_LIBJPEG

std::string jpegVersion() { return ""; }
bool jpegSize(const uint8_t*, size_t, int*, int*) { return false; }
bool decodeJpeg(const uint8_t*, size_t, const Box&, int, int, uint8_t*) { return false; }

#else

namespace {

#define SATIN_TEXT(x) #x
#define SATIN_VALUE(x) SATIN_TEXT(x)

// libjpeg exits the process on an error unless a jump is installed.
struct Errors {
  jpeg_error_mgr base;  // first: libjpeg knows no more of it
  std::jmp_buf jump;
};

void leave(j_common_ptr info) { std::longjmp(reinterpret_cast<Errors*>(info->err)->jump, 1); }

// A complete file ends with the end marker, possibly followed by padding. The marker cannot occur within coded pixels.
bool hasEnd(const uint8_t* file, size_t length) {
  constexpr size_t kPadding = 512;
  for (size_t at = length; at >= 2 && length - at < kPadding; at--)
    if (file[at - 2] == 0xFF && file[at - 1] == JPEG_EOI) return true;
  return false;
}

// Opens `file` and does `read` with it: whether that was true, and nothing was wrong with the file. An error jumps out of
// `read`, which must hold nothing that has to be freed.
template <typename Read>
bool reading(const uint8_t* file, size_t length, Read read) {
  jpeg_decompress_struct info;
  Errors errors;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.output_message = [](j_common_ptr) {};  // warnings are counted
  info.mem = nullptr;                                // for jpeg_destroy, should it not come to more
  if (setjmp(errors.jump) == 0) {
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, const_cast<unsigned char*>(file), static_cast<unsigned long>(length));
    jpeg_read_header(&info, TRUE);
    const bool done = read(info) && errors.base.num_warnings == 0;
    jpeg_destroy_decompress(&info);
    return done;
  }
  jpeg_destroy(reinterpret_cast<j_common_ptr>(&info));
  return false;
}

}  // namespace

std::string jpegVersion() { return SATIN_VALUE(LIBJPEG_TURBO_VERSION); }

bool jpegSize(const uint8_t* file, size_t length, int* height, int* width) {
  if (length < 4 || file[0] != 0xFF || file[1] != 0xD8 || !hasEnd(file, length)) return false;
  return reading(file, length, [&](jpeg_decompress_struct& info) {
    *height = static_cast<int>(info.image_height);
    *width = static_cast<int>(info.image_width);
    const J_COLOR_SPACE space = info.jpeg_color_space;
    // Images beyond this size are refused elsewhere.
    const bool sensible = static_cast<uint64_t>(info.image_height) * info.image_width < (1u << 28);
    return sensible && (space == JCS_YCbCr || space == JCS_GRAYSCALE || space == JCS_RGB);
  });
}

bool decodeJpeg(const uint8_t* file, size_t length, const Box& box, int begin, int end, uint8_t* pixels) {
  return reading(file, length, [&](jpeg_decompress_struct& info) {
    const int64_t bottom = int64_t{box.top} + box.height, right = int64_t{box.left} + box.width;
    if (bottom > info.image_height || right > info.image_width) return false;
    info.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info);
    // Colours are interpolated between neighbours: at the edge of the decoded part they would have none. One block more on
    // each side makes up for it.
    const int64_t block = info.max_h_samp_factor * DCTSIZE;
    const int64_t from = std::max<int64_t>(0, box.left - block), to = std::min<int64_t>(info.output_width, right + block);
    JDIMENSION left = static_cast<JDIMENSION>(from), width = static_cast<JDIMENSION>(to - from);
    jpeg_crop_scanline(&info, &left, &width);
    JSAMPARRAY row = (*info.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&info), JPOOL_IMAGE, width * 3, 1);
    if (box.top + begin > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(box.top + begin));
    const uint8_t* inBox = row[0] + (static_cast<size_t>(box.left) - left) * 3;
    const size_t rowLength = static_cast<size_t>(box.width) * 3;
    for (int y = begin; y < end; y++) {
      jpeg_read_scanlines(&info, row, 1);
      std::memcpy(pixels + static_cast<size_t>(y) * rowLength, inBox, rowLength);
    }
    return true;
  });
}

#endif

}  // namespace satin
