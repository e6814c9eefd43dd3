"""From the bytes of a file to its decoded frames, salvaging what a viewer would show.

Imported by `images` alone.
"""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

from doorsill.images import avifs, bitmaps, containers, gifs, pngs, thumbnails
from doorsill.images.memory import or_starved
from doorsill.images.mending import prolonged
from doorsill.images.opening import PLUGINS, left_behind, load, open_picture
from doorsill.images.salvage import HOPELESS, LOST, damaged, rows_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from doorsill.images.sitting import Sitting

    Labelled = tuple[str, Image.Image]

_ANIMATED = frozenset(("GIF", "PNG", "WEBP", "AVIF", "TIFF"))
SECOND = "frame 2"
_SUB_IFDS = 0x014A
_ANEW = 4  # times that a JPEG may paint itself anew; no encoder lets it
_LATER = "broken: later frames could not be decoded"


def of_file(sitting: Sitting, kind: str, data: bytes) -> Iterator[Labelled]:
    """Yield every frame of a file, loaded, the usual one first. An image is good until the next."""
    if kind == "JPEG":
        yield from _jpegs(sitting, data)
    elif kind == "ICO":
        yield from _icons(sitting, data)
    elif kind == "HEIF":
        yield from _heif(sitting, data)
    elif kind not in PLUGINS:
        sitting.note(f"format: {kind} pictures cannot be read")
    elif kind == "GIF":
        fitting = gifs.gif_within(data, sitting.allows, sitting.limits.frames)
        if fitting is not None:
            yield from _frames(sitting, kind, fitting)
            yield from gifs.composed(sitting, fitting)
    elif _within(sitting, kind, data):
        if kind == "BMP":
            data = sitting.attempt(lambda: bitmaps.usual(data, sitting.allows)) or data
        yield from _frames(sitting, kind, data)


def of_image(sitting: Sitting, image: Image.Image) -> Iterator[Labelled]:
    """Yield an image that the host opened, loaded."""
    if not sitting.spend(image.size):
        return
    shown = image if load(sitting, image) else left_behind(sitting, image)
    if shown is not image:
        sitting.note(or_starved(sitting, image.size, HOPELESS if shown is None else LOST))
    if shown is not None:
        yield "", shown


def _within(sitting: Sitting, kind: str, data: bytes) -> bool:
    """Check what a plugin would meet too late: it may allocate or walk as soon as it is opened."""
    if kind == "WEBP":
        size = containers.webp_size(data)
        return size is None or sitting.allows(size)
    if kind == "PNG":
        cap = sitting.limits.png_chunks
        if any(number >= cap for number, _ in enumerate(containers.png_chunks(data))):
            sitting.note(f"chunks: it has more than {cap}")
            return False
        if not containers.png_profile_fits(data, pngs.PNG_PROFILE_CAP):
            sitting.note(
                f"profile: its colour profile takes more than {pngs.PNG_PROFILE_CAP} bytes"
            )
        if pngs.too_steep(data):
            sitting.note("gamma: it is too steep for the bits that are there")
    return True


# ---- files of several pictures


def _jpegs(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    """Yield a JPEG and those that follow it: an MPO, a gain map, one appended in secret."""
    alone, scans = containers.jpeg_alone(data), 0
    if alone is None:
        pictures = containers.jpeg_pictures(data, sitting.limits.frames + 1)
    else:
        pictures = [(0, len(data))]
    for number, (start, end) in enumerate(pictures):
        one = data if len(pictures) == 1 else data[start:end]
        count = alone
        if count is None or count > sitting.limits.scans:
            count = containers.jpeg_scans(one, sitting.limits.scans)
        scans += count
        if scans > sitting.limits.scans:
            sitting.note(f"scans: it has more than {sitting.limits.scans}")
            return
        name = f"picture {number + 1}" if number else ""
        yield from _frames(sitting, "JPEG", one, name)
        if count > 1:
            yield from _before_anew(sitting, one, name)


def _before_anew(sitting: Sitting, data: bytes, name: str) -> Iterator[Labelled]:
    """Yield what a JPEG shows before each scan that paints it anew."""
    for stop in containers.jpeg_begun_anew(data, _ANEW):
        early = open_picture(sitting, "JPEG", data[:stop] + containers.JPEG_END)
        if early is not None and sitting.spend(early.size) and load(sitting, early):
            label = "before it is painted anew"
            yield f"{name}, {label}" if name else label, early
        sitting.check()


def _icons(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    entries = containers.icon_entries(data, sitting.limits.frames + 1)
    if not entries:
        sitting.note("broken: an icon without pictures")
    for number, (entry, body) in enumerate(entries):
        name = f"icon {number + 1}" if number else ""
        if body.startswith(containers.PNG_START):
            if _within(sitting, "PNG", body):
                yield from _frames(sitting, "PNG", body, name)
        elif sitting.allows(containers.bitmap_size(body)):
            # As an icon of one picture, for the plugin takes the largest and leaves the others.
            yield from _frames(
                sitting, "ICON", b"\0\0\1\0\1\0" + entry[:12] + b"\x16\0\0\0" + body, name
            )
        sitting.check()


def _heif(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    """Yield the pictures of a HEIC file through pillow-heif, which is not registered for that."""
    plugin = sitting.attempt(lambda: importlib.import_module("pillow_heif"))
    if plugin is None:
        sitting.note("format: HEIC pictures need the [heif] extra")
        return
    opened = sitting.attempt(lambda: plugin.open_heif(io.BytesIO(data)))
    if opened is None and (whole := prolonged("HEIF", data, sitting.limits.bytes)) is not None:
        sitting.note(LOST)
        opened = sitting.attempt(lambda: plugin.open_heif(io.BytesIO(whole)))
    if opened is None:
        sitting.note(HOPELESS)
        return
    for number in range(len(opened)):
        page = opened[number]
        if not sitting.spend(page.size):
            return
        frame: Image.Image | None = sitting.attempt(page.to_pillow)
        if frame is None:
            sitting.note(or_starved(sitting, page.size, HOPELESS))
        else:
            frame.format = "HEIF"
            yield f"picture {number + 1}" if number else "", frame
        sitting.check()


# ---- files that one plugin reads


def _frames(sitting: Sitting, kind: str, data: bytes, name: str = "") -> Iterator[Labelled]:
    source, first, whole = _first(sitting, kind, data)
    for other in first[1:]:
        yield f"{name}, as far as it is sound" if name else "as far as it is sound", other
    shown = first[0] if first else None
    number = 1
    while shown is not None:
        frame = f"frame {number}" if number > 1 else name
        yield frame, shown
        if whole and number == 1:
            yield from rows_there(sitting, kind, data, (frame, shown))
        if number == 1:
            yield from _beside(sitting, kind, data, (name, shown))
        if kind == "TIFF":
            yield from _sub_pictures(sitting, source, data, frame)
        sitting.check()
        more = source is not None and kind in _ANIMATED
        shown = _next(sitting, source, number) if more else None
        number += 1


def _beside(
    sitting: Sitting, kind: str, data: bytes, labelled: tuple[str, Image.Image]
) -> Iterator[Labelled]:
    """Yield what some viewers show instead of the first frame."""
    name, image = labelled
    if kind == "AVIF" and (box := sitting.attempt(lambda: avifs.aperture(data, image.size))):
        part = sitting.attempt(lambda: image.crop(box))
        if part is not None and sitting.spend(part.size):
            part.format = image.format
            yield "cropped by its boxes", part
    for label, small in thumbnails.of(sitting, image):
        yield f"{name}, {label}" if name else label, small


def _first(sitting: Sitting, kind: str, data: bytes) -> tuple[Any, list[Image.Image], bool]:
    """Return an open file, its first frame as viewers paint it, and whether it is whole.

    Whole as far as decoders tell: see `salvage.rows_there`.
    """
    strict = open_picture(sitting, kind, data)
    if strict is not None:
        if not sitting.spend(strict.size):
            return None, [], False
        if load(sitting, strict) and not (kind == "PNG" and pngs.fails_check(data)):
            return strict, [strict], True
    sitting.check()
    source, shown, whole = damaged(sitting, kind, data, strict)
    if not whole or not shown:
        # A WebP takes most of its memory as it is opened.
        size = strict.size if strict else containers.webp_size(data) if kind == "WEBP" else None
        sitting.note(or_starved(sitting, size, LOST if shown else HOPELESS))
    return source, shown, whole


def _next(sitting: Sitting, source: Any, number: int) -> Image.Image | None:
    """Return the frame after *number*, None at the end."""
    try:
        source.seek(number)
    except EOFError:
        announced = source.__dict__.get("n_frames")  # where the header says it
        if isinstance(announced, int) and announced > number:
            sitting.note(_LATER)
        return None
    except Exception:  # noqa: BLE001 - as in Sitting.attempt
        sitting.note(_LATER)
        return None
    if not sitting.spend(source.size):
        return None
    if load(sitting, source):
        return source  # type: ignore[no-any-return]
    sitting.note(_LATER)
    return left_behind(sitting, source)


def _sub_pictures(sitting: Sitting, page: Any, data: bytes, name: str) -> Iterator[Labelled]:
    """Yield the pictures that a TIFF page keeps beside its chain of pages."""
    offsets = sitting.attempt(lambda: page.tag_v2.get(_SUB_IFDS)) or ()
    for number, offset in enumerate(offsets if isinstance(offsets, tuple) else (offsets,)):
        child = _open_ifd(sitting, data, offset)
        if child is None:
            sitting.note(_LATER)
        elif not sitting.spend(child.size):
            return
        elif not load(sitting, child):
            sitting.note(_LATER)
        else:
            sub = f"sub-picture {number + 1}"
            yield f"{name}, {sub}" if name else sub, child
        sitting.check()


def _open_ifd(sitting: Sitting, data: bytes, offset: object) -> Any:
    tiff = open_picture(sitting, "TIFF", data)

    def seek() -> Any:
        tiff._frame_pos = [offset]  # noqa: SLF001 - Pillow offers no other way to a SubIFD
        tiff._seek(0)  # noqa: SLF001
        return tiff

    return sitting.attempt(seek)
