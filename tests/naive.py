"""The naive twin of the C core: PDQ said once more, plainly, to test the fast one against.

Written from the numeric facts of Meta's published algorithm (ThreatExchange, ``pdq``) and
of the Python package ``pdqhash``; no line of either is in here. Slow on purpose: sums run
one step after the other in float32, because their rounding is part of the hash. numpy only
puts the independent lines of a picture side by side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Profile = Literal["full", "cpp512"]

SIDE = 64
KEPT = 16
BITS = KEPT * KEPT
SUBSAMPLED = 512
SMALLEST = 5
PASSES = 2


def subsample(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring both sides to 512 by nearest index once either is longer (profile cpp512)."""
    height, width = rgb.shape[:2]
    if max(height, width) <= SUBSAMPLED:
        return rgb
    rows = np.arange(SUBSAMPLED) * height // SUBSAMPLED
    columns = np.arange(SUBSAMPLED) * width // SUBSAMPLED
    return rgb[rows][:, columns]


def luma(rgb: NDArray[np.uint8], profile: Profile) -> Floats:
    """Weigh the channels; the two profiles round at different places."""
    exact = np.float64 if profile == "full" else np.float32
    r, g, b = (exact(weight) for weight in (0.299, 0.587, 0.114))
    red, green, blue = (rgb[:, :, channel].astype(exact) for channel in range(3))
    weighed: Floats = (red * r + green * g + blue * b).astype(np.float32)
    return weighed


def box(lines: Floats) -> Floats:
    """Mean over a sliding window along axis 0, by one running float32 sum a column."""
    length = len(lines)
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = (window + 2) // 2
    out = np.empty_like(lines)
    total = np.zeros(lines.shape[1], dtype=np.float32)
    held = 0
    for step in range(length + ahead - 1):
        # The new value goes in before the old one leaves: the order decides the rounding.
        if step < length:
            total = total + lines[step]
            held += 1
        if step >= window:
            total = total - lines[step - window]
            held -= 1
        if step >= ahead - 1:
            out[step - ahead + 1] = total / np.float32(held)
    return out


def jarosz(plane: Floats) -> Floats:
    """Blur by two rounds of a box along the rows and a box along the columns."""
    for _ in range(PASSES):
        along_rows = np.ascontiguousarray(box(np.ascontiguousarray(plane.T)).T)
        plane = box(along_rows)
    return plane


def decimate(plane: Floats) -> Floats:
    """Take the 64x64 values at the centres of equal cells."""
    height, width = plane.shape
    centres = 2 * np.arange(SIDE) + 1
    return plane[centres * height // (2 * SIDE)][:, centres * width // (2 * SIDE)]


def quality(small: Floats) -> int:
    """Sum the whole percents of every step between neighbours, scaled and capped."""
    total = 0
    for step in (small[:-1] - small[1:], small[:, :-1] - small[:, 1:]):
        percent = step * np.float32(100) / np.float32(255)
        total += int(np.abs(percent.astype(np.int32)).sum())  # the cast cuts toward zero
    return min(100, total // 90)


def dct_matrix() -> Floats:
    """Rows 1..16 of the 64-point DCT: cosines in double, scaled, then rounded once."""
    scale = float(np.float32(math.sqrt(2.0 / SIDE)))
    unit = math.pi / 2.0 / SIDE
    table = [
        [scale * math.cos(unit * row * (2 * column + 1)) for column in range(SIDE)]
        for row in range(1, KEPT + 1)
    ]
    return np.array(table, dtype=np.float32)


def dct(small: Floats) -> Floats:
    """Transform 64x64 to the 16x16 lowest frequencies without the constant ones."""
    matrix = dct_matrix()
    half = np.zeros((KEPT, SIDE), dtype=np.float32)
    for k in range(SIDE):
        half = half + matrix[:, k, None] * small[None, k, :]
    out = np.zeros((KEPT, KEPT), dtype=np.float32)
    for k in range(SIDE):
        out = out + half[:, k, None] * matrix[None, :, k]
    return out


def bits(coefficients: Floats) -> bytes:
    """Compare with the lower median; the last coefficient is the first bit of the bytes."""
    values = coefficients.reshape(-1)
    median = np.sort(values)[BITS // 2 - 1]
    return np.packbits((values > median)[::-1]).tobytes()


def shrink(rgb: NDArray[np.uint8], profile: Profile, *, shortcut: bool = True) -> Floats | None:
    """Go from pixels to the 64x64 plane, or None where a side is too short to hash."""
    pixels = subsample(rgb) if profile == "cpp512" else rgb
    if min(pixels.shape[:2]) < SMALLEST:
        return None
    plane = luma(pixels, profile)
    if shortcut and plane.shape == (SIDE, SIDE):
        return plane
    return decimate(jarosz(plane))


def pdq(rgb: NDArray[np.uint8], profile: Profile) -> tuple[bytes, int]:
    """PDQ hash (32 bytes, in the order of the usual hex) and quality of a picture."""
    small = shrink(rgb, profile)
    if small is None:
        return bytes(BITS // 8), 0
    return bits(dct(small)), quality(small)


def orientations(rgb: NDArray[np.uint8], profile: Profile) -> list[bytes]:
    """Hash the eight flips and turns, from one DCT by signs and transposes.

    Order: original, turned left, half turn, turned right, upside down, mirrored,
    transposed, transposed over the other diagonal. Meta's code filters a 64x64 picture
    here, while it does not for the plain hash; so does this twin.
    """
    small = shrink(rgb, profile, shortcut=False)
    if small is None:
        return [bytes(BITS // 8)] * 8
    flat = dct(small)
    sign = np.where(np.arange(KEPT) % 2 == 0, np.float32(-1), np.float32(1))
    upside, mirrored = flat * sign[:, None], flat * sign[None, :]
    both = upside * sign[None, :]
    turned = [flat, mirrored.T, both, upside.T, upside, mirrored, flat.T, both.T]
    return [bits(coefficients) for coefficients in turned]


def distance(a: bytes, b: bytes) -> int:
    """Count the bits in which two hashes differ."""
    return sum((x ^ y).bit_count() for x, y in zip(a, b, strict=True))
