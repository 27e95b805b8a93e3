// aten::scaled_dot_product_attention for a libtorch before 2.0, which lacks it: the only operator that networks with
// attention, traced by a newer PyTorch, miss there. Composed of libtorch's operators, which differentiate it.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <cmath>
#include <limits>

#include "optional_tensor.h"

namespace satin {
namespace {

#if SATIN_LIBTORCH_MAJOR >= 2
using OptionalNumber = std::optional<double>;
#else
using OptionalNumber = c10::optional<double>;
#endif

// softmax(scale q kᵀ + mask) v, of queries [..., L, E], keys [..., S, E] and values [..., S, V]; scale is 1/√E where none is given.
// A bool mask says which keys take part. A query without any gives 0, as in PyTorch.
at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const OptionalTensor& mask, double dropout,
                     bool causal, OptionalNumber scale, bool grouped) {
  const auto shared = [&](const at::Tensor& each) {
    return grouped ? each.repeat_interleave(query.size(-3) / each.size(-3), -3) : each;
  };
  const double factor = scale.has_value() ? *scale : 1 / std::sqrt(static_cast<double>(query.size(-1)));
  at::Tensor scores = at::matmul(query * factor, shared(key).transpose(-2, -1));  // [..., L, S]
  constexpr double never = -std::numeric_limits<double>::infinity();
  if (causal)
    scores = scores.masked_fill(at::ones({query.size(-2), key.size(-2)}, query.options().dtype(at::kBool)).tril().logical_not(), never);
  at::Tensor weights;
  if (mask.has_value() && mask->defined()) {
    scores = mask->scalar_type() == at::kBool ? scores.masked_fill(mask->logical_not(), never) : scores + *mask;
    const at::Tensor none = (scores == never).all(-1, /*keepdim=*/true);
    weights = scores.masked_fill(none, 0).softmax(-1).masked_fill(none, 0);
  } else {
    weights = scores.softmax(-1);
  }
  if (dropout > 0) weights = at::dropout(weights, dropout, /*train=*/true);
  return at::matmul(weights, shared(value));
}

[[maybe_unused]] const bool registered = [] {
  if (c10::Dispatcher::singleton().findSchema({"aten::scaled_dot_product_attention", ""}).has_value()) return false;
  auto* library = new torch::Library(torch::Library::FRAGMENT, "aten", {}, __FILE__, __LINE__);  // never unregistered
  library->def(
      "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, "
      "bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor");
  library->impl("scaled_dot_product_attention", torch::dispatch(c10::DispatchKey::CompositeImplicitAutograd, TORCH_FN(attention)));
  return true;
}();

}  // namespace
}  // namespace satin
