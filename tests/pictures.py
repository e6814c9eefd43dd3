"""Synthetic pictures for tests: the same bytes from the same arguments, everywhere.

Own code, integers only (SplitMix64, lattice noise, a parabola for a sine), so that no
libm, no FFT and no numpy random distribution can change a picture between versions or
platforms. ``noise``, ``gradient`` and ``flat`` are simple enough to be written again in
C; their formulas stand in ``tests/data/vectors/README.md`` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Picture = NDArray[np.uint8]

CHANNELS = 3
OCTAVES = 8
WAVES = 6
TURN = 1 << 16


def words(seed: int, count: int, start: int = 0) -> NDArray[np.uint64]:
    """Outputs ``start`` .. ``start + count - 1`` of SplitMix64 with state ``seed``."""
    step = np.uint64(0x9E3779B97F4A7C15)
    index = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    z = np.full(count, seed, dtype=np.uint64) + index * step
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draw(seed: int, count: int, limit: int, stream: int = 0) -> Integers:
    """Draw ``count`` integers in 0 .. limit-1 from a numbered stream of the seed."""
    start = stream << 32
    return (words(seed, count, start) % np.uint64(limit)).astype(np.int64)


def axes(width: int, height: int) -> tuple[Integers, Integers]:
    """Columns as a row vector and rows as a column vector, ready to broadcast."""
    return np.arange(width, dtype=np.int64)[None, :], np.arange(height, dtype=np.int64)[:, None]


def stack(planes: list[Integers]) -> Picture:
    """Three planes, clipped to bytes, as one picture."""
    return np.stack([np.clip(p, 0, 255).astype(np.uint8) for p in planes], axis=2)


def paint(mask: NDArray[np.bool_], ink: Integers, paper: Integers) -> Picture:
    """Colour ``ink`` where the mask is set, ``paper`` elsewhere."""
    return np.where(mask[:, :, None], ink, paper).astype(np.uint8)


def noise(width: int, height: int, seed: int) -> Picture:
    """Byte i (row by row, RGB) is the low byte of SplitMix64 output i."""
    data = words(seed, width * height * CHANNELS) & np.uint64(255)
    return data.astype(np.uint8).reshape(height, width, CHANNELS)


def gradient(width: int, height: int, seed: int) -> Picture:
    """Red grows with x, green with y, blue is their sum turned by the seed."""
    x, y = axes(width, height)
    red = x * 256 // width + 0 * y
    green = y * 256 // height + 0 * x
    return stack([red, green, (red + green + seed) % 256])


def flat(width: int, height: int, seed: int) -> Picture:
    """One colour: the low bytes of the first three outputs."""
    colour = draw(seed, CHANNELS, 256).astype(np.uint8)
    return np.broadcast_to(colour, (height, width, CHANNELS)).copy()


def stripes(width: int, height: int, seed: int) -> Picture:
    """Hard slanted stripes of two colours; the ones where luma rounding shows."""
    x, y = axes(width, height)
    a, b, period, phase = (int(v) for v in draw(seed, 4, 1 << 20))
    period = 2 + period % max(3, max(width, height) // 3)
    mask = (x * (a % 7 - 3) + y * (b % 6 + 1) + phase) % period < period // 2
    colours = draw(seed, 2 * CHANNELS, 256, stream=1)
    return paint(mask, colours[:CHANNELS], colours[CHANNELS:])


def checker(width: int, height: int, seed: int) -> Picture:
    """Rectangular cells of two colours."""
    x, y = axes(width, height)
    across, down = (1 + int(v) for v in draw(seed, 2, max(1, min(width, height) // 4)))
    colours = draw(seed, 2 * CHANNELS, 256, stream=1)
    return paint((x // across + y // down) % 2 == 0, colours[:CHANNELS], colours[CHANNELS:])


def text(width: int, height: int, seed: int) -> Picture:
    """Dark blocks in lines on light paper, like a page seen from afar."""
    x, y = axes(width, height)
    letter = max(1, width // 60)
    line = max(2, height // 24)
    lines, columns = height // line + 1, width // letter + 1
    ink = draw(seed, lines * columns, 100).reshape(lines, columns) < 70
    ends = draw(seed, lines, columns, stream=1)
    ink &= np.arange(columns)[None, :] <= np.maximum(ends, columns // 3)[:, None]
    mask = ink[y // line, x // letter] & (y % line < (line + 1) // 2)
    shades = draw(seed, 2 * CHANNELS, 64, stream=2)
    return paint(mask, shades[:CHANNELS], 255 - shades[CHANNELS:])


def wave(phase: Integers) -> Integers:
    """Stand in for a sine: two parabolas over a turn of 65536, -16384 .. 16384."""
    half = phase % (TURN // 2)
    arch = half * (TURN // 2 - half) >> 14
    return np.where(phase % TURN < TURN // 2, arch, -arch)


def smooth(width: int, height: int, seed: int) -> Picture:
    """Sum a few slow waves in each channel."""
    x, y = axes(width, height)
    planes = []
    for channel in range(CHANNELS):
        total = np.zeros((height, width), dtype=np.int64)
        parts = draw(seed, 3 * WAVES, TURN, stream=channel).reshape(WAVES, 3)
        for right, down, phase in parts.tolist():
            fx, fy = right % 9 - 4, down % 5
            turned = fx * x * TURN // width + fy * y * TURN // height + phase
            total += wave(turned) // (1 + abs(fx) + fy)
        planes.append(128 + (total >> 8))
    return stack(planes)


def lattice(width: int, height: int, seed: int, stream: int) -> Integers:
    """Noise with the same energy in every octave, about -128 .. 127, from random lattices."""
    total = np.zeros((height, width), dtype=np.int32)
    for octave in range(OCTAVES):
        cells = 2 << octave
        if cells > max(width, height):
            break
        side = cells + 1
        knots = draw(seed, side * side, 256, stream=stream * OCTAVES + octave)
        grid = knots.reshape(side, side).astype(np.int32) - 128
        across = np.arange(width, dtype=np.int64) * (cells * 256) // width
        down = np.arange(height, dtype=np.int64) * (cells * 256) // height
        ix, fx = across >> 8, (across & 255).astype(np.int32)
        iy, fy = (down >> 8)[:, None], (down & 255).astype(np.int32)[:, None]
        rows = grid[:, ix] * (256 - fx) + grid[:, ix + 1] * fx
        total += (rows[iy[:, 0]] * (256 - fy) + rows[iy[:, 0] + 1] * fy) >> (9 + octave)
    return (total >> 7).astype(np.int64)


def photo(width: int, height: int, seed: int) -> Picture:
    """Lattice noise: shared light, and a little colour of each channel's own."""
    light = lattice(width, height, seed, 0)
    tints = [lattice(width, height, seed, 1 + channel) >> 2 for channel in range(CHANNELS)]
    return stack([128 + light + tint for tint in tints])


def mirror(width: int, height: int, seed: int) -> Picture:
    """A photo that is its own mirror image, so that half of the DCT is rounding dust."""
    picture = photo(width, height, seed)
    if seed % 3 != 1:
        picture[:, (width + 1) // 2 :] = picture[:, : width // 2][:, ::-1]
    if seed % 3 != 0:
        picture[(height + 1) // 2 :] = picture[: height // 2][::-1]
    return picture


KINDS: dict[str, Callable[[int, int, int], Picture]] = {
    "noise": noise,
    "gradient": gradient,
    "flat": flat,
    "stripes": stripes,
    "checker": checker,
    "text": text,
    "smooth": smooth,
    "photo": photo,
    "mirror": mirror,
}


def make(kind: str, width: int, height: int, seed: int) -> Picture:
    """Make the picture of that kind, size and seed: uint8, (height, width, 3)."""
    return KINDS[kind](width, height, seed)
