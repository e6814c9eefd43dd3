"""Pixels to PDQ, against pdqhash and imagehash: python examples/bench_hash.py.

DOORSILL_KERNEL=avx2 (or portable) forces a kernel. Every hash that is timed is compared with
pdqhash's first; the extra memory is what the core asks its caller for.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from side_by_side import peer, race
from tables import Goals, Row, against, main

from doorsill import core

if TYPE_CHECKING:
    from collections.abc import Iterator

# Megapixels, and by kernel how many times as fast as pdqhash doorsill must and should be.
GOALS: dict[tuple[str, str], Goals] = {
    ("2 MP", "avx512"): {"must": 15, "aim": 18},
    ("12 MP", "avx512"): {"must": 25, "aim": 40},
    ("12 MP", "avx2"): {"must": 12, "aim": 20},
}


def photo(width: int, height: int) -> Any:
    """Return a picture with detail at every scale, made of noise at six sizes."""
    random = np.random.default_rng(1)
    total = np.zeros((height, width, 3), np.float32)
    for step in (2, 8, 32, 64, 128, 256):
        small = random.integers(0, 256, (height // step + 2, width // step + 2, 3), dtype=np.uint8)
        big = small.repeat(step, axis=0).repeat(step, axis=1)
        total += big[:height, :width]
    return (total / 6).astype(np.uint8)


def doorsill_hash(pixels: Any) -> core.Pdq:
    """Return both profiles and all orientations, as a screening makes them."""
    height, width, _ = pixels.shape
    hasher = core.Hasher(width, height, "RGB")
    hasher.rows(pixels, 3 * width, height)
    return hasher.end()


def is_right(pdqhash: Any, pixels: Any) -> bool:
    """Return whether hash and quality are the reference's."""
    vector, quality = pdqhash.compute(pixels)
    mine = doorsill_hash(pixels)
    return (np.packbits(vector).tobytes(), quality) == (mine.hash("full"), mine.quality("full"))


def measure() -> Iterator[Row]:
    """Yield what hashing takes."""
    pdqhash, imagehash, image = peer("pdqhash"), peer("imagehash"), peer("PIL.Image")
    for name, width, height in (("2 MP", 1632, 1224), ("12 MP", 4000, 3000)):
        pixels = photo(width, height)
        if pdqhash and not is_right(pdqhash, pixels):
            sys.exit(f"WRONG: {name} differs from pdqhash")
        what = f"{name} RGB buffer to PDQ, two profiles, eight orientations"
        times = race(what, {
            "doorsill": partial(doorsill_hash, pixels),
            "pdqhash, one each": pdqhash and partial(pdqhash.compute, pixels),
            "imagehash.phash, 64 bits": imagehash
            and partial(imagehash.phash, image.fromarray(pixels)),
        })  # fmt: skip
        yield from against(what, times, GOALS.get((name, core.kernel()), {}))
    ours, theirs = core.workspace(width, height) / 1e6, 8 * width * height / 1e6
    yield Row("memory beside the pixels, 12 MP", ours, "pdqhash's buffers", theirs, "MB")


if __name__ == "__main__":
    sys.exit(main(measure))
