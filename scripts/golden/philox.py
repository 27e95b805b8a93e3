"""Satin's noise in float64: Philox4x32-10 (Salmon et al. 2011), keyed by what a draw is for and by the example's id.

The draw's own fields, under the seed, give a key; the block number and the example's id, under that key, give four
words; two words make a number in [0, 1) with 53 bits; two numbers make two normal ones (Box and Muller 1958). So a
golden script can begin where the engine begins, and shares no code with it.
"""

import math

import torch

MASK = 0xFFFFFFFF
STREAMS = {"trainingAttack": 3, "cleanStart": 8, "gradAlign": 9}


def philox(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (second >> 32) ^ c1 ^ k0, second & MASK, (first >> 32) ^ c3 ^ k1, first & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def halves(number):
    return number & MASK, number >> 32


def normals(u, v):
    radius = math.sqrt(-2 * math.log(1 - u))
    return radius * math.cos(2 * math.pi * v), radius * math.sin(2 * math.pi * v)


def draw(distribution, ids, shape, *, seed, stream, epoch=0, step=0):
    """float64 numbers, uniform in [0, 1) or normal, [len(ids), *shape]."""
    count = math.prod(shape)
    key = philox((STREAMS[stream], epoch, 0, step), halves(seed))[:2]
    rows = []
    for example in ids:
        row = []
        for block in range((count + 1) // 2):
            a, b, c, d = philox((*halves(block), *halves(example)), key)
            pair = [((high << 32 | low) >> 11) * 2.0**-53 for high, low in ((a, b), (c, d))]
            row.extend(pair if distribution == "uniform" else normals(*pair))
        rows.append(row[:count])
    return torch.tensor(rows, dtype=torch.float64).reshape(len(ids), *shape)
