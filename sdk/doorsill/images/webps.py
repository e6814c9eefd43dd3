"""What is left of a damaged WebP, written anew as one that a strict decoder takes.

Imported by `salvage` alone. Chunks: RFC 9649; lossy pixels: RFC 6386, 9.1.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from doorsill.images.containers import webp_chunk_size
from doorsill.images.opening import load, open_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL import Image

    from doorsill.images.sitting import Sitting

_HEAD, _CHUNK, _VP8_HEAD, _ANMF_HEAD = 12, 8, 10, 16
_PADDING = 1 << 16  # a coder of ranges or prefixes runs on through so much at most
# Bytes that end a lossless picture. One in 16 says what cannot be, so there are spare ones.
_ENDS = (b"\0", b"\xa5", b"\x5c", b"\xff")
_ROWS = 16  # browsers paint lossless rows in such steps
_EFFORT = 1 << 25  # pixels that finding the fault may decode


class _Still(NamedTuple):
    """One picture of a WebP, and the chunks that belong to it."""

    name: bytes
    body: bytes
    alpha: bytes
    profile: bytes
    exif: bytes


def salvaged(
    sitting: Sitting, data: bytes, affords: Callable[[tuple[int, int]], bool]
) -> Iterator[tuple[Image.Image, Image.Image | None, int]]:
    """Yield the first picture, decoded twice with what is missing different, and a step of rows.

    Args:
        sitting: Which is asked between decoding steps.
        data: The file. If it is transparent and its alpha is broken, it comes without.
        affords: Tells whether pixels of a size may be decoded: opening it takes their memory.
    """
    still = _first(data)
    if still is None or not affords(_size(still)):
        return
    if still.name == b"VP8L":
        yield from _lossless(sitting, still)
        return
    for alpha in (still.alpha, b"") if still.alpha else (b"",):
        one, two = (
            _decoded(sitting, _lossy(still._replace(alpha=alpha), fill)) for fill in _ENDS[:2]
        )
        if one is not None:
            yield one, two, 1
            return
        sitting.check()


def _lossless(sitting: Sitting, still: _Still) -> Iterator[tuple[Image.Image, Image.Image, int]]:
    """Find the longest beginning of the pixels that can be ended, and end it in two ways."""
    low, high = 5, len(still.body) + 1  # the first can be ended, for all we know; the latter not
    trials = max(4, _EFFORT // max(1, _area(still)))
    best: list[Image.Image] = []
    at = len(still.body)
    while low < high - 1 and trials > 0:
        ended = []
        for fill in _ENDS:
            trials -= 1
            image = _decoded(sitting, _riff(still, still.body[:at] + fill * _PADDING))
            sitting.check()
            if image is not None:
                ended.append(image)
            if len(ended) == 2 or (fill == _ENDS[1] and not ended):  # noqa: PLR2004
                break
        if len(ended) == 2:  # noqa: PLR2004
            low, best = at, ended
        else:
            high = at
        at = (low + high) // 2
    if best:
        yield best[0], best[1], _ROWS


def _decoded(sitting: Sitting, data: bytes) -> Image.Image | None:
    image = open_picture(sitting, "WEBP", data)
    return image if image is not None and load(sitting, image) else None


def _first(data: bytes) -> _Still | None:
    """Return the first picture of a WebP, whatever else is broken in it."""
    at = _HEAD
    found = {b"ALPH": b"", b"ICCP": b"", b"EXIF": b""}
    picture: tuple[bytes, bytes] | None = None
    while at + _CHUNK <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name in (b"VP8 ", b"VP8L") and picture is None:
            picture = name, body
        elif name in found and not found[name] and (name != b"ALPH" or picture is None):
            found[name] = body
        # A frame of an animation holds chunks of its own behind its head.
        at += _CHUNK + (_ANMF_HEAD if name == b"ANMF" and picture is None else size + size % 2)
    return _Still(*picture, *found.values()) if picture else None


def _size(still: _Still) -> tuple[int, int]:
    return webp_chunk_size(still.name, still.body)


def _area(still: _Still) -> int:
    width, height = _size(still)
    return width * height


def _lossy(still: _Still, fill: bytes) -> bytes:
    """Return a WebP whose lossy pixels have more bytes than its coder can run through."""
    body = still.body
    bits = int.from_bytes(body[:3], "little")
    first = min(bits >> 5, max(0, len(body) - _VP8_HEAD))  # the bytes of its first partition
    more = min(_PADDING, (1 << 19) - 1 - first)
    bits = bits & 31 | (first + more) << 5
    end = _VP8_HEAD + first
    body = bits.to_bytes(3, "little") + body[3:end] + fill * more + body[end:]
    return _riff(still, body + fill * _PADDING)


def _riff(still: _Still, body: bytes) -> bytes:
    """Return a WebP of the picture with other pixels, and of what else decides how it looks."""
    flags = (0x20 if still.profile else 0) | (0x08 if still.exif else 0)
    flags |= 0x10 if still.alpha or still.name == b"VP8L" else 0
    size = b"".join((side - 1).to_bytes(3, "little") for side in _size(still))
    chunks = _chunk(b"VP8X", pack("<I", flags) + size)
    for name, held in ((b"ICCP", still.profile), (b"ALPH", still.alpha)):
        chunks += _chunk(name, held) if held else b""
    chunks += _chunk(still.name, body)
    chunks += _chunk(b"EXIF", still.exif) if still.exif else b""
    return b"RIFF" + pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
