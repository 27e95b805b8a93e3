"""Writes test/golden/operators.json: value and gradient of every operator a network uses, as PyTorch computes them.

Each case: operator, title, inputs (in the order of the call), attributes (named as in PyTorch's documentation), outputs,
the upstream gradient of the output called `output`, and the gradient of each differentiable input. Everything is
computed in float64 from inputs that are exact in float32.

    python scripts/golden/operators.py
"""

import torch
from torch.nn import functional

from storage import exact, generator, stored, write

CASES = []
TAILS = [0.0, 1.0, -1.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4]


def case(operator, function, inputs, title="", frozen=(), ones=False, **attributes):
    """Adds one case. An input is a shape, a (low, high, shape) triple, or a tensor; `frozen` ones get no gradient."""
    name = f"{operator} {title} {attributes}"
    random = generator(name)
    tensors = {}
    for key, value in inputs.items():
        if isinstance(value, torch.Tensor):
            tensors[key] = value
        elif isinstance(value[-1], tuple):
            low, high, shape = value
            tensors[key] = exact(shape, random, low, high)
        else:
            tensors[key] = exact(value, random)
    wanted = [key for key, tensor in tensors.items() if tensor.is_floating_point() and key not in frozen]
    outputs = call(function, tensors, attributes, torch.float64)[0]
    upstream = torch.ones_like(outputs["output"]) if ones else exact(tuple(outputs["output"].shape), random, -1, 1)
    outputs, gradients = call(function, tensors, attributes, torch.float64, wanted, upstream)
    for double, single in zip((outputs, gradients), call(function, tensors, attributes, torch.float32, wanted, upstream)):
        for key in double:  # a case that float32 cannot meet would test nothing
            assert torch.allclose(double[key], single[key].to(double[key].dtype), rtol=1e-5, atol=1e-6), (name, key)
    record = {
        "operator": operator,
        "title": title,
        "inputs": {key: stored(tensor) for key, tensor in tensors.items()},
        "attributes": attributes,
        "outputs": {key: stored(tensor) for key, tensor in outputs.items()},
    }
    if wanted:
        record["upstream"] = stored(upstream)
        record["gradients"] = {key: stored(gradient) for key, gradient in gradients.items()}
    CASES.append(record)


def call(function, tensors, attributes, dtype, wanted=(), upstream=None):
    """Outputs of the function on copies in `dtype`, and the gradients of the wanted inputs, both by name."""
    copies = {key: t.to(dtype, copy=True) if t.is_floating_point() else t for key, t in tensors.items()}
    for key in wanted:
        copies[key].requires_grad_()
    result = function(*copies.values(), **attributes)
    outputs = result if isinstance(result, dict) else {"output": result}
    if not wanted:
        return outputs, {}
    gradients = torch.autograd.grad(outputs["output"], [copies[key] for key in wanted], upstream.to(dtype))
    return outputs, dict(zip(wanted, gradients, strict=True))


def arithmetic():
    shapes = [("same shape", (2, 3), (2, 3)), ("row broadcasts", (2, 3), (3,)), ("both broadcast", (2, 1, 3), (4, 1))]
    for title, left, right in shapes:
        case("add", torch.add, {"input": left, "other": right}, title)
        case("sub", torch.sub, {"input": left, "other": right}, title)
        case("mul", torch.mul, {"input": left, "other": right}, title)
        case("div", torch.div, {"input": left, "other": (0.5, 2.5, right)}, title)
        case("minimum", torch.minimum, {"input": left, "other": right}, title)
        case("maximum", torch.maximum, {"input": left, "other": right}, title)
    for operator in (torch.neg, torch.exp, torch.abs):
        case(operator.__name__, operator, {"input": (3, 4)})
    for operator in (torch.log, torch.sqrt, torch.rsqrt):
        case(operator.__name__, operator, {"input": (0.25, 4, (3, 4))})
    at_zero = torch.tensor([-1.5, 0.0, 0.25], dtype=torch.float64)
    case("abs", torch.abs, {"input": at_zero.clone()}, "at zero")
    case("sign", torch.sign, {"input": at_zero.clone()}, frozen=("input",))
    case("clamp", torch.clamp, {"input": (3, 4)}, "both ends", min=-0.5, max=0.75)
    for exponent in (2, -1, 0.5):
        case("pow", torch.pow, {"input": (0.25, 4, (3, 4))}, exponent=exponent)
    condition = torch.tensor([[True, False, True], [False, False, True]])
    case("where", torch.where, {"condition": condition, "input": (2, 3), "other": (2, 3)})
    case("where", torch.where, {"condition": condition, "input": (2, 3), "other": (1,)}, "broadcasts")


def products():
    case("matmul", torch.matmul, {"input": (3, 4), "other": (4, 5)}, "matrices")
    case("matmul", torch.matmul, {"input": (2, 3, 4), "other": (4, 2)}, "batch by matrix")
    case("linear", functional.linear, {"input": (3, 4), "weight": (5, 4), "bias": (5,)}, "with bias")
    case("linear", functional.linear, {"input": (3, 4), "weight": (5, 4)}, "without bias")
    x = (2, 4, 5, 5)
    for kernel, stride, padding, bias in [
        (3, 1, 1, False), (3, 1, 1, True), (3, 2, 1, False), (3, 1, 0, True), (3, 2, 0, False), (1, 1, 0, False),
        (1, 2, 0, True),
    ]:  # fmt: skip
        inputs = {"input": x, "weight": (4, 4, kernel, kernel)}
        if bias:
            inputs["bias"] = (4,)
        title = f"{kernel}x{kernel}, stride {stride}, padding {padding}, {'with' if bias else 'without'} bias"
        case("conv2d", functional.conv2d, inputs, title, stride=stride, padding=padding)


def batch_norm(x, weight, bias, mean, variance, training, momentum, eps):
    output = functional.batch_norm(x, mean, variance, weight, bias, training, momentum, eps)
    return {"output": output, "running_mean": mean, "running_var": variance} if training else output


def normalisation():
    for training in (True, False):
        inputs = {"input": (3, 4, 2, 3), "weight": (4,), "bias": (4,)}
        inputs |= {"running_mean": (4,), "running_var": (0.5, 2, (4,))}
        case("batch_norm", batch_norm, inputs, "training mode" if training else "evaluation mode",
             frozen=("running_mean", "running_var"), training=training, momentum=0.1, eps=1e-5)  # fmt: skip


def activations():
    for operator, function, attributes in [
        ("relu", functional.relu, {}),
        ("leaky_relu", functional.leaky_relu, {"negative_slope": 0.01}),
        ("leaky_relu", functional.leaky_relu, {"negative_slope": 0.1}),
        ("silu", functional.silu, {}),
        ("gelu", functional.gelu, {}),
        ("softplus", functional.softplus, {"beta": 1, "threshold": 80}),
        ("softplus", functional.softplus, {"beta": 10, "threshold": 80}),
        ("elu", functional.elu, {"alpha": 1.0}),
        ("elu", functional.elu, {"alpha": 0.5}),
        ("sigmoid", torch.sigmoid, {}),
        ("tanh", torch.tanh, {}),
    ]:
        case(operator, function, {"input": (-4, 4, (2, 3, 4))}, **attributes)
        tails = torch.tensor(TAILS, dtype=torch.float64)
        case(operator, function, {"input": tails}, "tails", ones=True, **attributes)


def pooling():
    x = {"input": (2, 2, 4, 6)}
    case("avg_pool2d", functional.avg_pool2d, x, kernel_size=2, stride=2)
    case("avg_pool2d", functional.avg_pool2d, x, "overlapping", kernel_size=3, stride=1)
    case("adaptive_avg_pool2d", functional.adaptive_avg_pool2d, x, output_size=1)
    case("max_pool2d", functional.max_pool2d, x, kernel_size=2, stride=2, padding=0)
    case("max_pool2d", functional.max_pool2d, x, "overlapping, padded", kernel_size=3, stride=2, padding=1)
    small = {"input": (2, 2, 3, 3)}
    case("pad", functional.pad, small, "constant", pad=[1, 2, 0, 1], mode="constant", value=0.5)
    case("pad", functional.pad, small, "channels", pad=[0, 0, 0, 0, 1, 1], mode="constant", value=0.0)


def reductions():
    x = {"input": (2, 3, 4)}
    for operator in (torch.sum, torch.mean):
        case(operator.__name__, operator, x, "all")
        case(operator.__name__, operator, x, dim=[0, 2], keepdim=False)
        case(operator.__name__, operator, x, dim=[1], keepdim=True)
    for operator in (torch.amax, torch.amin):
        case(operator.__name__, operator, x, dim=[1], keepdim=False)
        case(operator.__name__, operator, x, dim=[1, 2], keepdim=True)
    case("argmax", torch.argmax, x, frozen=("input",), dim=1, keepdim=False)
    case("topk", lambda t, **a: dict(zip(("output", "indices"), torch.topk(t, **a), strict=True)), x, k=2, dim=-1)
    case("linalg_vector_norm", torch.linalg.vector_norm, x, "all", ord=2)
    case("linalg_vector_norm", torch.linalg.vector_norm, x, ord=2, dim=[1, 2], keepdim=True)


def losses():
    x, target = {"input": (4, 5)}, torch.tensor([3, 0, 4, 1])
    for operator in (functional.log_softmax, functional.softmax):
        case(operator.__name__, operator, x, dim=1)
        case(operator.__name__, operator, {"input": (2, 3, 4)}, dim=1)
        case(operator.__name__, operator, {"input": (-100, 100, (3, 4))}, "large logits", dim=1)
    for reduction in ("mean", "none", "sum"):
        for smoothing in (0.0, 0.1):
            case("cross_entropy", functional.cross_entropy, {**x, "target": target}, reduction=reduction,
                 label_smoothing=smoothing)  # fmt: skip


def shapes():
    x = {"input": (2, 3, 4)}
    index = torch.tensor([[2, 0], [1, 1], [0, 3]])
    case("gather", lambda t, i, dim: torch.gather(t, dim, i), {"input": (3, 4), "index": index}, dim=1)
    case("index_select", lambda t, i, dim: torch.index_select(t, dim, i),
         {**x, "index": torch.tensor([2, 0, 2])}, "an index twice", dim=1)  # fmt: skip
    case("index", lambda t, i, j: t[i, j],
         {"input": (3, 4), "rows": torch.tensor([[0], [2]]), "columns": torch.tensor([[3, 1, 1]])}, "indices broadcast")  # fmt: skip
    case("cat", lambda *t, dim: torch.cat(t, dim), {"first": (2, 3), "second": (2, 1), "third": (2, 2)}, dim=1)
    case("stack", lambda *t, dim: torch.stack(t, dim), {"first": (2, 3), "second": (2, 3)}, dim=1)
    case("unsqueeze", torch.unsqueeze, x, dim=1)
    case("reshape", torch.reshape, x, shape=[4, -1])
    case("transpose", torch.transpose, x, dim0=0, dim1=2)
    case("permute", torch.permute, x, dims=[2, 0, 1])
    case("flatten", torch.flatten, x, start_dim=1, end_dim=-1)
    case("narrow", torch.narrow, x, dim=2, start=1, length=2)
    case("slice", lambda t, dim, start, end, step: t[:, :, start:end:step], x, dim=2, start=0, end=4, step=2)
    case("expand", lambda t, size: t.expand(size), {"input": (3, 1)}, size=[2, 3, 4])


for group in (arithmetic, products, normalisation, activations, pooling, reductions, losses, shapes):
    group()
write("operators", {"torch": torch.__version__}, {"cases": CASES})
