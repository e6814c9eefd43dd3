"""The pictures of `data/vectors/pixels.json`, drawn: integers only, ten lines in any language.

`data/vectors/README.md` says the formulas in words; this is their Python. A row names what to draw
and the memory to lay it out in, so that the same picture can be given as Gray, RGB or BGRA.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Numbers = NDArray[np.int64]

ALPHA = 3
MIRRORED, UPSIDE_DOWN, TRANSPOSED = 1, 2, 4  # bits of "turn"
# Channels of RGBA in the order of memory; 16-bit gray is made from the first.
CHANNELS = {"gray": [0], "rgb": [0, 1, 2], "rgbx": [0, 1, 2, 3], "bgrx": [2, 1, 0, 3],
            "rgba": [0, 1, 2, 3], "bgra": [2, 1, 0, 3], "gray16": [0]}  # fmt: skip


def mixed(number: Any) -> Numbers:
    """Return 32 bits that look random for each whole number: Chris Wellons's `lowbias32`."""
    n = np.asarray(number, dtype=np.uint64) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        n = ((n ^ (n >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (n ^ (n >> np.uint64(16))).astype(np.int64)


def lattice(seed: int, cells: int, at: Numbers, width: int, height: int) -> Numbers:
    """Return random knots and what lies between them, tinted: (channels, height, width)."""
    x, y = (a * (256 * cells) // side for a, side in zip(at, (width, height), strict=True))
    right, down, knot = x & 255, y & 255, 4096 * seed + 64 * (y >> 8) + (x >> 8)
    above = mixed(knot) % 256 * (256 - right) + mixed(knot + 1) % 256 * right
    below = mixed(knot + 64) % 256 * (256 - right) + mixed(knot + 65) % 256 * right
    light = (above * (256 - down) + below * down) >> 16
    return np.stack([light, 16 + (light * 3 >> 2), 32 + (light >> 1)])


def photo(file: dict[str, Any], at: Numbers, width: int, height: int) -> Numbers:
    """Return a small photograph at any size, by nearest index."""
    stored = np.frombuffer(base64.b64decode(file["rgb"]), np.uint8)
    stored = stored.reshape(file["height"], file["width"], 3)
    rows, columns = at[1] * file["height"] // height, at[0] * file["width"] // width
    return stored[rows, columns].transpose(2, 0, 1).astype(np.int64)


def drawn(row: dict[str, Any], photos: list[dict[str, Any]]) -> Pixels:
    """Return the picture that a row names: (height, width, 4), RGBA."""
    width, height, turn = row["width"], row["height"], row.get("turn", 0)
    y, x = np.mgrid[0:height, 0:width]
    number = y * width + x
    alpha = {"none": 255 + 0 * x, "half": 128 + 0 * x, "clear": 0 * x,
             "ramp": x * 255 // width}[row.get("alpha", "none")]  # fmt: skip
    if turn & TRANSPOSED:
        x, y, width, height = y, x, height, width
    x = width - 1 - x if turn & MIRRORED else x
    y = height - 1 - y if turn & UPSIDE_DOWN else y
    at = np.stack([x, y]).astype(np.int64)
    planes = (
        photo(photos[row["photo"]], at, width, height)
        if "photo" in row
        else lattice(row["seed"], row["cells"], at, width, height)
    )
    if row["format"] in ("gray", "gray16"):
        planes[1:] = planes[0]
    planes = row.get("level", 0) + (planes * row.get("contrast", 256) >> 8)
    noise = row.get("noise", 0)
    planes = np.clip(planes + mixed(number) % (2 * noise + 1) - noise, 0, 255)
    return np.concatenate([planes, alpha[None]]).transpose(1, 2, 0).astype(np.uint8)


def laid_out(row: dict[str, Any], picture: Pixels) -> tuple[Pixels, int]:
    """Return the bytes in which a host holds the picture, and the distance between its rows.

    A negative one is of a picture that lies bottom-up: its top row is the last one in memory.
    """
    pixels = np.ascontiguousarray(picture[:, :, CHANNELS[row["format"]]])
    if row["format"] == "gray16":
        pixels = (pixels.astype(np.uint16) * 257).view(np.uint8)
    lines = pixels.reshape(row["height"], -1)
    padded = np.pad(lines, ((0, 0), (0, row.get("padding", 0))), constant_values=0xA5)
    up = row.get("bottom_up", False)
    stride = padded.shape[1]
    return np.ascontiguousarray(padded[::-1] if up else padded), -stride if up else stride
