"""Traps in the boxes of AVIF and HEIC: turns, crops, tiles, alpha; `traps` names them all."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pillow_heif
from PIL import Image, ImageOps

from drawn import decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Maker = Callable[[Image.Image], bytes]

_ESSENTIAL = 0x80
_ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"


class _Item(NamedTuple):
    kind: bytes
    payload: bytes
    boxes: tuple[bytes, ...]  # its properties, whole boxes
    refers: tuple[bytes, tuple[int, ...]] | None = None


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def _walk(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big") or end - at
        yield data[at + 4 : at + 8], at, at + size
        at += size


def _inside(data: bytes, *path: bytes) -> tuple[int, int]:
    """Return where the box at *path* lies."""
    start, end = -8, len(data)
    for name in path:
        skip = 12 if data[start + 4 : start + 8] == b"meta" else 8
        _, start, end = next(found for found in _walk(data, start + skip, end) if found[0] == name)
    return start, end


def _coded(picture: Image.Image, kind: bytes) -> _Item:
    """Return *picture* as one item, coded by a library, with the properties that it needs."""
    if kind == b"av01":
        data = saved(picture, "AVIF", quality=85, speed=10)
    else:
        file = io.BytesIO()
        pillow_heif.from_pillow(picture).save(file, quality=90)
        data = file.getvalue()
    start, end = _inside(data, b"meta", b"iprp", b"ipco")
    kept = tuple(
        data[at:to] for name, at, to in _walk(data, start + 8, end)
        if name in (b"av1C", b"hvcC", b"ispe", b"pixi", b"colr")
    )  # fmt: skip
    start, end = _inside(data, b"mdat")
    return _Item(kind, data[start + 8 : end], kept)


def _file(brand: bytes, items: list[_Item], primary: int = 1) -> bytes:
    """Return a file of *items*, numbered from 1."""
    known = list(dict.fromkeys(one for item in items for one in item.boxes))
    infos, links, refs = b"", b"", b""
    for number, item in enumerate(items, 1):
        infos += _box(b"infe", struct.pack(">IHH", 2 << 24, number, 0), item.kind, b"\0")
        told = bytes(
            known.index(one) + 1
            | (_ESSENTIAL if one[4:8] not in (b"ispe", b"pixi", b"colr") else 0)
            for one in item.boxes
        )
        links += struct.pack(">HB", number, len(told)) + told
        if item.refers is not None:
            name, others = item.refers
            refs += _box(name, struct.pack(f">HH{len(others)}H", number, len(others), *others))
    head = _box(b"ftyp", brand, bytes(4), brand, b"mif1miaf")

    def meta(at: int) -> bytes:
        table = b""
        for number, item in enumerate(items, 1):
            table += struct.pack(">HHHII", number, 0, 1, at, len(item.payload))
            at += len(item.payload)
        count = struct.pack(">H", len(items))
        return _box(
            b"meta", bytes(4),
            _box(b"hdlr", bytes(8), b"pict", bytes(13)),
            _box(b"pitm", bytes(4), struct.pack(">H", primary)),
            _box(b"iloc", struct.pack(">IBB", 0, 0x44, 0), count, table),
            _box(b"iinf", bytes(4), count, infos),
            *((_box(b"iref", bytes(4), refs),) if refs else ()),
            _box(b"iprp", _box(b"ipco", *known),
                 _box(b"ipma", bytes(4), struct.pack(">I", len(items)), links)),
        )  # fmt: skip

    begin = len(head) + len(meta(0)) + 8
    return head + meta(begin) + _box(b"mdat", *(item.payload for item in items))


def _clap(size: tuple[int, int], whole: tuple[int, int], place: tuple[int, int]) -> bytes:
    """Return a clean aperture: *size* at *place* of a *whole*; its centre is told in halves."""
    off = [2 * at + side - all_of for at, side, all_of in zip(place, size, whole, strict=True)]
    return _box(b"clap", struct.pack(">8i", size[0], 1, size[1], 1, off[0], 2, off[1], 2))


def _with(item: _Item, *boxes: bytes) -> _Item:
    return item._replace(boxes=item.boxes + boxes)


def _kinds(make: Callable[[Image.Image, Any], bytes]) -> dict[str, Maker]:
    name = make.__name__.replace("_", " ")
    return {
        f"avif {name}": lambda picture: make(picture, (b"avif", b"av01")),
        f"heic {name}": lambda picture: make(picture, (b"heic", b"hvc1")),
    }


def turned_by_box(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Stored a quarter turn to the right, turned back by irot."""
    item = _coded(picture.transpose(Image.Transpose.ROTATE_270), kind[1])
    return _file(kind[0], [_with(item, _box(b"irot", b"\1"))])


def mirrored_by_box(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Stored mirrored, mirrored back by imir."""
    item = _coded(ImageOps.mirror(picture), kind[1])
    return _file(kind[0], [_with(item, _box(b"imir", b"\1"))])


def turned_and_mirrored(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Turned by irot and then mirrored by imir."""
    item = _coded(ImageOps.flip(picture).transpose(Image.Transpose.ROTATE_270), kind[1])
    return _file(kind[0], [_with(item, _box(b"irot", b"\1"), _box(b"imir", b"\0"))])


def _beside(picture: Image.Image, *, first: bool) -> Image.Image:
    wide, high = picture.size
    both = Image.new("RGB", (2 * wide, high))
    both.paste(decoy(picture.size), (wide if first else 0, 0))
    both.paste(picture, (0 if first else wide, 0))
    return both


def cropped_to_left(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Another picture lies to the right, out of the clean aperture."""
    both = _beside(picture, first=True)
    item = _coded(both, kind[1])
    return _file(kind[0], [_with(item, _clap(picture.size, both.size, (0, 0)))])


def cropped_to_right(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Another picture lies to the left, out of the clean aperture."""
    both = _beside(picture, first=False)
    item = _coded(both, kind[1])
    return _file(kind[0], [_with(item, _clap(picture.size, both.size, (picture.width, 0)))])


def in_tiles(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """A grid of four items."""
    wide, high = picture.width // 2, picture.height // 2
    parts = [
        _coded(picture.crop((x, y, x + wide, y + high)), kind[1])
        for y in (0, high) for x in (0, wide)
    ]  # fmt: skip
    shape = struct.pack(">BBBBHH", 0, 0, 1, 1, 2 * wide, 2 * high)
    size = _box(b"ispe", bytes(4), struct.pack(">II", 2 * wide, 2 * high))
    pixi = tuple(one for one in parts[0].boxes if one[4:8] == b"pixi")
    whole = _Item(b"grid", shape, (size, *pixi), (b"dimg", (2, 3, 4, 5)))
    return _file(kind[0], [whole, *parts])


def second_is_primary(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Another picture comes first, but the file says that the second one is meant."""
    items = [_coded(decoy(picture.size), kind[1]), _coded(picture, kind[1])]
    return _file(kind[0], items, primary=2)


def in_alpha_item(picture: Image.Image, kind: tuple[bytes, bytes]) -> bytes:
    """Black, and in an item of its own the alpha that shows the picture on white."""
    black = _coded(Image.new("RGB", picture.size), kind[1])
    alpha = _coded(ImageOps.invert(picture).convert("L"), kind[1])
    alpha = _with(alpha, _box(b"auxC", bytes(4), _ALPHA))._replace(refers=(b"auxl", (1,)))
    return _file(kind[0], [black, alpha])


BOXED: dict[str, Maker] = (
    _kinds(turned_by_box) | _kinds(mirrored_by_box) | _kinds(turned_and_mirrored)
    | _kinds(cropped_to_left) | _kinds(cropped_to_right) | _kinds(in_tiles)
    | _kinds(second_is_primary) | _kinds(in_alpha_item)
)  # fmt: skip
