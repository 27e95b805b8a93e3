// The border between JavaScript and C++: reading arguments, making results, and catching every exception.
// Knows N-API only; nothing here knows of libtorch.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace satin {

// A wrong argument; becomes an InputError in JavaScript.
struct WrongArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A handle that names no live tensor; becomes a DisposedError in JavaScript.
struct Disposed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A JavaScript exception is already pending; nothing more may be done but return.
struct Pending {};

inline void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw Pending{};
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw std::runtime_error(info != nullptr && info->error_message != nullptr ? info->error_message : "N-API failed");
}

// What a Uint8Array holds; it must be kept alive for as long as the bytes are used.
struct ByteArray {
  uint8_t* data;
  size_t length;
};

// The arguments of one call from JavaScript.
class Arguments {
 public:
  static constexpr size_t kMost = 24;

  Arguments(napi_env env, napi_callback_info info);

  napi_env env;
  size_t count = kMost;
  napi_value values[kMost];

  // Null or undefined, or not given at all.
  bool absent(size_t index) const;
  double number(size_t index, const char* name) const;
  int64_t integer(size_t index, const char* name) const;
  bool boolean(size_t index, const char* name) const;
  std::string text(size_t index, const char* name) const;
  std::vector<double> numbers(size_t index, const char* name) const;
  std::vector<int64_t> integers(size_t index, const char* name) const;
  ByteArray bytes(size_t index, const char* name) const;

 private:
  napi_value at(size_t index) const { return index < count ? values[index] : nullptr; }
};

using Function = napi_value (*)(Arguments&);

// Adds a function to the addon's exports; whatever it throws becomes a JavaScript error.
void define(napi_env env, napi_value exports, const char* name, Function function);

// The kind of a value, for sentences: 'a string', 'null', 'an object'.
const char* kindOf(napi_env env, napi_value value);

// The number as an integer, or WrongArgument: fractions, NaN and numbers beyond 2^53 are refused.
int64_t toInteger(double number, const std::string& name);

napi_value fromNumber(napi_env env, double value);
napi_value fromBoolean(napi_env env, bool value);
napi_value fromText(napi_env env, const std::string& value);
napi_value fromNumbers(napi_env env, const std::vector<double>& values);
napi_value undefined(napi_env env);
napi_value null(napi_env env);

// setErrorClasses(EngineError, DisposedError, InputError): what the exceptions above become.
napi_value setErrorClasses(Arguments& arguments);

}  // namespace satin
