"""What is left of a damaged PNG, written anew as one that a strict decoder takes.

Imported by `mending` and `salvage` alone.
"""

from __future__ import annotations

import zlib
from struct import unpack_from
from typing import TYPE_CHECKING

from doorsill.images.containers import PNG_START, png_chunks, png_profile_fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorsill.images.containers import Chunk

# What decides pixels. The rest (text, times, private chunks) is where checks fail for nothing.
_STILL = frozenset((b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"eXIf", b"IDAT"))
_ANIMATED = _STILL | {b"acTL", b"fcTL", b"fdAT"}
_ONCE = _ANIMATED - {b"IDAT", b"fcTL", b"fdAT"}
# Pillow refuses a PNG whose profile unpacks to more; without its profile it is read.
PNG_PROFILE_CAP = 1 << 20
_STEP = 1024
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # per pixel, by colour type
_FILTERS = 5
_HEAD = 13
# Of white, to which a gamma may lift the darkest level but black: of 8 bits, 1.5 lifts it to the
# first of these and 3.6 to the second.
_SEEN_CUT, _SEEN = 0.2, 0.5
# Browsers hand unpacked bytes on so much later, and drop those when a checksum fails meanwhile.
_LAG = 1 << 15
# Where each pass of an interlaced PNG begins (x, y), and its steps.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip


def rows_there(data: bytes) -> int | None:
    """Return how many rows of a PNG are there, 0 if its passes end early, None if all are."""
    there, lengths = 0, _row_lengths(data)
    needed = sum(lengths)
    for piece in _inflated(_packed(data)):
        there += len(piece)
        if there >= needed:
            return None
    return 0 if len(set(lengths)) > 1 else there // lengths[0]


def size(data: bytes) -> tuple[int, int] | None:
    """Read the size of a PNG, None where it has no header."""
    head = next((data[start:end] for name, start, end in png_chunks(data) if name == b"IHDR"), b"")
    return unpack_from(">II", head) if len(head) >= _HEAD else None


def is_interlaced(data: bytes) -> bool:
    """Tell whether the rows of a PNG come in passes."""
    return data[28:29] == b"\1"


def too_steep(data: bytes) -> bool:
    """Tell whether a gAMA chunk makes so much of the darkest levels that the others look alike.

    Of 16 bits a colour Pillow keeps the upper 8 alone, of grey all: what is lost need not be much.
    """
    depth, colour = data[24:26].ljust(2, b"\0")
    deep = depth == 16  # noqa: PLR2004
    for name, start, end in png_chunks(data):
        if name == b"gAMA" and end - start == 4:  # noqa: PLR2004
            gamma = int.from_bytes(data[start:end], "big") / 100_000
            darkest = 1 / 65535 if deep and not colour else 1 / 255
            lifted = darkest ** (1 / 2.2 / gamma) if gamma else 0
            return lifted > (_SEEN_CUT if deep and colour else _SEEN)
        if name == b"IDAT":
            break
    return False


def fails_check(data: bytes) -> bool:
    """Tell whether a checksum of its pixels is wrong, which browsers ask and Pillow does not."""
    return any(_fails(data, each) for each in png_chunks(data) if each.name == b"IDAT")


def _fails(data: bytes, part: Chunk) -> bool:
    check = data[part.end : part.end + 4]
    made = zlib.crc32(memoryview(data)[part.start : part.end], zlib.crc32(part.name))
    return len(check) == 4 and made != int.from_bytes(check, "big")  # noqa: PLR2004 - or cut off


def stops(data: bytes) -> list[int]:
    """Return after how many unpacked bytes viewers stop: at a fault, or before a bad checksum."""
    (through, faulty), needed = _through(_packed(data)), sum(_row_lengths(data))
    cut = any(name == b"IDAT" and end + 4 > len(data) for name, _, end in png_chunks(data))
    ends = [through]
    if through < needed and (faulty or not cut):
        ends.append(max(0, through - _LAG))  # a file that is only cut is painted to its end
    packed = bytearray()  # a file may have thousands of chunks
    for each in png_chunks(data):
        if each.name != b"IDAT":
            continue
        packed += data[each.start : each.end]
        if _fails(data, each):
            through, faulty = _through(packed)
            if through < needed and not faulty:  # or the fault comes first
                ends.append(max(0, through - _LAG))
            break
    return list(dict.fromkeys(ends))


def rewritten(data: bytes, stop: int, fill: int, *, still: bool) -> bytes:
    """Return the PNG with *stop* unpacked bytes of pixels at most, and *fill* in place of others.

    Args:
        data: The PNG, checksums unasked.
        stop: After how many bytes; rows that are not whole, or have no valid filter, end it too.
        fill: The byte of every sample that is missing.
        still: Whether what animates it is left out.
    """
    seen: set[bytes] = set()
    kept = _STILL if still else _ANIMATED
    with_profile = png_profile_fits(data, PNG_PROFILE_CAP)
    made = [PNG_START]
    for name, start, end in png_chunks(data):
        if name not in kept or (name in seen and name in _ONCE | {b"IDAT"}):
            continue
        seen.add(name)
        if name == b"IDAT":
            closer = zlib.compressobj(level=1)
            made.append(_chunk(name, b"".join(
                (*map(closer.compress, _rows(data, stop, fill)), closer.flush()))))  # fmt: skip
        elif name != b"iCCP" or with_profile:
            made.append(_chunk(name, data[start:end]))
    return b"".join((*made, _chunk(b"IEND", b"")))


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def _packed(data: bytes) -> bytes:
    return b"".join(data[start:end] for name, start, end in png_chunks(data) if name == b"IDAT")


def _row_lengths(data: bytes) -> list[int]:
    """Return how many bytes each row takes, its filter among them, in the order of the file."""
    head = next(start for name, start, _ in png_chunks(data) if name == b"IHDR")
    width, height, depth, colour, _, _, passes = unpack_from(">IIBBBBB", data, head)
    bits = depth * _SAMPLES.get(colour, 1)
    return [
        1 + (-((x - width) // wide) * bits + 7) // 8
        for x, y, wide, high in (_ADAM7 if passes else ((0, 0, 1, 1),))
        if x < width and y < height
        for _ in range(-((y - height) // high))
    ]


def _rows(data: bytes, stop: int, fill: int) -> Iterator[bytes]:
    """Yield the whole rows of a PNG that come before *stop*, then rows of *fill*."""
    lengths = _row_lengths(data)
    number, rest, lost = 0, bytearray(), False
    for piece in _limited(_inflated(_packed(data)), stop):
        rest += piece
        at = 0
        while number < len(lengths) and at + lengths[number] <= len(rest):
            if rest[at] >= _FILTERS:
                lost = True
                break
            at += lengths[number]
            number += 1
        yield bytes(rest[:at])
        if lost or number == len(lengths):
            break
        del rest[:at]
    for length in lengths[number:]:
        yield b"\0" + bytes((fill,)) * (length - 1)


def _limited(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def _through(packed: bytes | bytearray) -> tuple[int, bool]:
    """Return how many bytes a zlib stream holds, and whether it then breaks."""
    size = 0
    try:
        for piece in _inflated(packed, strict=True):
            size += len(piece)
    except zlib.error:
        return size, True
    return size, False


def _inflated(packed: bytes | bytearray, *, strict: bool = False) -> Iterator[bytes]:
    """Unpack the zlib stream *packed* until it ends or breaks, its own checksum unasked."""
    opener = zlib.decompressobj(-zlib.MAX_WBITS)
    at, rest = 2, b""
    try:
        while (rest or at < len(packed)) and not opener.eof:
            # In steps, so that what was unpacked before a fault is kept, and none grows too big.
            piece = rest or packed[at : at + _STEP]
            at += 0 if rest else _STEP
            yield opener.decompress(piece, _STEP * 16)
            rest = opener.unconsumed_tail
    except zlib.error:
        if strict:
            raise
