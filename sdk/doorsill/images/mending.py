"""What a viewer would still read of a broken file, as files that a strict decoder takes.

Pillow can be told to tolerate damage only by a global that belongs to the host and to every
thread in it. Mending the bytes instead touches nothing outside the call. What is missing is
filled in two ways, so that decoding both tells which pixels the file does not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.images import avifs, pngs
from doorsill.images.containers import JPEG_END, bitmap_size, jpeg_markers
from doorsill.images.gifs import GifFrame, gif_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOS, _RESTARTS = 0xDA, range(0xD0, 0xD8)
_NOISE = b"\x5a\xa5\x3c"
_BOX_HEAD = 8
_BITMAP_HEAD, _BITMAP_DEPTHS = 54, frozenset((1, 4, 8, 16, 24, 32))
_ICON_HEAD = 22  # of an icon with one picture


def fillings(kind: str, data: bytes, cap: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield *data* made readable, twice each time, what is missing filled in differently.

    Once for each place at which viewers stop, and for less and less of what animates it.
    """
    if kind == "JPEG":
        # Decoders paint what is missing grey once they meet an end, as browsers do.
        yield data + JPEG_END, ended_otherwise(data)
    elif kind == "PNG":
        for still in (False, True) if b"acTL" in data else (False,):
            for stop in pngs.stops(data):
                yield tuple(pngs.rewritten(data, stop, fill, still=still) for fill in (0, 255))  # type: ignore[misc]
    elif kind == "GIF":
        if (frame := next(gif_frames(data), None)) is not None:
            yield _keyed(data, frame, 0), _keyed(data, frame, 1)
    elif kind == "AVIF":
        alone = avifs.still(data, cap)
        yield from () if alone is None else ((alone, None),)  # the zeros are what is painted
    elif kind == "BMP":
        yield from _whole_bitmap(data, cap)
    elif kind == "ICON":
        width, height = bitmap_size(data[_ICON_HEAD:])
        size = len(data) + 5 * width * height
        yield from ((data.ljust(size, b"\0"), data.ljust(size, b"\xff")),) if size <= cap else ()


def prolonged(kind: str, data: bytes, cap: int) -> bytes | None:
    """Return *data* as long as it says it is, for the kinds that say so, at most *cap* bytes."""
    size = _declared(kind, data)
    return data.ljust(size, b"\0") if len(data) < size <= cap else None


def ended_otherwise(data: bytes) -> bytes:
    """Return a JPEG, with or without end, ended in another way than it or `fillings` does.

    Both show the same if no pixel was missing: what follows the last one is skipped.
    """
    end = next((at for code, at in jpeg_markers(data) if code == JPEG_END[1]), len(data))
    # One that counts its restarts waits for the next of eight, and paints grey if there is none.
    restarts = b"".join(b"\xff%c" % code + _NOISE * 8 for code in _RESTARTS)
    return data[:end] + _NOISE * 200 + restarts + JPEG_END


def has_end(data: bytes) -> bool:
    """Tell whether a JPEG has its end marker."""
    return any(code == JPEG_END[1] for code, _ in jpeg_markers(data))


def scan_ends(data: bytes) -> list[int]:
    """Return where a JPEG can be ended behind its first scan has begun, the earliest first."""
    codes = list(jpeg_markers(data))
    first = next((number for number, (code, _) in enumerate(codes) if code == _SOS), len(codes))
    return [at for _, at in codes[first + 1 :]]


def _whole_bitmap(data: bytes, cap: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield a bitmap with all its rows, and a number of colours that its pixels can have."""
    if len(data) < _BITMAP_HEAD:
        return
    start, bits, packed = (int.from_bytes(data[at : at + 4], "little") for at in (10, 28, 30))
    bits &= 0xFFFF
    colours = int.from_bytes(data[46:50], "little")
    miscounted = bits <= 8 and colours > 1 << bits  # noqa: PLR2004
    if miscounted:
        data = data[:46] + bytes(4) + data[50:]
    width, height = bitmap_size(data[14:])
    size = start + (width * bits + 31) // 32 * 4 * height
    if len(data) < size <= cap and not packed and bits in _BITMAP_DEPTHS:
        yield data.ljust(size, b"\0"), data.ljust(size, b"\xff")
    elif miscounted:
        yield data, None


def _keyed(data: bytes, frame: GifFrame, key: int) -> bytes:
    """Return a GIF whose first frame begins as nothing but the colour *key*."""
    control = b"\x21\xf9\x04" + bytes((1, 0, 0, key, 0))
    return data[: frame.start] + control + _whole_blocks(data, frame)


def _whole_blocks(data: bytes, frame: GifFrame) -> bytes:
    """Return a GIF from a frame on, its last block as long as it is, for that is shown too."""
    at = frame.pixels
    while at < len(data) and data[at] and at + data[at] < len(data):
        at += data[at] + 1
    if at >= len(data) or not data[at]:
        return data[frame.start :]
    rest = data[at + 1 :]
    return data[frame.start : at] + bytes((len(rest),)) + rest + b"\0;"


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
