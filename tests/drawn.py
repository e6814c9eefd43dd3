"""Benign pictures drawn by script, and the pieces that trap files are made of."""

from __future__ import annotations

import io
import random
import zlib
from typing import Any

from PIL import Image, ImageDraw, ImageOps

PNG_START = b"\x89PNG\r\n\x1a\n"


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return *picture* as a file of *kind*."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decoy(size: tuple[int, int]) -> Image.Image:
    """Return a picture that has nothing to do with `scene`."""
    return scene(size, seed=9)


def scene(size: tuple[int, int] = (320, 240), seed: int = 5) -> Image.Image:
    """Draw a benign picture with as much detail as a photograph: hills of light, and shapes."""
    chance = random.Random(seed)  # noqa: S311 - a drawing
    bands = []
    for _ in range(3):
        light = Image.new("L", size)
        for cells, share in ((4, 1.0), (9, 0.5), (20, 0.35)):
            coarse = Image.frombytes("L", (cells, cells), chance.randbytes(cells * cells))
            light = Image.blend(light, coarse.resize(size, Image.Resampling.BICUBIC), share)
        bands.append(light)
    # The bands share most of their light, as those of photographs do.
    picture = Image.merge("RGB", [Image.blend(bands[0], band, 0.3) for band in bands])
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        reach = chance.randrange(size[0] // 30, size[0] // 8)
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=tuple(chance.randbytes(3)))
    return ImageOps.autocontrast(picture)


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its checksum."""
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """Put a chunk behind the IHDR."""
    return png[:33] + chunk(name, body) + png[33:]
