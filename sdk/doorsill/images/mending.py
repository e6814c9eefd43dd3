"""What a viewer would still read of a broken file, as a file that a strict decoder takes.

Pillow can be told to tolerate damage only by a global that belongs to the host and to every
thread in it. Mending the bytes instead touches nothing outside the call.
"""

from __future__ import annotations

import zlib
from struct import unpack_from
from typing import TYPE_CHECKING

from doorsill.images.containers import PNG_START, jpeg_markers, png_chunks, png_profile_fits

if TYPE_CHECKING:
    from collections.abc import Iterator

# What decides pixels. The rest (text, times, private chunks) is where checks fail for nothing.
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"IDAT", b"fdAT"),
)
# Pillow refuses a PNG whose profile unpacks to more; without its profile it is read.
PNG_PROFILE_CAP = 1 << 20
_JPEG_END = b"\xff\xd9"
_BOX_HEAD = 8
_STEP = 1024
_PNG_ONCE = frozenset((b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"eXIf", b"acTL"))
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # per pixel, by colour type
# Where each pass of an interlaced PNG begins (x, y), and its steps.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip


def mended(kind: str, data: bytes, cap: int) -> bytes | None:
    """Return *data* made readable, at most *cap* bytes, or None where nothing can be done."""
    if kind == "JPEG":
        # Decoders paint what is missing grey once they meet an end, as browsers do.
        return data + _JPEG_END
    if kind == "PNG":
        return _png(data)
    size = _declared(kind, data)
    return data.ljust(size, b"\0") if len(data) < size <= cap else None


def ended_otherwise(data: bytes) -> bytes:
    """Return a JPEG, with or without end, ended in another way than it or `mended` does.

    Both show the same if no pixel was missing: what follows the last one is skipped.
    """
    end = next((at for code, at in jpeg_markers(data) if code == _JPEG_END[1]), len(data))
    return data[:end] + b"\x5a\xa5\x3c" * 200 + _JPEG_END


def png_rows(data: bytes) -> int | None:
    """Return how many rows of a PNG are there, 0 if its passes end early, None if all are."""
    head = next(start for name, start, _ in png_chunks(data) if name == b"IHDR")
    width, height, depth, colour, _, _, passes = unpack_from(">IIBBBBB", data, head)
    bits = depth * _PNG_SAMPLES.get(colour, 1)
    needed = sum(
        (1 + (-((x - width) // wide) * bits + 7) // 8) * -((y - height) // high)
        for x, y, wide, high in (_ADAM7 if passes else ((0, 0, 1, 1),))
        if x < width and y < height
    )
    there = 0
    packed = b"".join(data[start:end] for name, start, end in png_chunks(data) if name == b"IDAT")
    for piece in _inflated(packed):
        there += len(piece)
        if there >= needed:
            return None
    return 0 if passes else there * height // needed


def _png(data: bytes) -> bytes:
    kept: list[tuple[bytes, bytes]] = []
    pixels: list[bytes] = []
    seen: set[bytes] = set()
    with_profile = png_profile_fits(data, PNG_PROFILE_CAP)
    for name, start, end in png_chunks(data):
        if name not in _PNG_KEPT or name in seen or (name == b"iCCP" and not with_profile):
            continue
        seen |= {name} & _PNG_ONCE
        body = data[start:end]
        if name != b"IDAT" or b"acTL" in seen:
            kept.append((name, body))
        else:
            pixels.append(body)
    if pixels:
        kept.append((b"IDAT", _inflated_again(b"".join(pixels))))
    return PNG_START + b"".join(_chunk(name, body) for name, body in (*kept, (b"IEND", b"")))


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def _inflated_again(packed: bytes) -> bytes:
    """Return the zlib stream *packed* ended where it breaks, without its own checksum.

    Decoders drop the last rows when that checksum is wrong, and viewers do not.
    """
    closer = zlib.compressobj(level=1)
    return b"".join((*map(closer.compress, _inflated(packed)), closer.flush()))


def _inflated(packed: bytes) -> Iterator[bytes]:
    """Unpack the zlib stream *packed* until it ends or breaks."""
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
        pass


def _declared(kind: str, data: bytes) -> int:
    """Return how long the file says it is, for the kinds that say so."""
    if kind == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8
    if kind not in ("AVIF", "HEIF"):
        return 0
    at = 0
    while at + _BOX_HEAD <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < _BOX_HEAD:
            return 0
        at += size
    return at
