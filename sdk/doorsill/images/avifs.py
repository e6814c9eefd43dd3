"""What is left of a damaged AVIF, written anew as one still picture whose coder cannot run dry.

Imported by `mending` alone. Boxes: ISO/IEC 14496-12, 8.11; pixels: AV1 specification, 5.3.
"""

from __future__ import annotations

from itertools import islice
from struct import error, iter_unpack, pack, unpack_from
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 8
_PADDING = 1 << 16  # bytes for all pictures in it; damaged symbols run on through hardly any
_TILES, _FRAME = 4, 6  # units that end with the symbols of a tile
_MOST_BOXES = 1 << 15  # side by side: properties are numbered by 15 bits
_MOST = 1024  # items; a grid of 100 megapixels has some tens
_FTYP = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"
_KEPT = frozenset((b"hdlr", b"pitm", b"iinf", b"iref", b"iprp"))


def aperture(data: bytes, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return to which box of its first picture, of *size*, an AVIF asks to be cropped, or None.

    Pillow does not crop it; browsers do where the crop begins at the upper left corner.

    Raises:
        Exception: Whatever bad boxes lead to; ask through `Sitting.attempt`.
    """
    if b"clap" not in data:
        return None
    top = islice(_boxes(data, 0, len(data)), _MOST_BOXES)
    meta = next(box for box in top if box.name == b"meta")
    inside = _named(data, meta.body + 4, meta.end)
    props = _named(data, inside[b"iprp"].body, inside[b"iprp"].end)
    known = list(islice(_boxes(data, props[b"ipco"].body, props[b"ipco"].end), _MOST_BOXES))
    told = _told(data, props[b"ipma"], _primary(data, inside[b"pitm"]))
    for box in (known[number - 1] for number in told if 0 < number <= len(known)):
        if box.name != b"clap":
            continue
        ends = [
            over / max(1, under)
            for over, under in iter_unpack(">iI", data[box.body : box.body + 32])
        ]
        left, top = (
            (all_of - side) / 2 + off
            for all_of, side, off in zip(size, ends, ends[2:], strict=False)
        )
        crop = max(0, left), max(0, top), min(size[0], left + ends[0]), min(size[1], top + ends[1])
        at, above, to, below = map(round, crop)
        return (at, above, to, below) if at < to and above < below else None
    return None


def _named(data: bytes, at: int, end: int) -> dict[bytes, _Box]:
    return {box.name: box for box in islice(_boxes(data, at, end), _MOST_BOXES)}


def _primary(data: bytes, box: _Box) -> int:
    wide = 4 if data[box.body] else 2
    return int.from_bytes(data[box.body + 4 : box.body + 4 + wide], "big")


def _told(data: bytes, box: _Box, item: int) -> list[int]:
    """Return the numbers of the properties that *item* has."""
    wide, long = 4 if data[box.body] else 2, 2 if data[box.body + 3] & 1 else 1
    at = box.body + 8
    while at < box.end:
        number, count = int.from_bytes(data[at : at + wide], "big"), data[at + wide]
        at += wide + 1
        if number == item:
            mask = (1 << 8 * long - 1) - 1
            return [
                int.from_bytes(data[place : place + long], "big") & mask
                for place in range(at, at + count * long, long)
            ]
        at += count * long
    return []


class _Box(NamedTuple):
    name: bytes
    start: int  # of the whole box
    body: int
    end: int  # clipped to what holds it


def still(data: bytes, cap: int) -> bytes | None:
    """Return the primary picture of an AVIF, zeros behind its symbols, None if it has none.

    Viewers differ in whether a coder may read on behind the last symbol, as it does once one is
    damaged. It then reads zeros.

    Args:
        data: The file.
        cap: Bytes that the answer may have.
    """
    try:
        meta = next(box for box in _boxes(data, 0, len(data)) if box.name == b"meta")
        inside = list(_boxes(data, meta.body + 4, meta.end))
        places = next(box for box in inside if box.name == b"iloc")
        drawn = _drawn(data, inside)
        held = next((box.body for box in inside if box.name == b"idat"), 0)
        payloads = _payloads(data, places, held, cap)
    except (StopIteration, IndexError, ValueError, error):
        return None
    pad = _PADDING // max(1, len(drawn))
    for number in drawn & payloads.keys():
        payloads[number] = _padded(payloads[number], pad)
    kept = b"".join(data[box.start : box.end] for box in inside if box.name in _KEPT)
    size = _HEAD + 4 + len(kept) + _HEAD + 8 + 14 * len(payloads)
    at = len(_FTYP) + size + _HEAD
    table = b""
    for number, payload in payloads.items():
        table += pack(">HHHII", number, 0, 1, at, len(payload))
        at += len(payload)
    iloc = _box(b"iloc", pack(">IBBH", 0, 0x44, 0, len(payloads)) + table)
    mdat = _box(b"mdat", b"".join(payloads.values()))
    return _FTYP + _box(b"meta", bytes(4) + kept + iloc) + mdat


def _box(name: bytes, body: bytes) -> bytes:
    return pack(">I", _HEAD + len(body)) + name + body


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    """Walk the boxes between two places; the last may say that it is longer."""
    while at + _HEAD <= end:
        size, body = int.from_bytes(data[at : at + 4], "big"), at + _HEAD
        if size == 1:
            size, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 2 * _HEAD
        if size < body - at:
            size = end - at
        yield _Box(data[at + 4 : at + 8], at, body, min(at + size, end))
        at += size


def _drawn(data: bytes, inside: list[_Box]) -> set[int]:
    """Return the numbers of the items that AV1 codes."""
    infos = next(box for box in inside if box.name == b"iinf")
    wide = 2 if data[infos.body] else 0
    found = set()
    for box in _boxes(data, infos.body + 6 + wide, infos.end):
        more = 2 if data[box.body] > 2 else 0  # noqa: PLR2004 - from version 3 on of four bytes
        if data[box.body + 8 + more : box.body + 12 + more] == b"av01":
            found.add(int.from_bytes(data[box.body + 4 : box.body + 6 + more], "big"))
        if len(found) > _MOST:
            raise ValueError
    return found


def _payloads(data: bytes, places: _Box, held: int, cap: int) -> dict[int, bytes]:
    """Return the bytes of each item, as far as the file has them."""
    at = places.body
    version, sizes = data[at], unpack_from(">H", data, at + 4)[0]
    offset, length, base, index = (sizes >> by & 15 for by in (12, 8, 4, 0))
    long = 2 if version < 2 else 4  # noqa: PLR2004
    at += 6

    def number(width: int) -> int:
        nonlocal at
        at += width
        if at > places.end:
            raise ValueError
        return int.from_bytes(data[at - width : at], "big")

    found: dict[int, bytes] = {}
    total = 0
    for _ in range(min(number(long), _MOST)):
        item = number(long)
        inside = version > 0 and number(2) & 15 == 1
        number(2)  # which file: there is one
        begin = number(base) + (held if inside else 0)
        payload = b""
        for _ in range(min(number(2), _MOST)):
            if version:
                number(index)
            start = begin + number(offset)
            size = number(length) or len(data)
            payload += data[start : start + size]
            total += min(size, len(data))
            if total > cap - _PADDING:
                raise ValueError
        if item < 1 << 16:
            found[item] = payload
    return found


def _padded(payload: bytes, pad: int) -> bytes:
    """Return AV1 units with *pad* zeros behind the symbols of the last one."""
    at, last = 0, None
    while at < len(payload):
        head = payload[at]
        body = at + 1 + (head >> 2 & 1)
        size, after = _length(payload, body) if head & 2 else (len(payload) - body, body)
        if head >> 3 & 15 in (_TILES, _FRAME):
            last = at, body, after, after + size
        at = after + size
    if last is None:
        return payload
    start, body, after, end = last
    symbols = payload[after:end] + bytes(pad)
    size = len(symbols)
    coded = bytes(size >> by & 127 | (128 if by < 21 else 0) for by in (0, 7, 14, 21))  # noqa: PLR2004
    return (
        payload[:start] + bytes((payload[start] | 2,)) + payload[start + 1 : body] + coded + symbols
    )


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a length of seven bits a byte: it, and where it ends."""
    value = 0
    for by, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * by
        if byte < 128:  # noqa: PLR2004
            return value, at + by + 1
    return 0, at + 8
