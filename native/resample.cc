// Resizing on a thread of libuv's pool, where images are decoded too, without blocking the main thread.
#include "resample_kernel.h"

#include <memory>
#include <optional>

#include "napi_convert.h"
#include "jpeg.h"

namespace satin {
namespace {

struct Job {
  Resampling how;
  ByteArray source;  // pixels, or the JPEG file of which they are the box
  std::optional<Box> box;
  uint8_t* target;
  napi_ref held[2] = {nullptr, nullptr};  // the arrays, until it is done
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  bool declined = false, failed = false;
};

// Decodes the rows that the window needs and resizes them, or says that it cannot.
bool decodeAndResample(const Job& job) {
  const Box& box = *job.box;
  // Not a vector: the rows that are not needed are never touched.
  const std::unique_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(box.height) * box.width * 3]);
  int begin, end;
  rowsOf(job.how, &begin, &end);
  if (!decodeJpeg(job.source.data, job.source.length, box, begin, end, pixels.get())) return false;
  resample(job.how, pixels.get(), job.target);
  return true;
}

void execute(napi_env, void* data) {
  Job& job = *static_cast<Job*>(data);
  try {
    if (job.box.has_value())
      job.declined = !decodeAndResample(job);
    else
      resample(job.how, job.source.data, job.target);
  } catch (...) {
    job.failed = true;
  }
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  for (napi_ref reference : job->held) napi_delete_reference(env, reference);
  napi_delete_async_work(env, job->work);
  if (status == napi_ok && !job->failed) {
    napi_resolve_deferred(env, job->deferred, fromBoolean(env, !job->declined));
    return;
  }
  napi_value error = nullptr;
  napi_create_error(env, nullptr, fromText(env, "Not enough memory to resize an image."), &error);
  napi_reject_deferred(env, job->deferred, error);
}

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
  if (offset < 0 || offset + 3 * sizes[6] * sizes[7] > static_cast<int64_t>(target.length))
    throw WrongArgument("Expected a target with room for the window.");
  const auto at = [&](size_t i) { return static_cast<int>(sizes[i]); };
  auto job = std::make_unique<Job>();
  job->how = {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7),
              isOpencv ? Filter::kOpencvCubic : filter == "bilinear" ? Filter::kBilinear : Filter::kBicubic, arguments.boolean(3, "flip")};
  job->target = target.data + offset;
  return job;
}

napi_value queue(Arguments& arguments, std::unique_ptr<Job> job) {
  const napi_env env = arguments.env;
  napi_value promise;
  check(env, napi_create_reference(env, arguments.values[0], 1, &job->held[0]));
  check(env, napi_create_reference(env, arguments.values[4], 1, &job->held[1]));
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
  job->source = arguments.bytes(0, "pixels");
  const size_t expected = static_cast<size_t>(job->how.height) * job->how.width * 3;
  if (job->source.length != expected)
    throw WrongArgument("Expected " + std::to_string(expected) + " bytes of pixels but received " +
                        std::to_string(job->source.length) + ".");
  return queue(arguments, std::move(job));
}

// resampleJpeg(file, sizes, filter, flip, target, offset, top, left): `height` and `width` of the sizes are those of the box
// whose corner is at top and left -> a promise of whether it succeeded; if not, the content of the target is undefined
napi_value resampleJpeg(Arguments& arguments) {
  std::unique_ptr<Job> job = jobOf(arguments);
  job->source = arguments.bytes(0, "the file");
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
