"""A mutator of picture files that knows where their parts lie.

Half of what it does would be found by changing bytes at random only after hours: parts doubled,
dropped and reordered, lengths and sizes that lie, beginnings of one file on the end of another.
"""

from __future__ import annotations

import io
import random
import zlib
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import pillow_heif
import pytest
from PIL import Image

import icc
from drawn import PNG_START, saved, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "AVIF", "HEIF")
_SMALL = (72, 56)
_NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x7FFF, 0x8000, 0xFFFF, 13300,
            0x10000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)  # fmt: skip
_LONGEST = 1 << 17  # bytes; larger files are the business of bombs


class Part(NamedTuple):
    """A part of a file that says how long it is."""

    start: int
    end: int
    length: int  # where its length stands, or another number that others rely on
    width: int  # bytes of that number


# ---- files to begin with


@cache
def seeds(kind: str, size: tuple[int, int] = _SMALL) -> tuple[bytes, ...]:
    """Return valid files of a kind, made in different ways."""
    one, two = scene(size), scene(size, seed=8)
    exif = Image.Exif()
    exif[0x0112] = 6
    tagged = {"exif": exif, "icc_profile": icc.swapped()}
    frames = {"save_all": True, "append_images": [two, one], "duration": 50}
    holed = one.convert("RGBA")
    holed.putalpha(two.convert("L"))
    made: dict[str, Callable[[], list[bytes]]] = {
        "JPEG": lambda: [
            saved(one, "JPEG", **tagged),
            saved(one, "JPEG", progressive=True, comment=b"c" * 40),
            saved(one.convert("CMYK"), "JPEG", restart_marker_blocks=4),
            saved(one, "MPO", save_all=True, append_images=[two]),
        ],
        "PNG": lambda: [
            saved(one, "PNG", **tagged),
            saved(holed, "PNG", gamma=1.0),
            saved(one, "PNG", save_all=True, append_images=[two]),
            saved(one.convert("P"), "PNG", transparency=3, bits=8),
            saved(one.convert("I;16"), "PNG"),
        ],
        "GIF": lambda: [
            saved(one, "GIF", comment=b"c" * 300, **frames),
            saved(one.convert("P"), "GIF", transparency=3, interlace=1),
        ],
        "WEBP": lambda: [
            saved(one, "WEBP", exif=exif, icc_profile=icc.swapped()),
            saved(holed, "WEBP", lossless=True),
            saved(one, "WEBP", **frames),
        ],
        "TIFF": lambda: [
            saved(one, "TIFF", icc_profile=icc.swapped()),
            saved(one, "TIFF", compression="tiff_lzw", save_all=True, append_images=[two]),
            saved(one, "TIFF", compression="jpeg"),
            saved(one.convert("1"), "TIFF", compression="group4"),
            saved(one, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 2}),
        ],
        "BMP": lambda: [saved(one, "BMP"), saved(one.convert("P"), "BMP"), saved(holed, "BMP")],
        "ICO": lambda: [
            saved(one, "ICO", sizes=[size], bitmap_format="bmp"),
            saved(holed, "ICO", sizes=[(32, 24), size], append_images=[two]),
        ],
        "AVIF": lambda: [
            saved(one, "AVIF", speed=10, **tagged),
            saved(holed, "AVIF", speed=10),
            saved(one, "AVIF", speed=10, **frames),
        ],
        "HEIF": lambda: [_heic(one), _heic(holed), _heic(one, 64)],
    }
    return tuple(made[kind]())


def _heic(picture: Image.Image, tile: int = 0) -> bytes:
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as change:
        change.setattr(pillow_heif.options, "GRID_TILE_SIZE", tile)
        pillow_heif.from_pillow(picture).save(file)
    return file.getvalue()


# ---- where their parts lie


def parts(kind: str, data: bytes) -> list[Part]:
    """Return the parts of a file, those inside of others too, as far as it still has any."""
    found = islice(_WALKS[kind](data), 500)
    return [part for part in found if part.start < part.end <= len(data)]


def _jpeg(data: bytes) -> Iterator[Part]:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] in (0, 0xFF):
            at += 1  # compressed pixels
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        yield Part(at, at + 2 + size, at + 2, 2)
        if 0xC0 <= data[at + 1] <= 0xCF:
            yield Part(at, at + 2 + size, at + 5, 2)  # height
            yield Part(at, at + 2 + size, at + 7, 2)
        at += 2 + size


def _png(data: bytes) -> Iterator[Part]:
    at = len(PNG_START)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield Part(at, end, at, 4)
        if data[at + 4 : at + 8] in (b"IHDR", b"fcTL", b"acTL"):
            for field in range(at + 8, end - 4, 4):
                yield Part(at, end, field, 4)
        at = end


def _gif(data: bytes) -> Iterator[Part]:
    for field in (6, 8):
        yield Part(0, 13, field, 2)
    at = 13 + _palette(int.from_bytes(data[10:11], "big"))
    while at + 10 < len(data):
        start = at
        if data[at] == 0x2C:
            for field in range(at + 1, at + 9, 2):
                yield Part(start, at + 10, field, 2)
            at += 11 + _palette(data[at + 9])
        else:
            at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        yield Part(start, at, start + 2, 1)


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes, at: int = 12, end: int | None = None) -> Iterator[Part]:
    if at == 12:
        yield Part(0, len(data), 4, 4)
    end = len(data) if end is None else end
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield Part(at, at + 8 + size + size % 2, at + 4, 4)
        if data[at : at + 4] in (b"VP8X", b"ANMF", b"VP8 ", b"VP8L"):
            for field in range(at + 8, at + 24, 3):
                yield Part(at, at + 8 + size, field, 3)
        if data[at : at + 4] == b"ANMF":
            yield from _webp(data, at + 24, min(end, at + 8 + size))
        at += 8 + size + size % 2


def _tiff(data: bytes) -> Iterator[Part]:
    order = "little" if data[:2] == b"II" else "big"
    start, seen = int.from_bytes(data[4:8], order), 0
    yield Part(0, 8, 4, 4)
    while 8 <= start < len(data) - 2 and seen < 8:
        count = int.from_bytes(data[start : start + 2], order)
        yield Part(start, start + 6 + 12 * count, start, 2)
        for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 12), 12):
            for field, width in ((0, 2), (2, 2), (4, 4), (8, 4)):
                yield Part(at, at + 12, at + field, width)
        end = start + 2 + 12 * count
        yield Part(end, end + 4, end, 4)  # where the next one begins
        start, seen = int.from_bytes(data[end : end + 4], order), seen + 1


def _bmp(data: bytes) -> Iterator[Part]:
    head = 14 + int.from_bytes(data[14:15], "big")
    yield from (Part(0, 14, field, 4) for field in (2, 10))
    yield from (Part(14, head, field, 4) for field in range(14, head, 4))
    yield from (Part(head, len(data), field, 2) for field in (26, 28))


def _ico(data: bytes) -> Iterator[Part]:
    yield Part(0, 6, 4, 2)
    for at in range(6, min(6 + 16 * int.from_bytes(data[4:6], "little"), len(data) - 16), 16):
        size, start = (int.from_bytes(data[at + by : at + by + 4], "little") for by in (8, 12))
        for field in (at + 8, at + 12):
            yield Part(at, at + 16, field, 4)
        for field in range(start, start + 40, 4):
            yield Part(start, start + size, field, 4)


def _boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[Part]:
    end = len(data) if end is None else end
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield Part(at, at + size, at, 4)
        name, inside = data[at + 4 : at + 8], at + 8
        if name in (b"meta", b"iinf", b"iref", b"ipro"):
            inside += 6 if name == b"iinf" else 4
        if name in (b"ispe", b"iloc", b"pixi", b"av1C", b"ipma", b"pitm", b"stsz", b"tkhd"):
            for field in range(inside, min(at + size, inside + 24), 2):
                yield Part(at, at + size, field, 4 if field % 4 == inside % 4 else 2)
        if name in (
            b"meta",
            b"iprp",
            b"ipco",
            b"iinf",
            b"moov",
            b"trak",
            b"mdia",
            b"minf",
            b"stbl",
        ):
            yield from _boxes(data, inside, min(at + size, end))
        at += size


_WALKS: dict[str, Callable[[bytes], Iterator[Part]]] = {
    "JPEG": _jpeg, "PNG": _png, "GIF": _gif, "WEBP": _webp, "TIFF": _tiff, "BMP": _bmp,
    "ICO": _ico, "AVIF": _boxes, "HEIF": _boxes,
}  # fmt: skip


# ---- what is done to them


def mutated(kind: str, seed: int, size: tuple[int, int] = _SMALL) -> bytes:
    """Return a damaged file of a kind and about a size, the same one for the same seed."""
    chance = random.Random(f"{kind} {seed}")  # noqa: S311 - mutations
    data = chance.choice(seeds(kind, size))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        data = chance.choice(_DEEDS)(kind, data or b"\0", chance)[:_LONGEST]
    return _checked(data) if kind == "PNG" and chance.randrange(4) else data


def _of_part(kind: str, data: bytes, chance: random.Random) -> Part:
    return chance.choice(parts(kind, data) or [Part(0, len(data), 0, 1)])


def _doubled(kind: str, data: bytes, chance: random.Random) -> bytes:
    part = _of_part(kind, data, chance)
    times = chance.choice((1, 1, 1, 2, 40, 3000 // (1 + part.end - part.start)))
    return data[: part.end] + data[part.start : part.end] * times + data[part.end :]


def _dropped(kind: str, data: bytes, chance: random.Random) -> bytes:
    part = _of_part(kind, data, chance)
    return data[: part.start] + data[part.end :]


def _moved(kind: str, data: bytes, chance: random.Random) -> bytes:
    part, to = _of_part(kind, data, chance), _of_part(kind, data, chance)
    piece, rest = data[part.start : part.end], data[: part.start] + data[part.end :]
    return rest[: to.start] + piece + rest[to.start :]


def _renumbered(kind: str, data: bytes, chance: random.Random) -> bytes:
    part = _of_part(kind, data, chance)
    order = "little" if kind in ("GIF", "WEBP", "BMP", "ICO") or data[:2] == b"II" else "big"
    was = int.from_bytes(data[part.length : part.length + part.width], order)
    near = was + chance.choice((-8, -2, -1, 1, 2, 8, was, -(was // 2)))
    number = chance.choice((near, near, chance.choice(_NUMBERS), chance.randrange(1 << 16)))
    bound = 1 << 8 * part.width
    return _put(data, part.length, (number % bound).to_bytes(part.width, order))


def _anywhere(_: str, data: bytes, chance: random.Random) -> bytes:
    number, width = chance.choice(_NUMBERS), chance.choice((1, 2, 4))
    order = chance.choice(("little", "big"))
    at = chance.randrange(len(data))
    return _put(data, at, (number % (1 << 8 * width)).to_bytes(width, order))


def _flipped(_: str, data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 4, 30))):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(_: str, data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _filled(_: str, data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    junk = chance.choice((chance.randbytes(chance.randrange(200)), bytes(chance.randrange(2000))))
    return data[:at] + junk + data[at + chance.choice((0, len(junk))) :]


def _spliced(kind: str, data: bytes, chance: random.Random) -> bytes:
    other = chance.choice(seeds(chance.choice((kind, kind, chance.choice(KINDS)))))
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def _put(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


_DEEDS = (_doubled, _dropped, _moved, _renumbered, _renumbered, _renumbered, _anywhere, _flipped,
          _cut, _filled, _spliced)  # fmt: skip


def _checked(data: bytes) -> bytes:
    """Return a PNG with right checksums, or decoders would look no further."""
    mended = bytearray(data)
    for part in parts("PNG", data):
        if part.length == part.start:
            body = data[part.start + 4 : part.end - 4]
            mended[part.end - 4 : part.end] = zlib.crc32(body).to_bytes(4, "big")
    return bytes(mended)
