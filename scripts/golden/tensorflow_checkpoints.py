"""Writes test/golden/tensorflow/* and test/golden/tensorflow.json: checkpoints as TensorFlow writes them, with the
variable names of the paper's released code, and what its networks compute from them.

The networks are those of github.com/cihangxie/SmoothAdversarialTraining (commit 988c080) with fewer channels, written
here with plain `tf.nn` operators: tensorpack's ResNets (`ResNet/resnet_model.py`), the TPU EfficientNet
(`EfficientNet/efficientnet_model.py`). Weights and statistics are random. Images are RGB in [0, 1]; the released
preprocessing, BGR for the ResNets and [-1, 1] for all, is applied here. Logits and the gradient of the mean
cross-entropy with respect to the image are computed in float64.

    python scripts/golden/tensorflow_checkpoints.py

needs tensorflow and numpy.
"""

import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy
import tensorflow as tf

CLASSES = 10
SIDES = [48, 65]
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/golden")
FOLDER = os.path.join(GOLDEN, "tensorflow")


class Variables:
    """Random variables by name, drawn where they are first asked for."""

    def __init__(self, seed):
        self.values = {}
        self.random = numpy.random.default_rng(seed)

    def get(self, name, shape, low, high):
        if name not in self.values:
            self.values[name] = self.random.uniform(low, high, shape).astype(numpy.float32)
        return tf.constant(self.values[name].astype(numpy.float64))

    def kernel(self, name, shape, fan_in=None):
        bound = math.sqrt(3 / (fan_in or math.prod(shape[:-1])))
        return self.get(name, shape, -bound, bound)


def batch_norm(v, x, names, shape, gain):
    """`names`: of scale, shift, mean and variance."""
    gamma = v.get(names[0], shape, gain - 0.25, gain + 0.25)
    beta = v.get(names[1], shape, -0.2, 0.2)
    mean = v.get(names[2], shape, -0.2, 0.2)
    variance = v.get(names[3], shape, 0.5, 1.5)
    gamma, beta, mean, variance = (tf.reshape(each, [-1]) for each in (gamma, beta, mean, variance))
    return (x - mean) / tf.sqrt(variance + 1e-5) * gamma + beta


# The ResNets of tensorpack.


class ResNet:
    def __init__(self, activation, base, group=1, width=64, blocks=(3, 4, 6, 3)):
        """`base`: channels of the stem; published is 64. `width`: of a group of the first stage, at 64 channels."""
        self.activation, self.base, self.group, self.width, self.blocks = activation, base, group, width, blocks

    def activate(self, v, x, scope):
        if self.activation == "silu":
            return x * tf.sigmoid(x)
        beta = tf.square(v.get(f"{scope}/smoothrelu_beta", [1], 2.0, 6.0))
        return tf.nn.relu(x - (1.0 / beta) * tf.math.log(tf.abs(x) * beta + 1.0))

    def conv(self, v, x, scope, out, kernel, stride=1, group=1, gain=1.6, activate=True):
        inputs = x.shape[-1]
        w = v.kernel(f"{scope}/W", [kernel, kernel, inputs // group, out])
        before = (kernel - 1) // 2  # explicit and symmetric
        x = tf.pad(x, [[0, 0], [before, before], [before, before], [0, 0]])
        pieces = zip(tf.split(x, group, 3), tf.split(w, group, 3))
        x = tf.concat([tf.nn.conv2d(i, k, stride, "VALID") for i, k in pieces], 3)
        names = [f"{scope}/bn/{each}" for each in ("gamma", "beta", "mean/EMA", "variance/EMA")]
        x = batch_norm(v, x, names, [out], gain)
        return self.activate(v, x, scope) if activate else x

    def __call__(self, v, pixels):
        x = tf.reverse(pixels, [3]) * 2 - 1  # BGR in [-1, 1]
        x = self.conv(v, x, "conv0", self.base, 7, 2)
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for g, count in enumerate(self.blocks):
            planes = self.base * 2**g
            inner = max(1, planes * self.width // 64) * self.group
            for b in range(count):
                scope = f"group{g}/block{b}"
                stride = 2 if g > 0 and b == 0 else 1
                y = self.conv(v, x, f"{scope}/conv1", inner, 1)
                y = self.conv(v, y, f"{scope}/conv2", inner, 3, stride, self.group)
                y = self.conv(v, y, f"{scope}/conv3", planes * 4, 1, gain=0.6, activate=False)
                if b == 0:
                    x = self.conv(v, x, f"{scope}/convshortcut", planes * 4, 1, stride, gain=1.2, activate=False)
                x = self.activate(v, x + y, scope)
        x = tf.reduce_mean(x, [1, 2])
        w = v.kernel("linear/W", [x.shape[-1], CLASSES])
        return x @ w + v.get("linear/b", [CLASSES], -0.1, 0.1)

    def others(self, v):
        """What a training run leaves beside the weights."""
        return {
            "conv0/W/Momentum": numpy.zeros_like(v.values["conv0/W"]),
            "EMA/xentropy-loss": numpy.float32(2.5),
            "global_step": numpy.int64(12345),
            "learning_rate": numpy.float32(0.1),
        }


# The EfficientNet of the TPU code.

STAGES = [
    # repeats, kernel, stride, expansion, inputs, outputs
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]


def numbered(name, count):
    return name if count == 0 else f"{name}_{count}"


class EfficientNet:
    average = "/ExponentialMovingAverage"

    def __init__(self, width, scope="efficientnet-b0", suffix=""):
        self.width, self.scope, self.suffix = width, scope, suffix

    def round(self, channels):
        exact = channels * self.width
        rounded = max(8, int(exact + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * exact else rounded

    def norm(self, v, x, scope, gain=1.0):
        names = [f"{scope}/{each}{self.suffix}" for each in ("gamma", "beta", "moving_mean", "moving_variance")]
        return batch_norm(v, x, names, [1, 1, 1, 1, x.shape[-1]], gain)

    def conv(self, v, x, scope, out, kernel=1, stride=1, bias=False):
        w = v.kernel(f"{scope}/kernel{self.suffix}", [kernel, kernel, x.shape[-1], out])
        x = tf.nn.conv2d(x, w, stride, "SAME")
        return x + v.get(f"{scope}/bias{self.suffix}", [out], -0.5, 0.5) if bias else x

    def block(self, v, inputs, scope, kernel, stride, expansion, outputs):
        swish = lambda t: t * tf.sigmoid(t)
        x, norms = inputs, 0
        if expansion != 1:
            x = self.conv(v, x, f"{scope}/conv2d", inputs.shape[-1] * expansion)
            x = swish(self.norm(v, x, f"{scope}/{numbered('tpu_batch_normalization', norms)}", 1.5))
            norms += 1
        name = f"{scope}/depthwise_conv2d/depthwise_kernel{self.suffix}"
        w = v.kernel(name, [kernel, kernel, x.shape[-1], 1], kernel**2)
        x = tf.nn.depthwise_conv2d(x, w, [1, stride, stride, 1], "SAME")
        x = swish(self.norm(v, x, f"{scope}/{numbered('tpu_batch_normalization', norms)}", 1.5))
        mean = tf.reduce_mean(x, [1, 2], keepdims=True)
        reduced = max(1, int(inputs.shape[-1] * 0.25))
        gate = self.conv(v, mean, f"{scope}/se/conv2d", reduced, bias=True)
        gate = self.conv(v, swish(gate), f"{scope}/se/conv2d_1", x.shape[-1], bias=True)
        x = x * tf.sigmoid(gate)
        x = self.conv(v, x, f"{scope}/{numbered('conv2d', norms)}", outputs)
        x = self.norm(v, x, f"{scope}/{numbered('tpu_batch_normalization', norms + 1)}", 1.5)
        return x + inputs if stride == 1 and inputs.shape[-1] == outputs else x

    def __call__(self, v, pixels):
        swish = lambda t: t * tf.sigmoid(t)
        x = pixels * 2 - 1
        x = self.conv(v, x, f"{self.scope}/stem/conv2d", self.round(32), 3, 2)
        x = swish(self.norm(v, x, f"{self.scope}/stem/tpu_batch_normalization", 1.5))
        index = 0
        for repeats, kernel, stride, expansion, _, outputs in STAGES:
            for repeat in range(repeats):
                scope = f"{self.scope}/blocks_{index}"
                x = self.block(v, x, scope, kernel, stride if repeat == 0 else 1, expansion, self.round(outputs))
                index += 1
        x = self.conv(v, x, f"{self.scope}/head/conv2d", self.round(1280))
        x = swish(self.norm(v, x, f"{self.scope}/head/tpu_batch_normalization", 1.5))
        x = tf.reduce_mean(x, [1, 2])
        w = v.kernel(f"{self.scope}/head/dense/kernel{self.suffix}", [x.shape[-1], CLASSES])
        return x @ w + v.get(f"{self.scope}/head/dense/bias{self.suffix}", [CLASSES], -0.1, 0.1)

    def others(self, v):
        stem = next(value for name, value in v.values.items() if "stem/conv2d/kernel" in name)
        return {
            f"{self.scope}/stem/conv2d/kernel/RMSProp": numpy.ones_like(stem),
            "global_step": numpy.int64(218949),
        }


def save(name, values, shards):
    """With tf.compat.v1's Saver; several shards are merged as TensorFlow's distributed saving does."""
    path = os.path.join(FOLDER, name)
    if shards == 1:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            variables = [tf.compat.v1.Variable(value, name=key) for key, value in values.items()]
            session.run(tf.compat.v1.global_variables_initializer())
            saver = tf.compat.v1.train.Saver(variables)
            saver.save(session, path, write_meta_graph=False, write_state=False)
        return
    parts = [f"{path}_part{shard}" for shard in range(shards)]
    for shard, part in enumerate(parts):
        names = sorted(values)[shard::shards]
        tf.raw_ops.SaveV2(
            prefix=part,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(values[each]) for each in names],
        )
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=path)


IMAGES = {
    side: numpy.random.default_rng(side).integers(0, 256, [1, side, side, 3]).astype(numpy.uint8) for side in SIDES
}


def outputs_of(key, variables, build, side):
    x = tf.constant(IMAGES[side].astype(numpy.float64) / 255)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = build(variables, x)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[3], logits=logits)
    flat = tf.transpose(tape.gradient(loss, x), [0, 3, 1, 2]).numpy().ravel()
    positions = [(7 + 383 * j) % flat.size for j in range(64)]
    return {
        "entry": key,
        "side": side,
        "logits": logits.numpy().ravel().tolist(),
        "gradient": {
            "largest": float(numpy.abs(flat).max()),
            "norm": float(numpy.linalg.norm(flat)),
            "positions": positions,
            "values": flat[positions].tolist(),
        },
    }


def entry(name, architecture, width, activation, entries, shards=1):
    outputs = [outputs_of(key, *each, side) for side in SIDES for key, each in entries.items()]
    for each in outputs:
        print(name, each["entry"], each["side"], each["logits"][:4], each["gradient"]["largest"])
    values = {key: value for variables, _ in entries.values() for key, value in variables.values.items()}
    variables, network = next(iter(entries.values()))
    save(name, {**values, **network.others(variables)}, shards)
    return {"name": name, "architecture": architecture, "width": width, "activation": activation, "outputs": outputs}


def tensorpack_view(height, width, size):
    """ResizeShortestEdge(size + 32) and CenterCrop(size): size after resizing, corner of the crop."""
    scale = (size + 32) * 1.0 / min(height, width)
    if height < width:
        full = [size + 32, int(scale * width + 0.5)]
    else:
        full = [int(scale * height + 0.5), size + 32]
    return {"full": full, "corner": [int((side - size) * 0.5) for side in full]}


def tpu_view(height, width, size):
    """The square that preprocessing.py crops before it resizes: its side and corner."""
    shorter = tf.cast(tf.minimum(tf.constant(height), tf.constant(width)), tf.float32)
    side = int(tf.cast((size / (size + 32)) * shorter, tf.int32))
    return {"side": side, "corner": [((length - side) + 1) // 2 for length in (height, width)]}


def view(height, width, size):
    shape = {"height": height, "width": width, "size": size}
    return {**shape, "tensorpack": tensorpack_view(height, width, size), "tpu": tpu_view(height, width, size)}


def resnet(name, architecture, activation, ours, seed, base, **options):
    entries = {"raw": (Variables(seed), ResNet(activation, base, **options))}
    return entry(name, architecture, base / 64, ours, entries)


def efficientnet(name, width, seed):
    raw, averaged = EfficientNet(width), EfficientNet(width, suffix=EfficientNet.average)
    entries = {"raw": (Variables(seed), raw), "ema": (Variables(seed + 1), averaged)}
    return entry(name, "efficientnet-b0", width, "silu", entries, shards=2)


os.makedirs(FOLDER, exist_ok=True)
golden = {
    "tensorflow": tf.__version__,
    "numpy": numpy.__version__,
    "images": [
        {"side": side, "pixels": pixels.transpose(0, 3, 1, 2).tobytes().hex()} for side, pixels in IMAGES.items()
    ],
    "views": [
        view(height, width, size)
        for height, width in [(375, 500), (500, 375), (333, 500), (224, 224), (501, 333), (1200, 1599), (61, 97)]
        for size in (224, 299, 380)
    ],
    "networks": [
        resnet("resnet50-silu", "resnet50", "silu", "silu", 1, 2),
        resnet("resnet50-smoothrelu", "resnet50", "smoothrelu", "smooth-relu", 2, 2),
        resnet("resnext50-32x4d", "resnext50-32x4d", "silu", "silu", 3, 2, group=32, width=4),
        efficientnet("efficientnet-b0", 0.05, 4),
    ],
}
with open(os.path.join(GOLDEN, "tensorflow.json"), "w") as file:
    file.write(json.dumps(golden) + "\n")
