"""Traps whose picture is composed while it is shown: tiles, disposal; `traps` names them all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from drawn import decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    Maker = Callable[[Image.Image], bytes]
    Part = tuple[Image.Image, tuple[int, int], int]


def gif_of(size: tuple[int, int], parts: Sequence[Part], background: int = 0) -> bytes:
    """Return a GIF of tiles, each an image, its place, and the disposal after it."""
    body = b"".join(_tile(*part) for part in parts)
    palette = bytes((255, 0, 255)) * 4
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, background, 0)
    return head + palette + body + b";"


def _tile(image: Image.Image, place: tuple[int, int], disposal: int) -> bytes:
    plain = saved(image.convert("RGB").quantize(128), "GIF", optimize=False, interlace=0)
    flags = plain[10] & 7
    palette = plain[13 : 13 + (3 << (flags + 1))]
    at = 13 + len(palette)
    while plain[at : at + 1] == b"!":
        at += 2
        while plain[at]:
            at += plain[at] + 1
        at += 1
    local = plain[at + 9]
    pixels = plain[at + 10 : -1]
    if local & 0x80:
        palette = plain[at + 10 : at + 10 + (3 << ((local & 7) + 1))]
        flags = local & 7
        pixels = plain[at + 10 + len(palette) : -1]
    control = b"!\xf9\4" + struct.pack("<BHBB", disposal << 2, 10, 0, 0)
    where = struct.pack("<4HB", *place, *image.size, 0x80 | flags)
    return control + b"," + where + palette + pixels


def tiles_on_clear(picture: Image.Image) -> bytes:
    """Four stripes paint the picture over an empty canvas, then another picture covers it."""
    wide, high = picture.size
    step = high // 4
    parts: list[Part] = [
        (picture.crop((0, top, wide, top + step)), (0, top), 1) for top in range(0, 4 * step, step)
    ]
    return gif_of(picture.size, [*parts, (decoy(picture.size), (0, 0), 1)])


def half_on_clear(picture: Image.Image) -> bytes:
    """The lower part is painted on an empty canvas, whose colour in the file is magenta."""
    wide, high = picture.size
    top = high // 8
    return gif_of(picture.size, [(picture.crop((0, top, wide, high)), (0, top), 1)])


def cleared_gif(picture: Image.Image) -> bytes:
    """Another picture, cleared away; the picture's middle, on what is then empty."""
    wide, high = picture.size
    box = (wide // 48, high // 48, wide - wide // 48, high - high // 48)
    return gif_of(picture.size, [(decoy(picture.size), (0, 0), 2), (picture.crop(box), box[:2], 1)])


def restored_gif(picture: Image.Image) -> bytes:
    """The picture but for a corner, a cover taken back, and then the corner."""
    wide, high = picture.size
    corner = (wide // 2, high // 2, wide, high)
    spoilt = picture.copy()
    spoilt.paste(decoy(picture.size).crop(corner), corner[:2])
    parts: list[Part] = [
        (spoilt, (0, 0), 1), (decoy(picture.size), (0, 0), 3),
        (picture.crop(corner), corner[:2], 1),
    ]  # fmt: skip
    return gif_of(picture.size, parts)


TILES: tuple[Maker, ...] = (tiles_on_clear, half_on_clear, cleared_gif, restored_gif)
