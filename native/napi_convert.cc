#include "napi_convert.h"

#include <c10/util/Exception.h>

#include <cmath>
#include <new>

namespace satin {
namespace {

enum ErrorClass { kEngine, kDisposed, kInput, kClasses };
napi_ref errorClasses[kClasses] = {nullptr, nullptr, nullptr};

void throwError(napi_env env, ErrorClass which, const std::string& message) {
  napi_value constructor = nullptr;
  if (errorClasses[which] != nullptr && napi_get_reference_value(env, errorClasses[which], &constructor) == napi_ok &&
      constructor != nullptr) {
    napi_value text[2] = {fromText(env, "invalid-argument"), fromText(env, message)};
    napi_value error = nullptr;
    const bool coded = which == kInput;  // InputError(code, message); the other classes take the message only
    if (napi_new_instance(env, constructor, coded ? 2 : 1, coded ? text : text + 1, &error) == napi_ok) {
      napi_throw(env, error);
      return;
    }
  }
  napi_throw_error(env, "ENGINE", message.c_str());
}

// libtorch's messages go on for pages (signatures, backtraces): the first line says what is wrong.
std::string firstLine(const std::string& message) {
  const size_t end = message.find('\n');
  return end == std::string::npos ? message : message.substr(0, end);
}

napi_value trampoline(napi_env env, napi_callback_info info) {
  try {
    void* data = nullptr;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
    Arguments arguments(env, info);
    return reinterpret_cast<Function>(data)(arguments);
  } catch (const Pending&) {
    // JavaScript already has its exception.
  } catch (const WrongArgument& error) {
    throwError(env, kInput, error.what());
  } catch (const Disposed& error) {
    throwError(env, kDisposed, error.what());
  } catch (const c10::Error& error) {
    throwError(env, kEngine, firstLine(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    throwError(env, kEngine, "Not enough memory.");
  } catch (const std::exception& error) {
    throwError(env, kEngine, firstLine(error.what()));
  } catch (...) {
    throwError(env, kEngine, "The engine threw something that is not an exception.");
  }
  return nullptr;
}

}  // namespace

Arguments::Arguments(napi_env env, napi_callback_info info) : env(env) {
  check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
  if (count > kMost) throw WrongArgument("Expected at most 24 arguments but received " + std::to_string(count) + ".");
}

bool Arguments::absent(size_t index) const {
  if (index >= count) return true;
  napi_valuetype type;
  check(env, napi_typeof(env, values[index], &type));
  return type == napi_undefined || type == napi_null;
}

double Arguments::number(size_t index, const char* name) const {
  double result = 0;
  if (index >= count || napi_get_value_double(env, values[index], &result) != napi_ok)
    throw WrongArgument(std::string("Expected a number for ") + name + " but received " + kindOf(env, at(index)) + ".");
  return result;
}

int64_t Arguments::integer(size_t index, const char* name) const { return toInteger(number(index, name), name); }

bool Arguments::boolean(size_t index, const char* name) const {
  bool result = false;
  if (index >= count || napi_get_value_bool(env, values[index], &result) != napi_ok)
    throw WrongArgument(std::string("Expected true or false for ") + name + " but received " + kindOf(env, at(index)) +
                        ".");
  return result;
}

std::string Arguments::text(size_t index, const char* name) const {
  size_t length = 0;
  if (index >= count || napi_get_value_string_utf8(env, values[index], nullptr, 0, &length) != napi_ok)
    throw WrongArgument(std::string("Expected a string for ") + name + " but received " + kindOf(env, at(index)) + ".");
  std::string result(length, '\0');
  check(env, napi_get_value_string_utf8(env, values[index], result.data(), length + 1, &length));
  return result;
}

std::vector<double> Arguments::numbers(size_t index, const char* name) const {
  bool isArray = false;
  if (index < count) check(env, napi_is_array(env, values[index], &isArray));
  if (!isArray)
    throw WrongArgument(std::string("Expected an array of numbers for ") + name + " but received " +
                        kindOf(env, at(index)) + ".");
  uint32_t length = 0;
  check(env, napi_get_array_length(env, values[index], &length));
  // Grows as elements are read: an array can claim a length of four billion and hold nothing.
  std::vector<double> result;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, values[index], i, &element));
    double number = 0;
    if (napi_get_value_double(env, element, &number) != napi_ok)
      throw WrongArgument(std::string("Expected only numbers in ") + name + " but received " + kindOf(env, element) +
                          ".");
    result.push_back(number);
  }
  return result;
}

std::vector<int64_t> Arguments::integers(size_t index, const char* name) const {
  std::vector<int64_t> result;
  for (const double number : numbers(index, name)) result.push_back(toInteger(number, name));
  return result;
}

ByteArray Arguments::bytes(size_t index, const char* name) const {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (index >= count || napi_get_typedarray_info(env, values[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    throw WrongArgument(std::string("Expected a Uint8Array for ") + name + ".");
  return {static_cast<uint8_t*>(data), length};
}

void define(napi_env env, napi_value exports, const char* name, Function function) {
  napi_value value;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, trampoline, reinterpret_cast<void*>(function), &value));
  check(env, napi_set_named_property(env, exports, name, value));
}

const char* kindOf(napi_env env, napi_value value) {
  if (value == nullptr) return "nothing";
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return "something unknown";
  bool isArray = false;
  napi_is_array(env, value, &isArray);
  if (isArray) return "an array";
  switch (type) {
    case napi_undefined: return "nothing";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_object: return "an object";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: return "a foreign object";
  }
}

int64_t toInteger(double number, const std::string& name) {
  if (!(std::fabs(number) <= 9007199254740992.0) || std::trunc(number) != number) {
    std::string text = std::to_string(number);
    throw WrongArgument("Expected an integer for " + name + " but received " + text + ".");
  }
  return static_cast<int64_t>(number);
}

napi_value fromNumber(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

napi_value fromBoolean(napi_env env, bool value) {
  napi_value result;
  check(env, napi_get_boolean(env, value, &result));
  return result;
}

napi_value fromText(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

napi_value fromNumbers(napi_env env, const std::vector<double>& values) {
  napi_value result;
  check(env, napi_create_array_with_length(env, values.size(), &result));
  for (size_t i = 0; i < values.size(); i++)
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromNumber(env, values[i])));
  return result;
}

napi_value undefined(napi_env env) {
  napi_value result;
  check(env, napi_get_undefined(env, &result));
  return result;
}

napi_value null(napi_env env) {
  napi_value result;
  check(env, napi_get_null(env, &result));
  return result;
}

napi_value setErrorClasses(Arguments& arguments) {
  for (size_t i = 0; i < kClasses; i++) {
    napi_valuetype type = napi_undefined;
    if (i < arguments.count) check(arguments.env, napi_typeof(arguments.env, arguments.values[i], &type));
    if (type != napi_function) throw WrongArgument("Expected three error classes for setErrorClasses.");
  }
  for (size_t i = 0; i < kClasses; i++) {
    if (errorClasses[i] != nullptr) napi_delete_reference(arguments.env, errorClasses[i]);
    check(arguments.env, napi_create_reference(arguments.env, arguments.values[i], 1, &errorClasses[i]));
  }
  return undefined(arguments.env);
}

}  // namespace satin
