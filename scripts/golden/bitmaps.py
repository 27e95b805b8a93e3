"""Golden values of BMP and PNM files: the files that Pillow writes, and made here, and the pixels that Pillow reads.

    python scripts/golden/bitmaps.py

Pillow 13.0.0, NumPy 2.
"""

import base64
import io
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image

random = np.random.default_rng(0)
height, width = 5, 7
rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
grey = random.integers(0, 256, (height, width), dtype=np.uint8)
bits = random.integers(0, 2, (height, width), dtype=np.uint8) * 255
indexed = Image.fromarray(rgb).quantize(11)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bitmap(bits_per_pixel, rows, *, compression=0, masks=b"", header=40, top_down=False, palette=b""):
    """A BMP file of rows of bytes, as Microsoft's documentation has it."""
    padded = b"".join(row + bytes(-len(row) % 4) for row in (rows if top_down else rows[::-1]))
    inner = struct.pack("<iiHHIIiiII", width, -height if top_down else height, 1, bits_per_pixel, compression,
                        len(padded), 0, 0, len(palette) // 4, 0)
    inner = struct.pack("<I", header) + inner
    inner += masks if header == 40 else (masks + bytes(header - 40 - len(masks)))
    start = 14 + len(inner) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(padded), 0, 0, start) + inner + palette + padded


r, g, b = (rgb[..., channel].astype(np.uint32) for channel in range(3))
word565 = (((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3)).astype("<u2")
word555 = (((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3)).astype("<u2")
alpha = random.integers(0, 256, (height, width), dtype=np.uint32)
bgra = ((alpha << 24) | (r << 16) | (g << 8) | b).astype("<u4")
files = {
    "bmp of 24 bits": saved(Image.fromarray(rgb), "BMP"),
    "bmp of 8 bits, grey": saved(Image.fromarray(grey), "BMP"),
    "bmp of 8 bits, palette": saved(indexed, "BMP"),
    "bmp of 1 bit": saved(Image.fromarray(bits).convert("1"), "BMP"),
    "bmp of 4 bits": bitmap(
        4,
        [bytes((int(row[i]) << 4) | (int(row[i + 1]) if i + 1 < width else 0) for i in range(0, width, 2))
         for row in np.asarray(indexed)],
        palette=b"".join(bytes(indexed.getpalette()[3 * i : 3 * i + 3][::-1]) + b"\0" for i in range(11)),
    ),
    "bmp of 24 bits, top down": bitmap(24, [row[:, ::-1].tobytes() for row in rgb], top_down=True),
    "bmp of 32 bits without alpha": bitmap(32, [row.tobytes() for row in bgra & 0xFFFFFF]),
    "bmp of 16 bits, 555": bitmap(16, [row.tobytes() for row in word555]),
    "bmp of 16 bits, 565": bitmap(16, [row.tobytes() for row in word565], compression=3,
                                  masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
    "bmp of 32 bits with alpha": bitmap(32, [row.tobytes() for row in bgra], compression=3, header=124,
                                        masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "ppm of bytes": saved(Image.fromarray(rgb), "PPM"),
    "pgm of bytes": saved(Image.fromarray(grey), "PPM"),
    "pbm of bits": saved(Image.fromarray(bits).convert("1"), "PPM"),
    "ppm of text, with comments": (
        f"P3 # text\n{width} #w\n{height}\n255\n" + "\n".join(" ".join(map(str, row.ravel())) for row in rgb)
    ).encode(),
    "pgm of text, up to 15": (
        f"P2\n{width} {height}\n15\n" + "\n".join(" ".join(map(str, row >> 4)) for row in grey)
    ).encode(),
    "pbm of text, without blanks": (
        f"P1\n{width} {height}\n" + "\n".join("".join(str(1 - bit // 255) for bit in row) for row in bits)
    ).encode(),
    "ppm of 16 bits": b"P6 %d %d 65535\n" % (width, height) + (rgb.astype(">u2") * 257).tobytes(),
}


def pixels(file):
    image = Image.open(io.BytesIO(file))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB")).ravel().tolist()


golden = {
    name: {"file": base64.b64encode(file).decode(), "pixels": pixels(file)} for name, file in files.items()
}
out = Path(__file__).parents[2] / "test" / "golden" / "bitmaps.json"
out.write_text(json.dumps({"size": [height, width], "files": golden}) + "\n")
