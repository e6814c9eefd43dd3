"""Views: the readings of a picture that a receiver may be shown.

Pillow is used here and in what is imported from here (`frames`, `colour`, `profiles`), nowhere
else. None of its process-wide settings is changed: sizes are asked of headers against `Limits`,
plugin classes are opened directly (`Image.open` would warn, and ask a global, about large
pictures), and damage is met by mending the bytes and by keeping the pixels that a failed decode
left behind. So a host's own use of Pillow, in any thread, is as it was.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from doorsill.images import borders, colour, containers, frames, seams
from doorsill.images.bands import packed, turned_band, turned_size
from doorsill.images.canonical import encoded
from doorsill.images.sitting import Sitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorsill.images.frames import Labelled
    from doorsill.limits import Limits

    Shown = Callable[[Image.Image | None], None]

_ORIENTATION = 0x0112
_ORIENTED_BY = frozenset(("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"))
_XMP_TURN = re.compile(rb"\btiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {6: 8, 8: 6}  # the others undo themselves
_PART = 24_000_000  # pixels of a part; a larger one is copied smaller, for the page is kept
_COLOURLESS = "colour: its pixels could not be brought into RGB"
_NO_MORE = colour.Reading("", "", lambda band: band)


__all__ = ["NotAPicture", "View", "claims_picture", "encoded", "pixels", "views"]


class NotAPicture(Exception):  # noqa: N818 - not an error: the SDK answers OUT_OF_SCOPE
    """The bytes do not claim to be a picture."""


@dataclass(frozen=True)
class View:
    """One reading of a picture: pixels that a receiver may see.

    Attributes:
        label: What sets this reading apart, such as "frame 2"; "as shown" for the usual one.
        size: Width and height in pixels.
        mode: L, RGB or (only where some pixel is transparent) RGBA.
        band: Gives the rows from one number to another, in that mode, or None (and a reason
            among those for what was not read) where a codec fails on them. Good until the next
            view is asked for.
        pixels: Gives the same rows in a raw mode, as bytes.
    """

    label: str
    size: tuple[int, int]
    mode: str
    band: Callable[[int, int], Image.Image | None]
    pixels: Callable[[int, int, str], bytes | None]

    @property
    def image(self) -> Image.Image | None:
        """All of it at once, which takes 4 bytes a pixel; `band` takes next to nothing."""
        return self.band(0, self.size[1])


def claims_picture(data: bytes) -> bool:
    """Tell from its first bytes whether a file claims to be a picture."""
    return containers.claim(data) is not None or containers.past_junk(data) > 0


def views(
    data: bytes,
    limits: Limits,
    unread: list[str],
    check: Callable[[], None],
    shown: Shown | None = None,
) -> Iterator[View]:
    """Yield each view of a picture file, one decoded image at a time.

    Whatever the bytes are, nothing else is raised: what cannot be read goes to *unread*.

    Args:
        data: The file.
        limits: What it may cost.
        unread: Gets a short reason for each part that a viewer may show and that was not read.
        check: Called between decoding steps; what it raises passes through.
        shown: Called with the image that most viewers show, upright, its colours as stored; then
            with None if more frames follow, which one image cannot stand for.

    Raises:
        NotAPicture: At the call itself.
    """
    kind, start = containers.claim(data), 0
    if kind is None:
        start = containers.past_junk(data)
        kind = containers.claim(data[start : start + 16]) if start else None
    if kind is None:
        raise NotAPicture
    sitting = Sitting(limits, unread, check)
    if len(data) > limits.bytes:
        sitting.note(f"size: it is larger than {limits.bytes} bytes")
        return iter(())
    whole = containers.straightened(kind, data[start:])
    return _views(sitting, frames.of_file(sitting, kind, whole), shown)


def pixels(
    image: Image.Image, limits: Limits, unread: list[str], check: Callable[[], None]
) -> Iterator[View]:
    """Yield each view of an image that the host opened with Pillow.

    An animated one is read at the frame it stands at, as the host would send it.
    """
    sitting = Sitting(limits, unread, check)
    return _views(sitting, frames.of_image(sitting, image))


def _views(
    sitting: Sitting, labelled: Iterator[Labelled], shown: Shown | None = None
) -> Iterator[View]:
    number = 0
    for number, (name, frame) in enumerate(labelled, 1):
        if shown is not None and name == frames.SECOND:
            shown(None)
        first = number == 1
        yield from _paid(sitting, name, frame, shown if first else None, thorough=first)
        sitting.check()
        yield from _within_border(sitting, name, frame, thorough=first)
        if first:
            yield from _parts(sitting, name, frame)
    if not number and not sitting.noted:
        sitting.note("broken: there is no picture in it")


def _paid(
    sitting: Sitting, name: str, frame: Image.Image, shown: Shown | None, *, thorough: bool
) -> Iterator[View]:
    """Yield the views of a frame, of which decoding paid for the first, while they can be paid."""
    first = True
    for turned_name, turn in _turns(sitting, name, frame):
        if shown is not None and first:
            tell = partial(_tell, shown, frame, turn)
            sitting.attempt(tell)
        for view in _readings(sitting, turned_name, frame, turn, thorough=thorough):
            if not first and not sitting.pay(view.size):
                return
            first = False
            yield view


def _within_border(
    sitting: Sitting, name: str, frame: Image.Image, *, thorough: bool
) -> Iterator[View]:
    """Yield the views of what a plain border encloses: people look past it, a hash does not."""
    box = sitting.attempt(lambda: borders.content(frame))
    if box is None or not sitting.pay((box[2] - box[0], box[3] - box[1])):
        return
    enclosed = sitting.attempt(lambda: frame.crop(box))
    if enclosed is not None:
        enclosed.format = frame.format
        label = _joined(name, "without its border")
        yield from _paid(sitting, label, enclosed, None, thorough=thorough)
        sitting.check()


def _parts(sitting: Sitting, name: str, frame: Image.Image) -> Iterator[View]:
    """Yield the views of the pictures of a collage or screenshot, without bars and words."""
    for number, box in enumerate(sitting.attempt(lambda: seams.parts(frame)) or (), 1):
        size = (box[2] - box[0], box[3] - box[1])
        if not sitting.pay(size):
            return
        smaller = math.isqrt(size[0] * size[1] // _PART + 1)
        taken = partial(frame.reduce, smaller, box) if smaller > 1 else partial(frame.crop, box)
        part = sitting.attempt(taken)
        if part is not None:
            part.format = frame.format
            yield from _paid(sitting, _joined(name, f"part {number}"), part, None, thorough=False)
        sitting.check()


def _tell(shown: Shown, frame: Image.Image, turn: Image.Transpose | None) -> None:
    upright = turned_band(frame, turn, 0, turned_size(frame, turn)[1])
    upright.format = frame.format
    shown(upright)


def _readings(
    sitting: Sitting, name: str, image: Image.Image, turn: Image.Transpose | None, *, thorough: bool
) -> Iterator[View]:
    notes: list[str] = []
    steps = colour.readings(image, sitting.limits, notes, thorough=thorough)
    while True:
        reading = sitting.attempt(lambda: next(steps, _NO_MORE))
        if reading is None:
            sitting.note(_COLOURLESS)
            break
        if reading is _NO_MORE:
            break
        yield View(
            _joined(name, reading.label) or "as shown",
            turned_size(image, turn),
            reading.mode,
            _band(sitting, image, turn, reading),
            _pixels(sitting, image, turn, reading),
        )
        sitting.check()
    for note in notes:
        sitting.note(note)


def _band(
    sitting: Sitting, image: Image.Image, turn: Image.Transpose | None, reading: colour.Reading
) -> Callable[[int, int], Image.Image | None]:
    """Return what gives the rows of a view."""

    def band(top: int, bottom: int) -> Image.Image | None:
        rows = sitting.attempt(lambda: reading.show(turned_band(image, turn, top, bottom)))
        if rows is None:
            sitting.note(_COLOURLESS)
        return rows

    return band


def _pixels(
    sitting: Sitting, image: Image.Image, turn: Image.Transpose | None, reading: colour.Reading
) -> Callable[[int, int, str], bytes | None]:
    """Return what gives the rows of a view as bytes, by way of a band only where it must."""
    stored = turn is None and reading.show is colour.as_it_is
    band = _band(sitting, image, turn, reading)

    def pixels(top: int, bottom: int, mode: str) -> bytes | None:
        if stored:
            rows = sitting.attempt(lambda: packed(image, mode, (0, top, image.width, bottom)))
            if rows is None:
                sitting.note(_COLOURLESS)
            return rows
        part = band(top, bottom)
        return None if part is None else packed(part, mode)

    return pixels


def _turns(
    sitting: Sitting, name: str, image: Image.Image
) -> Iterator[tuple[str, Image.Transpose | None]]:
    """Yield how *image* is turned upright, and as stored where viewers do not agree on that."""
    turn = _TURNS.get(sitting.attempt(lambda: _orientation(image)) or 1)
    yield name, turn
    told = _TURNS.get(_turn_in_xmp(image))
    if told not in (None, turn):
        yield _joined(name, "turned by its XMP"), told
    if turn is None:
        # A HEIC is turned by its boxes; what its EXIF says as well, only some viewers follow, or
        # it alone.
        told = image.info.get("original_orientation")
        if isinstance(told, int) and told in _TURNS:
            yield _joined(name, "turned by its EXIF"), _TURNS[told]
            if told in _BACK:
                yield _joined(name, "turned back by its EXIF"), _TURNS[_BACK[told]]
        return
    # Every viewer turns a JPEG by its EXIF. Elsewhere, and by XMP, only some turn it.
    if image.format not in ("JPEG", "MPO") or not sitting.attempt(lambda: _turned_by_exif(image)):
        yield _joined(name, "as stored, not turned"), None


def _orientation(image: Image.Image) -> int:
    if not _ORIENTED_BY & image.info.keys():
        return 1  # parsed only where there is something to parse
    turn = image.getexif().get(_ORIENTATION, 1)
    return turn if isinstance(turn, int) else 1


def _turn_in_xmp(image: Image.Image) -> int:
    """Return the turn that XMP names, which some viewers follow, 1 if none."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else packet
    found = _XMP_TURN.search(packet) if isinstance(packet, bytes) else None
    return int(found[1]) if found else 1


def _turned_by_exif(image: Image.Image) -> bool:
    """Tell whether the EXIF itself names the turn: Pillow's `getexif` asks XMP too."""
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return _ORIENTATION in exif


def _joined(*labels: str) -> str:
    return ", ".join(label for label in labels if label)
