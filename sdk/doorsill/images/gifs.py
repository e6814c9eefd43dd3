"""The frames of a GIF as browsers compose them: on a canvas that is transparent at first.

Pillow begins with the background colour that the file names, and clears to it. Browsers, and the
messengers built on them, ignore that colour, so tiles over an empty canvas look different there.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from doorsill.images.containers import after_blocks, palette_bytes
from doorsill.images.opening import left_behind, load, open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.images.sitting import Sitting

_CLEARED = 2
_RESTORED = (3, 4)  # 4 is no disposal that GIF89a names; browsers take it for 3


class _Tile(NamedTuple):
    """What one frame paints: a GIF of its own, where it lies, and what happens to it after."""

    gif: bytes
    box: tuple[int, int, int, int]
    disposal: int


def composed(sitting: Sitting, data: bytes) -> Iterator[tuple[str, Image.Image]]:
    """Yield the frames that the plugin may compose otherwise than browsers do; none if it may not.

    Each is good until the next. What a tile lacks was noted when the plugin read it.
    """
    size = _canvas(data)
    if size is None:
        return
    canvas = Image.new("RGBA", size)
    for number, tile in enumerate(_tiles(data), 1):
        if number > sitting.limits.frames or not sitting.pay(size):
            return
        image = open_picture(sitting, "GIF", tile.gif)
        shown = None
        if image is not None:
            shown = image if load(sitting, image) else left_behind(sitting, image)
        paint = None if shown is None else sitting.attempt(lambda: shown.convert("RGBA"))  # noqa: B023 - called at once
        before = canvas.copy() if tile.disposal in _RESTORED else None
        if paint is not None:
            canvas.paste(paint, tile.box[:2], mask=paint.getchannel("A"))
        name = f"frame {number}, on a clear canvas"
        if number == 1:
            yield name, canvas
        elif sitting.pay(size):  # stickers have dozens, each of which is clear or solid
            yield name, _over(canvas, "white")
            yield f"{name}, over black", _over(canvas, "black")
        if before is not None:
            canvas = before
        elif tile.disposal == _CLEARED:
            canvas.paste((0, 0, 0, 0), tile.box)
        sitting.check()


def _over(canvas: Image.Image, page: str) -> Image.Image:
    shown = Image.new("RGB", canvas.size, page)
    shown.paste(canvas, mask=canvas.getchannel("A"))
    return shown


def _canvas(data: bytes) -> tuple[int, int] | None:
    """Return the canvas of a GIF that leaves a part of it empty at any time, else None."""
    width, height = struct.unpack_from("<HH", data.ljust(10, b"\0"), 6)
    empty = False
    for number, tile in enumerate(_tiles(data)):
        right, bottom = tile.box[2:]
        if not number:
            width, height = max(width, right), max(height, bottom)
            empty = tile.box != (0, 0, width, height)
        if empty:
            return width, height
        # After the last frame nothing is shown, but its disposal need not be looked for.
        empty = tile.disposal == _CLEARED or tile.disposal in _RESTORED
    return None


def _tiles(data: bytes) -> Iterator[_Tile]:
    """Walk the frames of a GIF as far as its blocks go."""
    control = b"\0\0\0\0"
    try:
        at = 13 + palette_bytes(data[10])
        palette = data[10:at]
        while (kind := data[at : at + 1]) and kind != b";":
            if kind == b"!":
                if data[at + 1] == 0xF9 and data[at + 2] == len(control):  # noqa: PLR2004 - GIF89a's graphic control
                    control = data[at + 3 : at + 7]
                at = after_blocks(data, at + 2)
            elif kind == b",":
                left, top, wide, high, flags = struct.unpack_from("<4HB", data, at + 1)
                pixels = at + 10 + palette_bytes(flags)
                end = after_blocks(data, pixels + 1)
                head = b"GIF89a" + struct.pack("<HH", wide, high) + palette
                shows = b"!\xf9\4" + bytes((control[0] & 1, 0, 0, control[3], 0))
                place = b"," + struct.pack("<4H", 0, 0, wide, high)
                gif = head + shows + place + data[at + 9 : end] + b";"
                box = (left, top, left + wide, top + high)
                yield _Tile(gif, box, control[0] >> 2 & 7)
                at, control = end, b"\0\0\0\0"
            else:
                at += 1
    except (IndexError, struct.error):
        pass  # cut off: what was met is what can be shown
