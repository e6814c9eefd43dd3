"""GIFs: where their frames lie, and how browsers compose them on a canvas that is clear at first.

Pillow begins with the background colour that the file names, and clears to it. Browsers, and the
messengers built on them, ignore that colour, so tiles over an empty canvas look different there.
"""

from __future__ import annotations

from struct import error, pack, unpack_from
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from doorsill.images.opening import left_behind, load, open_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorsill.images.sitting import Sitting

_CONTROL = 0xF9  # the extension that says how the next frame shows and what becomes of it
_CLEARED = 2
_RESTORED = (3, 4)  # 4 is no disposal that GIF89a names; browsers take it for 3


class GifFrame(NamedTuple):
    """One frame: where its descriptor and pixels begin, its place on the screen, how it shows."""

    start: int
    pixels: int
    box: tuple[int, int, int, int]
    interlaced: bool
    control: bytes

    @property
    def disposal(self) -> int:
        """What becomes of it before the next one."""
        return self.control[0] >> 2 & 7


def gif_frames(data: bytes) -> Iterator[GifFrame]:
    """Walk the frames of a GIF as far as its blocks go."""
    control = usual = bytes(4)
    try:
        at = 13 + _palette_bytes(data[10])
        while (kind := data[at : at + 1]) and kind != b";":
            if kind == b"!":
                if data[at + 1] == _CONTROL and data[at + 2] == len(usual):
                    control = data[at + 3 : at + 7]
                at = _after_blocks(data, at + 2)
            elif kind == b",":
                left, top, wide, high, flags = unpack_from("<4HB", data, at + 1)
                pixels = at + 11 + _palette_bytes(flags)
                box = (left, top, left + wide, top + high)
                yield GifFrame(at, pixels, box, bool(flags & 0x40), control)
                at, control = _after_blocks(data, pixels), usual
            else:
                at += 1
    except (IndexError, error):
        pass  # cut off: what was met is what can be shown


def gif_within(data: bytes, fits: Callable[[tuple[int, int]], bool], most: int) -> bytes | None:
    """Return a GIF as far as its frames fit, which may reach beyond the screen in its header.

    None where not even the first one does. After *most* frames nobody looks.
    """
    width, height = _screen(data)
    for number, frame in enumerate(gif_frames(data)):
        width, height = max(width, frame.box[2]), max(height, frame.box[3])
        if number >= most:
            break
        if not fits((width, height)):
            return data[: frame.start] + b";" if number else None
    return data if fits((width, height)) else None


def _screen(data: bytes) -> tuple[int, int]:
    width, height = unpack_from("<HH", data.ljust(10, b"\0"), 6)
    return width, height


def _palette_bytes(flags: int) -> int:
    """Return the length of the palette that *flags* announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Return the place behind a chain of data blocks; IndexError where it is cut off."""
    while length := data[at]:
        at += length + 1
    return at + 1


def composed(sitting: Sitting, data: bytes) -> Iterator[tuple[str, Image.Image]]:
    """Yield the frames that the plugin may compose otherwise than browsers do; none if it may not.

    Each is good until the next. What a tile lacks was noted when the plugin read it.
    """
    size = _canvas(data)
    if size is None:
        return
    canvas = Image.new("RGBA", size)
    for number, frame in enumerate(gif_frames(data), 1):
        tile = _tile(data, frame)
        if tile is None or number > sitting.limits.frames or not sitting.pay(size):
            return
        image = open_picture(sitting, "GIF", tile)
        shown = None
        if image is not None:
            shown = image if load(sitting, image) else left_behind(sitting, image)
        paint = None if shown is None else sitting.attempt(lambda: shown.convert("RGBA"))  # noqa: B023 - called at once
        before = canvas.copy() if frame.disposal in _RESTORED else None
        if paint is not None:
            canvas.paste(paint, frame.box[:2], mask=paint.getchannel("A"))
        name = f"frame {number}, on a clear canvas"
        if number == 1:
            yield name, canvas
        elif sitting.pay(size):  # stickers have dozens, each of which is clear or solid
            yield name, _over(canvas, "white")
            yield f"{name}, over black", _over(canvas, "black")
        if before is not None:
            canvas = before
        elif frame.disposal == _CLEARED:
            canvas.paste((0, 0, 0, 0), frame.box)
        sitting.check()


def _over(canvas: Image.Image, page: str) -> Image.Image:
    shown = Image.new("RGB", canvas.size, page)
    shown.paste(canvas, mask=canvas.getchannel("A"))
    return shown


def _canvas(data: bytes) -> tuple[int, int] | None:
    """Return the canvas of a GIF that leaves a part of it empty at any time, else None."""
    width, height = _screen(data)
    empty = False
    for number, frame in enumerate(gif_frames(data)):
        if not number:
            width, height = max(width, frame.box[2]), max(height, frame.box[3])
            empty = frame.box != (0, 0, width, height)
        if empty:
            return width, height
        # After the last frame nothing is shown, but its disposal need not be looked for.
        empty = frame.disposal in (_CLEARED, *_RESTORED)
    return None


def _tile(data: bytes, frame: GifFrame) -> bytes | None:
    """Return a frame as a GIF of its own, None where it is cut off."""
    try:
        end = _after_blocks(data, frame.pixels)
    except IndexError:
        return None
    wide, high = frame.box[2] - frame.box[0], frame.box[3] - frame.box[1]
    head = b"GIF89a" + pack("<HH", wide, high) + data[10 : 13 + _palette_bytes(data[10])]
    shows = b"!\xf9\4" + bytes((frame.control[0] & 1, 0, 0, frame.control[3], 0))
    place = b"," + pack("<4H", 0, 0, wide, high)
    return head + shows + place + data[frame.start + 9 : end] + b";"
