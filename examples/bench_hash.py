"""Pixels to PDQ, against pdqhash and imagehash: python examples/bench_hash.py.

DOORSILL_KERNEL=avx2 (or portable) forces a kernel. Every hash that is timed is compared with
pdqhash's first; the extra memory is what the core asks its caller for.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from side_by_side import machine, peer, race

from doorsill import core


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


def main() -> int:
    """Print the tables; 1 if an answer is wrong."""
    pdqhash, imagehash, image = peer("pdqhash"), peer("imagehash"), peer("PIL.Image")
    print(machine())
    for name, width, height in (("2 MP", 1632, 1224), ("12 MP", 4000, 3000)):
        pixels = photo(width, height)
        if pdqhash and not is_right(pdqhash, pixels):
            print(f"WRONG: {name} differs from pdqhash")
            return 1
        runners = {
            "doorsill": partial(doorsill_hash, pixels),
            "pdqhash": pdqhash and partial(pdqhash.compute, pixels),
            "pdqhash, 8 orientations": pdqhash and partial(pdqhash.compute_dihedral, pixels),
            "imagehash.phash (64 bits)": imagehash
            and partial(imagehash.phash, image.fromarray(pixels)),
        }
        race(f"{name} RGB buffer to hash (doorsill: two profiles, eight orientations)", runners)
        ours, theirs = core.workspace(width, height) / 1e6, 8 * width * height / 1e6
        print(f"  memory beside the pixels: {ours:.2f} MB, pdqhash's two buffers {theirs:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
