// resample(pixels, [height, width, full height, full width, top, left, window height, window width], filter, flip, target,
// offset) -> a promise: resizes on a thread of libuv's pool, as images are decoded there, while the main thread goes on.
#include "resample_kernel.h"

#include <memory>

#include "bridge.h"

namespace satin {
namespace {

struct Job {
  Resampling how;
  const uint8_t* source;
  uint8_t* target;
  napi_ref held[2] = {nullptr, nullptr};  // the arrays, until it is done
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  bool failed = false;
};

struct ByteArray {
  uint8_t* data;
  size_t length;
};

ByteArray bytes(Arguments& arguments, size_t index, const char* name) {
  ByteArray result = {nullptr, 0};
  napi_typedarray_type type;
  void* data = nullptr;
  if (index >= arguments.count ||
      napi_get_typedarray_info(arguments.env, arguments.values[index], &type, &result.length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    throw WrongArgument(std::string("Expected a Uint8Array for ") + name + ".");
  result.data = static_cast<uint8_t*>(data);
  return result;
}

void execute(napi_env, void* data) {
  Job& job = *static_cast<Job*>(data);
  try {
    resample(job.how, job.source, job.target);
  } catch (...) {
    job.failed = true;
  }
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  for (napi_ref reference : job->held) napi_delete_reference(env, reference);
  napi_delete_async_work(env, job->work);
  if (status == napi_ok && !job->failed) {
    napi_resolve_deferred(env, job->deferred, undefined(env));
    return;
  }
  napi_value error = nullptr;
  napi_create_error(env, nullptr, fromText(env, "Not enough memory to resize an image."), &error);
  napi_reject_deferred(env, job->deferred, error);
}

}  // namespace

napi_value resample(Arguments& arguments) {
  const ByteArray source = bytes(arguments, 0, "pixels");
  const std::vector<int64_t> sizes = arguments.integers(1, "the sizes");
  const std::string filter = arguments.text(2, "the filter");
  const ByteArray target = bytes(arguments, 4, "target");
  const int64_t offset = arguments.integer(5, "offset");
  if (filter != "bilinear" && filter != "bicubic")
    throw WrongArgument("Expected bilinear or bicubic for the filter but received '" + filter + "'.");
  if (sizes.size() != 8) throw WrongArgument("Expected eight sizes but received " + std::to_string(sizes.size()) + ".");
  for (size_t i = 0; i < 8; i++)
    if (sizes[i] < (i == 4 || i == 5 ? 0 : 1) || sizes[i] > 65535)
      throw WrongArgument("Expected sizes from 1 to 65535 but received " + std::to_string(sizes[i]) + ".");
  if (sizes[4] + sizes[6] > sizes[2] || sizes[5] + sizes[7] > sizes[3])
    throw WrongArgument("Expected a window within the resized image.");
  if (static_cast<int64_t>(source.length) != sizes[0] * sizes[1] * 3)
    throw WrongArgument("Expected " + std::to_string(sizes[0] * sizes[1] * 3) + " bytes of pixels but received " +
                        std::to_string(source.length) + ".");
  if (offset < 0 || offset + 3 * sizes[6] * sizes[7] > static_cast<int64_t>(target.length))
    throw WrongArgument("Expected a target with room for the window.");

  const auto at = [&](size_t i) { return static_cast<int>(sizes[i]); };
  auto job = std::make_unique<Job>();
  job->how = {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7),
              filter == "bilinear" ? Filter::kBilinear : Filter::kBicubic, arguments.boolean(3, "flip")};
  job->source = source.data;
  job->target = target.data + offset;
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

}  // namespace satin
