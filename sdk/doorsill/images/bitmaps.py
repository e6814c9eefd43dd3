"""Bitmaps whose samples lie where Pillow does not look for them, written anew as usual ones.

Imported by `frames` alone. Masks: [MS-WMF] 2.2.2.3 to 2.2.2.5.
"""

from __future__ import annotations

from struct import pack, unpack_from
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from doorsill.images.containers import bitmap_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HEAD, _MASKS = 14, 54
_RAW, _FIELDS, _ALPHA_FIELDS = 0, 3, 6
_WITH_MASKS, _WITH_ALPHA = 52, 56  # sizes of headers that hold masks
_INDEXED, _LONG = (1, 4, 8), 40  # bits with a palette; the header that may say how long it is
_LEAST = 66  # of a file with the shortest header, and masks behind it
_ALPHA = 0xFF000000
_USUAL = (0xFF0000, 0xFF00, 0xFF)  # of a blue, a green, a red byte
# What Pillow reads itself, alpha included.
_READ = {
    32: {
        (*_USUAL, 0), (*_USUAL, _ALPHA), (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, _ALPHA),
    },
    16: {(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)},
}  # fmt: skip


def usual(data: bytes, allows: Callable[[tuple[int, int]], bool]) -> bytes:
    """Return *data*, or a bitmap of blue, green, red and alpha bytes that shows the same.

    That is for masks that are not the usual ones, and for an alpha that no header names but some
    viewers follow. Pixels that begin within their palette are moved behind it.

    Args:
        data: The bitmap.
        allows: Tells whether a picture of a size may be decoded.

    Raises:
        Exception: Whatever bad bytes lead to; ask through `Sitting.attempt`.
    """
    if len(data) < _LEAST:
        return data
    start, size = unpack_from("<II", data, 10)
    bits, packing = unpack_from("<HI", data, _HEAD + 14)
    if bits not in _READ or not allows(bitmap_size(data[_HEAD:])):
        indexed = bits in _INDEXED and size >= _LONG
        return _apart(data, start, _HEAD + size, bits) if indexed else data
    if packing == _RAW:
        start = start or _HEAD + size
        fourth = data[start + 3 :: 4]
        if bits < 32 or fourth.count(fourth[:1]) == len(fourth):  # noqa: PLR2004
            return data
        masks: Sequence[int] = (*_USUAL, _ALPHA)
    elif packing in (_FIELDS, _ALPHA_FIELDS):
        with_alpha = size >= _WITH_ALPHA or packing == _ALPHA_FIELDS
        masks = unpack_from("<4I" if with_alpha else "<3I", data, _MASKS)
        masks = masks if with_alpha else (*masks, 0)
        behind = (4 * len(masks) if with_alpha else 12) if size < _WITH_MASKS else 0
        start = start or _HEAD + size + behind
        if packing == _FIELDS and tuple(masks) in _READ[bits]:
            return data
    else:
        return data
    width, height = unpack_from("<ii", data, _HEAD + 4)
    if tuple(masks) in _READ[32] and bits == 32:  # noqa: PLR2004
        packed = data[start:]
    else:
        packed, masks = _samples(data[start:], (width, abs(height)), bits, masks), (*_USUAL, _ALPHA)
    head = pack("<IiiHHIIiiII", _WITH_ALPHA, width, height, 1, 32, _FIELDS, len(packed), 0, 0, 0, 0)
    head += pack("<4I", *masks)
    begin = _HEAD + len(head)
    return b"BM" + pack("<IHHI", begin + len(packed), 0, 0, begin) + head + packed


def _apart(data: bytes, start: int, palette: int, bits: int) -> bytes:
    """Return an indexed bitmap whose pixels lie behind its palette, where they began within it.

    Viewers read those bytes as both; Pillow begins behind the palette.
    """
    used = unpack_from("<I", data, _HEAD + 32)[0]
    end = palette + 4 * (used if 0 < used < 1 << bits else 1 << bits)
    if not palette <= start < end:
        return data
    return data[: _HEAD - 4] + pack("<I", end) + data[_HEAD:end] + data[start:]


def _samples(pixels: bytes, size: tuple[int, int], bits: int, masks: Sequence[int]) -> bytes:
    """Return blue, green, red and alpha of the rows in *pixels*, black where they end too early."""
    width, rows = size
    wide = (width * bits + 31) // 32 * 32 // bits  # rows are filled up to four bytes
    length = wide * rows * bits // 8
    pixels = pixels[:length].ljust(length, b"\0")
    planes = [
        Image.frombytes("L", (wide, rows), pixels[at :: bits // 8]) for at in range(bits // 8)
    ]
    red, green, blue, alpha = (_sample(planes, mask) for mask in masks)
    if not masks[3]:
        alpha = Image.new("L", (wide, rows), 255)
    body = Image.merge("RGBA", (red, green, blue, alpha)).crop((0, 0, width, rows))
    return body.tobytes("raw", "BGRA")


def _sample(planes: Sequence[Image.Image], mask: int) -> Image.Image:
    """Return 8 bits of what *mask* picks from the bytes of each pixel, the lowest byte first."""
    made = Image.new("L", planes[0].size)
    if not mask:
        return made
    low = (mask & -mask).bit_length() - 1
    count = min(8, mask.bit_length() - low)
    low = mask.bit_length() - count
    most = (1 << count) - 1
    for at, plane in enumerate(planes):
        parts = [((level << 8 * at & mask) >> low) * 255 // most for level in range(256)]
        if any(parts):
            made = ImageChops.add(made, plane.point([min(255, part) for part in parts]))
    return made
