"""Traps by what bitmaps' headers may say; `traps` names them all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from drawn import decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Maker = Callable[[Image.Image], bytes]

_RGB, _RLE4, _FIELDS, _JPEG, _PNG, _ALPHA_FIELDS = 0, 2, 3, 4, 5, 6


def bitmap(
    size: tuple[int, int], bits: int, body: bytes, *, packing: int = _RGB, colours: bytes = b"",
    said: int = 0, masks: Sequence[int] = (), head: int = 40, start: int | None = None,
) -> bytes:  # fmt: skip
    """Return a bitmap: its header, masks, table of colours (of which *said* are told), pixels."""
    told = struct.pack("<IiiHHIIiiII", head, *size, 1, bits, packing, len(body), 0, 0, said, 0)
    told = (told + struct.pack(f"<{len(masks)}I", *masks)).ljust(head, b"\0")
    begin = 14 + len(told) + len(colours)
    begin = begin if start is None else start
    return b"BM" + struct.pack("<IHHI", begin + len(body), 0, 0, begin) + told + colours + body


def _rows(samples: np.ndarray) -> bytes:
    """Return rows from the last to the first, each filled up to four bytes."""
    rows = [row.tobytes() for row in samples[::-1]]
    return b"".join(row + bytes(-len(row) % 4) for row in rows)


def _four(picture: Image.Image) -> np.ndarray:
    """Return 16 levels of gray, two pixels a byte."""
    level = np.asarray(picture.convert("L")) >> 4
    return (level[:, ::2] << 4 | level[:, 1::2]).astype(np.uint8)


_SIXTEEN = b"".join(bytes((17 * at,) * 3 + (0,)) for at in range(16))


def bmp_four_bits(picture: Image.Image) -> bytes:
    """16 greys."""
    return bitmap(picture.size, 4, _rows(_four(picture)), colours=_SIXTEEN)


def bmp_rle4(picture: Image.Image) -> bytes:
    """16 greys in runs."""
    rows = [
        b"".join(b"\2" + bytes((pair,)) for pair in row) + b"\0\0" for row in _four(picture)[::-1]
    ]
    body = b"".join(rows) + b"\0\1"
    return bitmap(picture.size, 4, body, packing=_RLE4, colours=_SIXTEEN)


def bmp_rle_holes(picture: Image.Image) -> bytes:
    """Runs that leave out what is white, so that it is black or see-through."""
    gray = np.asarray(ImageOps.invert(picture).convert("L").point(lambda level: level // 2))
    body = b""
    for row in gray[::-1]:
        for level in row:
            body += b"\0\2\1\0" if level < 24 else b"\1" + bytes((level,))
        body += b"\0\0"
    table = b"".join(bytes((255 - 2 * at if at < 128 else 0,) * 3 + (0,)) for at in range(256))
    return bitmap(picture.size, 8, body + b"\0\1", packing=1, colours=table)


def _core(picture: Image.Image, bits: int, colours: bytes, body: bytes) -> bytes:
    head = struct.pack("<IHHHH", 12, *picture.size, 1, bits)
    begin = 14 + 12 + len(colours)
    return b"BM" + struct.pack("<IHHI", begin + len(body), 0, 0, begin) + head + colours + body


def bmp_core(picture: Image.Image) -> bytes:
    """The header of OS/2 1, all colours."""
    return _core(picture, 24, b"", _rows(np.asarray(picture)[:, :, ::-1]))


def bmp_core_table(picture: Image.Image) -> bytes:
    """The header of OS/2 1, and its table of three bytes a colour, from light to dark."""
    table = b"".join(bytes((255 - at,) * 3) for at in range(256))
    return _core(picture, 8, table, _rows(255 - np.asarray(picture.convert("L"))))


def bmp_long_table(picture: Image.Image) -> bytes:
    """A table of more colours than 8 bits can name."""
    table = b"".join(bytes((at % 256,) * 3 + (0,)) for at in range(3000))
    body = _rows(np.asarray(picture.convert("L")))
    return bitmap(picture.size, 8, body, colours=table, said=3000)


def bmp_no_start(picture: Image.Image) -> bytes:
    """It does not say where its pixels begin."""
    body = _rows(np.asarray(picture)[:, :, ::-1])
    return bitmap(picture.size, 24, body, start=0)


def bmp_cut_table(picture: Image.Image) -> bytes:
    """A table of fewer colours than are told."""
    table = b"".join(bytes((at,) * 3 + (0,)) for at in range(256))
    return bitmap(picture.size, 8, _rows(np.asarray(picture.convert("L"))), colours=table, said=17)


def _with_alpha(colour: Image.Image, alpha: Image.Image) -> np.ndarray:
    parts = np.asarray(colour)[:, :, ::-1], np.asarray(alpha.convert("L"))[:, :, None]
    return np.concatenate(parts, axis=2)


def bmp_alpha_said(picture: Image.Image) -> bytes:
    """Black, and the picture in an alpha that the header names."""
    body = _rows(_with_alpha(Image.new("RGB", picture.size), ImageOps.invert(picture)))
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return bitmap(picture.size, 32, body, packing=_FIELDS, masks=masks, head=108)


def bmp_alpha_unsaid(picture: Image.Image) -> bytes:
    """The picture, and an alpha of nothing that the header does not name."""
    return bitmap(picture.size, 32, _rows(_with_alpha(picture, Image.new("L", picture.size))))


def bmp_alpha_other(picture: Image.Image) -> bytes:
    """Black, and the picture in an alpha that the header does not name."""
    body = _rows(_with_alpha(Image.new("RGB", picture.size), ImageOps.invert(picture)))
    return bitmap(picture.size, 32, body)


def bmp_alpha_fields(picture: Image.Image) -> bytes:
    """Four masks behind the short header."""
    body = _rows(_with_alpha(picture, Image.new("L", picture.size, 255)))
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return bitmap(
        picture.size, 32, body, packing=_ALPHA_FIELDS, masks=masks, head=40,
    )  # fmt: skip


def bmp_ten_bits(picture: Image.Image) -> bytes:
    """Masks of 10 bits a colour."""
    red, green, blue = (np.asarray(band, np.uint32) for band in picture.split())
    words = red << 22 | green << 12 | blue << 2
    masks = (0x3FF00000, 0xFFC00, 0x3FF)
    return bitmap(picture.size, 32, _rows(words), packing=_FIELDS, masks=masks, head=56)


def bmp_sixteen_other(picture: Image.Image) -> bytes:
    """Masks of 4, 4, 4 and, for alpha, 4 bits."""
    red, green, blue = (np.asarray(band, np.uint16) >> 4 for band in picture.split())
    body = _rows(0xF000 | blue << 8 | green << 4 | red)
    masks = (0xF, 0xF0, 0xF00, 0xF000)
    return bitmap(picture.size, 16, body, packing=_FIELDS, masks=masks, head=108)


def bmp_green_alone(picture: Image.Image) -> bytes:
    """Masks that read all three colours from one byte; the others hold another picture."""
    other, gray = np.asarray(decoy(picture.size).convert("L")), np.asarray(picture.convert("L"))
    body = _rows(np.stack([other, other, gray, other], axis=2))
    masks = (0xFF0000, 0xFF0000, 0xFF0000)
    return bitmap(picture.size, 32, body, packing=_FIELDS, masks=masks, head=52)


def bmp_holding(kind: str, packing: int) -> Maker:
    """Return a maker of a bitmap whose pixels are a file of another kind."""
    return lambda picture: bitmap(picture.size, 0, saved(picture, kind), packing=packing)


BITMAPS: dict[str, Maker] = {
    one.__name__: one
    for one in (
        bmp_four_bits, bmp_rle4, bmp_rle_holes, bmp_core, bmp_core_table, bmp_long_table,
        bmp_no_start, bmp_cut_table, bmp_alpha_said, bmp_alpha_unsaid, bmp_alpha_other,
        bmp_alpha_fields, bmp_ten_bits, bmp_green_alone, bmp_sixteen_other,
    )
}  # fmt: skip
UNREAD: dict[str, Maker] = {
    "bmp of a jpeg": bmp_holding("JPEG", _JPEG),
    "bmp of a png": bmp_holding("PNG", _PNG),
}
