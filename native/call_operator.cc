// One generic call that reaches every operator of libtorch (and Satin's own, registered as satin::...): the
// arguments are converted by the operator's schema, defaults filled in, and the dispatcher does the rest, so the
// call passes through autograd, autocast and tracing like any other.
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "device.h"
#include "memory.h"
#include "optional_tensor.h"
#include "tensor.h"

namespace satin {
namespace {

enum class Kind { kTensor, kInteger, kFloat, kBoolean, kScalar, kText, kDtype, kDevice, kMemoryFormat, kLayout, kOther };

struct Parameter {
  std::string name;  // as it reads in a sentence: 'weight of aten::conv2d'
  Kind kind = Kind::kOther;
  bool optional = false;
  bool list = false;
  bool optionalElements = false;
  int64_t fixedLength = 0;  // int[2] also takes one number
  bool hasDefault = false;
  c10::IValue defaultValue;
};

struct Operator {
  c10::OperatorHandle handle;
  std::vector<Parameter> parameters;
};

// A deque: operators stay where they are while more are found.
std::deque<Operator>& operators() {
  static auto* instance = new std::deque<Operator>();
  return *instance;
}

Kind kindOfType(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::kTensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::kInteger;
    case c10::TypeKind::FloatType: return Kind::kFloat;
    case c10::TypeKind::BoolType: return Kind::kBoolean;
    case c10::TypeKind::NumberType: return Kind::kScalar;
    case c10::TypeKind::StringType: return Kind::kText;
    case c10::TypeKind::ScalarTypeType: return Kind::kDtype;
    case c10::TypeKind::DeviceObjType: return Kind::kDevice;
    case c10::TypeKind::MemoryFormatType: return Kind::kMemoryFormat;
    case c10::TypeKind::LayoutType: return Kind::kLayout;
    default: return Kind::kOther;
  }
}

Parameter parameterOf(const c10::Argument& argument, const std::string& operatorName) {
  Parameter result;
  result.name = argument.name() + " of " + operatorName;
  // real_type, because type() shows dtypes, layouts and symbolic integers as plain int
  c10::TypePtr type = argument.real_type();
  if (auto optional = type->cast<c10::OptionalType>()) {
    result.optional = true;
    type = optional->getElementType();
  }
  if (auto list = type->cast<c10::ListType>()) {
    result.list = true;
    type = list->getElementType();
    if (auto optional = type->cast<c10::OptionalType>()) {
      result.optionalElements = true;
      type = optional->getElementType();
    }
    if (argument.N()) result.fixedLength = *argument.N();
  }
  result.kind = kindOfType(*type);
  if (argument.default_value()) {
    result.hasDefault = true;
    result.defaultValue = *argument.default_value();
  }
  return result;
}

[[noreturn]] void refuse(napi_env env, napi_value value, const Parameter& parameter, const char* expected) {
  throw WrongArgument(std::string("Expected ") + expected + " for " + parameter.name + " but received " +
                      kindOf(env, value) + ".");
}

double toNumber(napi_env env, napi_value value, const Parameter& parameter) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) refuse(env, value, parameter, "a number");
  return number;
}

bool toBoolean(napi_env env, napi_value value, const Parameter& parameter) {
  bool result = false;
  if (napi_get_value_bool(env, value, &result) != napi_ok) refuse(env, value, parameter, "true or false");
  return result;
}

std::string toText(napi_env env, napi_value value, const Parameter& parameter) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) refuse(env, value, parameter, "a string");
  std::string result(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, result.data(), length + 1, &length));
  return result;
}

// A whole JavaScript number is an integer scalar, so that `x + 2` keeps an integer tensor's dtype, as in Python.
c10::Scalar toScalar(napi_env env, napi_value value, const Parameter& parameter) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  if (type == napi_boolean) return c10::Scalar(toBoolean(env, value, parameter));
  const double number = toNumber(env, value, parameter);
  const bool whole = std::trunc(number) == number && std::fabs(number) <= 9007199254740992.0;
  const bool negativeZero = number == 0 && std::signbit(number);
  if (whole && !negativeZero) return c10::Scalar(static_cast<int64_t>(number));
  return c10::Scalar(number);
}

int64_t memoryFormat(const std::string& name, const Parameter& parameter) {
  if (name == "contiguous") return static_cast<int64_t>(c10::MemoryFormat::Contiguous);
  if (name == "channels-last") return static_cast<int64_t>(c10::MemoryFormat::ChannelsLast);
  if (name == "preserve") return static_cast<int64_t>(c10::MemoryFormat::Preserve);
  throw WrongArgument("Expected contiguous, channels-last or preserve for " + parameter.name + " but received '" + name + "'.");
}

c10::IValue convertOne(napi_env env, napi_value value, const Parameter& parameter) {
  switch (parameter.kind) {
    case Kind::kTensor: return tensorOf(env, value, parameter.name);
    case Kind::kInteger: return toInteger(toNumber(env, value, parameter), parameter.name);
    case Kind::kFloat: return toNumber(env, value, parameter);
    case Kind::kBoolean: return toBoolean(env, value, parameter);
    case Kind::kScalar: return toScalar(env, value, parameter);
    case Kind::kText: return toText(env, value, parameter);
    case Kind::kDtype: return static_cast<int64_t>(dtypeFromName(toText(env, value, parameter)));
    case Kind::kDevice: return deviceFromName(toText(env, value, parameter));
    case Kind::kMemoryFormat: return memoryFormat(toText(env, value, parameter), parameter);
    default: throw WrongArgument("Expected nothing for " + parameter.name + ": Satin passes no such argument.");
  }
}

template <typename Element, typename Convert>
c10::IValue convertElements(napi_env env, napi_value value, uint32_t length, Convert convert) {
  c10::List<Element> list;
  list.reserve(std::min<uint32_t>(length, 16));  // an array may lie about its length
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, value, i, &element));
    list.push_back(convert(element));
  }
  return list;
}

bool isNullish(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type == napi_null || type == napi_undefined;
}

c10::IValue convertList(napi_env env, napi_value value, const Parameter& parameter) {
  bool isArray = false;
  check(env, napi_is_array(env, value, &isArray));
  if (!isArray) {
    if (parameter.kind == Kind::kInteger && parameter.fixedLength > 0) {
      const int64_t number = toInteger(toNumber(env, value, parameter), parameter.name);
      return std::vector<int64_t>(static_cast<size_t>(parameter.fixedLength), number);
    }
    refuse(env, value, parameter, "an array");
  }
  uint32_t length = 0;
  check(env, napi_get_array_length(env, value, &length));
  // libtorch reads as many as the schema says, without a look at the length. int[1] stands for any number.
  if (parameter.fixedLength > 1 && length != static_cast<uint32_t>(parameter.fixedLength))
    throw WrongArgument("Expected " + std::to_string(parameter.fixedLength) + " numbers for " + parameter.name +
                        " but received " + std::to_string(length) + ".");
  switch (parameter.kind) {
    case Kind::kTensor:
      if (parameter.optionalElements)
        return convertElements<OptionalTensor>(env, value, length, [&](napi_value element) {
          return isNullish(env, element) ? OptionalTensor() : OptionalTensor(tensorOf(env, element, parameter.name));
        });
      return convertElements<at::Tensor>(env, value, length, [&](napi_value element) {
        return tensorOf(env, element, parameter.name);
      });
    case Kind::kInteger:
      return convertElements<int64_t>(env, value, length, [&](napi_value element) {
        return toInteger(toNumber(env, element, parameter), parameter.name);
      });
    case Kind::kFloat:
      return convertElements<double>(env, value, length, [&](napi_value element) {
        return toNumber(env, element, parameter);
      });
    case Kind::kBoolean:
      return convertElements<bool>(env, value, length, [&](napi_value element) {
        return toBoolean(env, element, parameter);
      });
    default: throw WrongArgument("Expected nothing for " + parameter.name + ": Satin passes no such list.");
  }
}

c10::IValue convert(const Arguments& arguments, size_t index, const Parameter& parameter) {
  if (arguments.absent(index)) {
    if (parameter.hasDefault) return parameter.defaultValue;
    if (parameter.optional) return c10::IValue();
    throw WrongArgument("Expected a value for " + parameter.name + " but received nothing.");
  }
  napi_value value = arguments.values[index];
  return parameter.list ? convertList(arguments.env, value, parameter) : convertOne(arguments.env, value, parameter);
}

napi_value toJavaScript(napi_env env, const c10::IValue& value) {
  if (value.isTensor()) return fromTensor(env, value.toTensor());
  if (value.isInt()) return fromNumber(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return fromNumber(env, value.toDouble());
  if (value.isBool()) return fromBoolean(env, value.toBool());
  if (value.isNone()) return null(env);
  if (value.isTensorList()) {
    const auto list = value.toTensorVector();
    napi_value result;
    check(env, napi_create_array_with_length(env, list.size(), &result));
    for (size_t i = 0; i < list.size(); i++)
      check(env, napi_set_element(env, result, static_cast<uint32_t>(i), fromTensor(env, list[i])));
    return result;
  }
  throw std::runtime_error("The operator returned a value that JavaScript cannot hold.");
}

}  // namespace

// findOperator(name, overload) -> a small integer for call()
napi_value findOperator(Arguments& arguments) {
  const std::string name = arguments.text(0, "the operator's name");
  const std::string overload = arguments.text(1, "the operator's overload");
  const std::string whole = overload.empty() ? name : name + "." + overload;
  Operator found{c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str()), {}};
  for (const c10::Argument& argument : found.handle.schema().arguments())
    found.parameters.push_back(parameterOf(argument, whole));
  operators().push_back(std::move(found));
  return fromNumber(arguments.env, static_cast<double>(operators().size() - 1));
}

namespace {

void invoke(Arguments& arguments, torch::jit::Stack& stack) {
  const int64_t index = arguments.integer(0, "the operator");
  if (index < 0 || index >= static_cast<int64_t>(operators().size()))
    throw WrongArgument("Expected an operator from findOperator but received " + std::to_string(index) + ".");
  const Operator& op = operators()[static_cast<size_t>(index)];
  if (arguments.count - 1 > op.parameters.size())
    throw WrongArgument("Expected at most " + std::to_string(op.parameters.size()) + " arguments for " +
                        op.handle.schema().name() + " but received " + std::to_string(arguments.count - 1) + ".");
  stack.reserve(op.parameters.size());
  for (size_t i = 0; i < op.parameters.size(); i++) stack.push_back(convert(arguments, i + 1, op.parameters[i]));
  namingWork(arguments, op.handle.schema().name(), 1, [&] { op.handle.callBoxed(stack); });
}

}  // namespace

// call(operator, ...arguments) -> handle, number, boolean, null, or an array of these
napi_value call(Arguments& arguments) {
  napi_env env = arguments.env;
  torch::jit::Stack stack;
  invoke(arguments, stack);
  if (stack.empty()) return undefined(env);
  if (stack.size() == 1) return toJavaScript(env, stack[0]);
  napi_value result;
  check(env, napi_create_array_with_length(env, stack.size(), &result));
  for (size_t i = 0; i < stack.size(); i++)
    check(env, napi_set_element(env, result, static_cast<uint32_t>(i), toJavaScript(env, stack[i])));
  return result;
}

// callInPlace(operator, ...arguments): for operators that change their first argument and return it: no new handle
napi_value callInPlace(Arguments& arguments) {
  torch::jit::Stack stack;
  invoke(arguments, stack);
  return undefined(arguments.env);
}

}  // namespace satin
