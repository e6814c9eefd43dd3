"""Margins of PDQ bits and the nearest row of a clear plane: as their naive twins say."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

import drawn
import naive
from doorsill import core

ORIENTED = {0: (0, 0, 0), 1: (1, 0, 1), 2: (1, 1, 0), 3: (0, 1, 1),
            4: (0, 1, 0), 5: (1, 0, 0), 6: (0, 0, 1), 7: (1, 1, 1)}  # fmt: skip
"""By orientation: mirrored columns, mirrored rows, transposed."""


def places() -> list[tuple[int, int]]:
    """Row and column of the coefficients in the order of the second plane, the first 121."""
    return sorted(((r, c) for r in range(11) for c in range(11)),
                  key=lambda at: (max(at), 16 * at[0] + at[1]))  # fmt: skip


def coded(distance: float) -> int:
    """The header's code of a distance: exponent and 4 bits of mantissa, in 16 octaves from 1/4."""
    bits = struct.unpack("<I", struct.pack("<f", abs(distance)))[0] >> 19
    return min(255, max(0, bits - 125 * 16))


def twin(pixels: np.ndarray, profile: str, orientation: int) -> list[int]:
    """The margins said plainly, as `Pdq.certainty` gives them."""
    small = naive.shrink(pixels, profile)
    assert small is not None
    flat = naive.dct(small)
    columns, rows, transposed = ORIENTED[orientation]
    sign = np.where(np.arange(16) % 2 == 0, np.float32(-1), np.float32(1))
    flat = flat * (sign[None, :] if columns else np.float32(1))
    flat = flat * (sign[:, None] if rows else np.float32(1))
    flat = flat.T if transposed else flat
    median = np.sort(flat.reshape(-1))[127]
    codes = [coded(float(np.float32(flat[at] - median))) for at in places()]
    return [(16 + code % 16) << code // 16 if code else 0 for code in codes]


def hashed(image: object, *, margins: bool = True) -> core.Pdq:
    """The core's hashes of an RGB image."""
    width, height = image.size
    hasher = core.Hasher(width, height, "RGB")
    hasher.rows(image.tobytes(), 3 * width, height)
    return hasher.end(margins=margins)


@pytest.mark.parametrize("seed", range(6))
def test_margins_are_the_twins(seed: int) -> None:
    """Every margin in both profiles and all orientations is the twin's, and its bit agrees."""
    image = drawn.scene((200 + 111 * seed, 150 + 97 * seed), seed)
    made, pixels = hashed(image), np.asarray(image)
    for profile in core.PROFILES:
        for orientation in ORIENTED:
            assert twin(pixels, profile, orientation) == made.certainty(profile, orientation)
            hashes = naive.orientations(pixels, profile)
            assert hashes[orientation] == made.hash(profile, orientation)


def test_margins_only_if_asked() -> None:
    """Nobody pays for margins unasked, and a hash is the same with them."""
    image = drawn.scene()
    assert b"" == hashed(image, margins=False).margins
    assert core.MARGINS_BYTES == len(hashed(image).margins) == 968
    assert hashed(image, margins=False).raw == hashed(image).raw


def test_too_small_to_hash() -> None:
    """A picture under 5 pixels has margins of 0, as it has no hash."""
    hasher = core.Hasher(4, 90, "L")
    hasher.rows(bytes(360), 4, 90)
    assert not any(hasher.end(margins=True).margins)


def test_margins_before_the_end() -> None:
    """Before all rows have come there are none."""
    with pytest.raises(core.DoorsillError, match="refused"):
        core.Hasher(20, 20, "L").end(margins=True)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1500])
def test_nearest_is_brute_force(rows: int) -> None:
    """The nearest row and query are those of all pairs compared, the first of equals."""
    rng = random.Random(rows)  # noqa: S311 - drawn numbers
    plane = [rng.randbytes(16) for _ in range(rows)]
    queries = []
    for _ in range(40):
        value = int.from_bytes(rng.choice(plane), "big") if plane else 0
        for _ in range(rng.randrange(0, 40)):
            value ^= 1 << rng.randrange(128)
        queries.append(value.to_bytes(16, "big"))
    for radius in (0, 10, 23, 32):
        pairs = [(core.distance(row, query), i, j) for i, row in enumerate(plane)
                 for j, query in enumerate(queries)]  # fmt: skip
        near = [pair for pair in pairs if pair[0] <= radius]
        assert core.nearest(b"".join(plane), b"".join(queries), radius) == min(near, default=None)


def test_nearest_of_nothing() -> None:
    """No queries find nothing; a radius over 32 is refused."""
    assert core.nearest(bytes(160), b"", 23) is None
    with pytest.raises(core.DoorsillError, match="refused"):
        core.nearest(bytes(160), bytes(16), 33)
