// Resizing on a thread of libuv's pool, where images are decoded too, without blocking the main thread.
#include "resample_kernel.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "napi_convert.h"
#include "jpeg.h"

namespace satin {
namespace {

// The thread works on copies: JavaScript may take the memory of an array away at any time, by a transfer of its buffer.
struct Job {
  Resampling how;
  std::vector<uint8_t> source;  // pixels, or the JPEG file of which they are the box
  std::optional<Box> box;
  std::vector<uint8_t> result;
  napi_ref target = nullptr;
  size_t offset = 0;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  bool declined = false, failed = false;
};

// Decodes the rows that the window needs and resizes them, or says that it cannot.
bool decodeAndResample(Job& job) {
  const Box& box = *job.box;
  // Not a vector: the rows that are not needed are never touched.
  const std::unique_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(box.height) * box.width * 3]);
  int begin, end;
  rowsOf(job.how, &begin, &end);
  if (!decodeJpeg(job.source.data(), job.source.size(), box, begin, end, pixels.get())) return false;
  resample(job.how, pixels.get(), job.result.data());
  return true;
}

void execute(napi_env, void* data) {
  Job& job = *static_cast<Job*>(data);
  try {
    if (job.box.has_value())
      job.declined = !decodeAndResample(job);
    else
      resample(job.how, job.source.data(), job.result.data());
  } catch (...) {
    job.failed = true;
  }
}

// Whether the target still has room for the result, which is then copied to it.
bool deliver(napi_env env, const Job& job) {
  napi_value target = nullptr;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_reference_value(env, job.target, &target) != napi_ok ||
      napi_get_typedarray_info(env, target, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      data == nullptr || job.offset + job.result.size() > length)
    return false;
  std::copy(job.result.begin(), job.result.end(), static_cast<uint8_t*>(data) + job.offset);
  return true;
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  const bool isDone = status == napi_ok && !job->failed;
  const bool isDelivered = isDone && (job->declined || deliver(env, *job));
  napi_delete_reference(env, job->target);
  napi_delete_async_work(env, job->work);
  if (isDelivered) {
    napi_resolve_deferred(env, job->deferred, fromBoolean(env, !job->declined));
    return;
  }
  napi_value error = nullptr;
  const char* const why = isDone ? "Expected the target of an image to stay where it is until the image is resized."
                                 : "Not enough memory to resize an image.";
  napi_create_error(env, nullptr, fromText(env, why), &error);
  napi_reject_deferred(env, job->deferred, error);
}

// As in sharp.
constexpr int64_t kMostPixels = 0x3fff * 0x3fff;

std::vector<uint8_t> copyOf(const ByteArray& bytes) { return {bytes.data, bytes.data + bytes.length}; }

// Arguments from the second on: the sizes, filter, flip, target, offset.
std::unique_ptr<Job> jobOf(Arguments& arguments) {
  const std::vector<int64_t> sizes = arguments.integers(1, "the sizes");
  const std::string filter = arguments.text(2, "the filter");
  const ByteArray target = arguments.bytes(4, "target");
  const int64_t offset = arguments.integer(5, "offset");
  const bool isOpencv = filter == "opencv-cubic";
  if (!isOpencv && filter != "bilinear" && filter != "bicubic")
    throw WrongArgument("Expected bilinear, bicubic or opencv-cubic for the filter but received '" + filter + "'.");
  if (sizes.size() != 8) throw WrongArgument("Expected eight sizes but received " + std::to_string(sizes.size()) + ".");
  for (size_t i = 0; i < 8; i++)
    if (sizes[i] < (i == 4 || i == 5 ? 0 : 1) || sizes[i] > 65535)
      throw WrongArgument("Expected sizes from 1 to 65535 but received " + std::to_string(sizes[i]) + ".");
  if (sizes[4] + sizes[6] > sizes[2] || sizes[5] + sizes[7] > sizes[3])
    throw WrongArgument("Expected a window within the resized image.");
  if (sizes[0] * sizes[1] > kMostPixels || sizes[2] * sizes[3] > kMostPixels)
    throw WrongArgument("Expected at most " + std::to_string(kMostPixels) + " pixels before and after resizing.");
  if (offset < 0 || offset + 3 * sizes[6] * sizes[7] > static_cast<int64_t>(target.length))
    throw WrongArgument("Expected a target with room for the window.");
  const auto at = [&](size_t i) { return static_cast<int>(sizes[i]); };
  auto job = std::make_unique<Job>();
  job->how = {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7),
              isOpencv ? Filter::kOpencvCubic : filter == "bilinear" ? Filter::kBilinear : Filter::kBicubic, arguments.boolean(3, "flip")};
  job->offset = static_cast<size_t>(offset);
  job->result.resize(3 * static_cast<size_t>(sizes[6]) * static_cast<size_t>(sizes[7]));
  return job;
}

napi_value queue(Arguments& arguments, std::unique_ptr<Job> job) {
  const napi_env env = arguments.env;
  napi_value promise;
  check(env, napi_create_reference(env, arguments.values[4], 1, &job->target));
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_async_work(env, nullptr, fromText(env, "satin:resample"), execute, complete, job.get(), &job->work));
  check(env, napi_queue_async_work(env, job->work));
  job.release();  // `complete` frees it
  return promise;
}

}  // namespace

// resample(pixels, [height, width, full height, full width, top, left, window height, window width], filter, flip, target,
// offset) -> a promise of true
napi_value resample(Arguments& arguments) {
  std::unique_ptr<Job> job = jobOf(arguments);
  const ByteArray pixels = arguments.bytes(0, "pixels");
  const size_t expected = static_cast<size_t>(job->how.height) * job->how.width * 3;
  if (pixels.length != expected)
    throw WrongArgument("Expected " + std::to_string(expected) + " bytes of pixels but received " +
                        std::to_string(pixels.length) + ".");
  job->source = copyOf(pixels);
  return queue(arguments, std::move(job));
}

// resampleJpeg(file, sizes, filter, flip, target, offset, top, left): `height` and `width` of the sizes are those of the box
// whose corner is at top and left -> a promise of whether it succeeded; if not, the content of the target is undefined
napi_value resampleJpeg(Arguments& arguments) {
  std::unique_ptr<Job> job = jobOf(arguments);
  job->source = copyOf(arguments.bytes(0, "the file"));
  const int64_t top = arguments.integer(6, "top"), left = arguments.integer(7, "left");
  if (top < 0 || left < 0 || top > 65535 || left > 65535) throw WrongArgument("Expected a box within the image.");
  job->box = Box{static_cast<int>(top), static_cast<int>(left), job->how.height, job->how.width};
  return queue(arguments, std::move(job));
}

// sizeOfJpeg(file) -> [height, width], or null where `resampleJpeg` cannot be tried
napi_value sizeOfJpeg(Arguments& arguments) {
  const ByteArray file = arguments.bytes(0, "the file");
  int height, width;
  if (!jpegSize(file.data, file.length, &height, &width)) return null(arguments.env);
  return fromNumbers(arguments.env, {static_cast<double>(height), static_cast<double>(width)});
}

// jpegDecoder() -> the version of libjpeg-turbo, or null where there is none
napi_value jpegDecoder(Arguments& arguments) {
  const std::string version = jpegVersion();
  return version.empty() ? null(arguments.env) : fromText(arguments.env, version);
}

}  // namespace satin
