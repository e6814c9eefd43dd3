"""The pictures of a damaged file as viewers paint them: see-through where the file holds nothing.

Imported by `frames` alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageFile

from doorsill.images import pngs, webps
from doorsill.images.bands import bands
from doorsill.images.containers import JPEG_END
from doorsill.images.gifs import gif_frames
from doorsill.images.mending import (
    ended_otherwise,
    fillings,
    has_end,
    prolonged,
    scan_ends,
)
from doorsill.images.opening import left_behind, load, open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.images.sitting import Sitting

LOST = "broken: a part is missing"
HOPELESS = "broken: it could not be decoded"
_LINE = 16  # rows of the largest blocks of a JPEG
# The decoders' zero, where data is missing: mid grey, off by one in inverted ink.
_FILLED = ((127, 127), (127, 128), (128, 128))
_PLAIN = frozenset(("1", "L", "P", "RGB", "RGBA", "LA", "PA"))
# The grids that the passes of an interlaced picture fill, finest first: a pixel that is not there
# yet is painted like the nearest one, to its left and above, that came with an earlier pass.
_PNG_GRIDS = ((1, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8))
_GIF_GRIDS = ((1, 2), (1, 4), (1, 8))


def damaged(
    sitting: Sitting, kind: str, data: bytes, strict: Any
) -> tuple[Any, list[Image.Image], bool]:
    """Return a file that a decoder refused: open for its later frames, its first frame, is whole.

    Args:
        sitting: Which pays.
        kind: What the file is.
        data: The file.
        strict: The image that could not be decoded, or None if not even its header could be read.

    Returns:
        The open image or None; the first frame as different viewers paint it, the longest first;
        and whether no pixel is missing after all.
    """
    if kind == "WEBP":
        source, shown, whole = None, _webps(sitting, data, strict), False
    else:
        source, shown, whole = _filled(sitting, kind, data, strict)
    if shown:
        left_behind(sitting, strict)  # which can be asked for what follows from then on
        return source, shown, whole
    again = prolonged(kind, data, sitting.limits.bytes)
    image = None if again is None else open_picture(sitting, kind, again)
    if image is not None and _affords(sitting, image.size, strict):
        kept = image if load(sitting, image) else left_behind(sitting, image)
        if kept is not None:
            return image, [kept], False
    kept = left_behind(sitting, strict)
    return strict, [] if kept is None else [kept], False


def _filled(
    sitting: Sitting, kind: str, data: bytes, strict: Any
) -> tuple[Any, list[Image.Image], bool]:
    """Return what `damaged` does, of a file whose missing parts are filled in."""
    source: Any = None
    shown: list[Image.Image] = []
    whole = True
    pairs = fillings(kind, data, sitting.limits.bytes) if _has_bounds(sitting, kind, data) else ()
    steps = iter(pairs)
    while (pair := sitting.attempt(lambda: next(steps, None))) is not None:
        first = open_picture(sitting, kind, pair[0])
        sitting.check()
        if first is None or not _affords(sitting, first.size, strict or shown):
            continue
        done = load(sitting, first)
        image = first if done else left_behind(sitting, first)
        other = None if pair[1] is None else _loaded(sitting, kind, pair[1])
        if not done and kind == "JPEG":
            image, other = _fewer_scans(sitting, data) or image, None
        if image is None:
            continue
        waits = kind == "JPEG" and (not done or _in_first_scan(data, image))
        early = _of_first_scan(sitting, image) if waits else None
        seen, all_there = _compared(sitting, kind, data, (image, other))
        shown.extend((seen,) if early is None else (seen, early))
        whole = whole and done and all_there
        if kind not in ("PNG", "GIF"):
            break
        source = source or (first if kind == "PNG" and done else strict)
    return source, shown, whole


def _webps(sitting: Sitting, data: bytes, strict: Any) -> list[Image.Image]:
    """Return the first picture of a WebP, see-through from the row on that it does not hold."""
    affords = partial(_affords, sitting, before=strict)
    shown = []
    for image, other, step in webps.salvaged(sitting, data, affords):
        missing = None if other is None else sitting.attempt(partial(_differing, image, other))
        box = None if missing is None else missing.getbbox()
        if missing is not None and box is not None:
            part = _from_row(missing, box[1] // step * step)
            seen = sitting.attempt(partial(_see_through, "WEBP", data, image, part))
        else:
            seen = image
        shown.append(image if seen is None else seen)
    return shown


def _has_bounds(sitting: Sitting, kind: str, data: bytes) -> bool:
    """Tell whether what is missing may be filled in: a PNG is made anew as large as it says."""
    if kind != "PNG":
        return True
    size = pngs.size(data)
    return size is not None and min(size) > 0 and sitting.allows(size)


def _affords(sitting: Sitting, size: tuple[int, int], before: Any) -> bool:
    """Tell whether a frame of *size* may be decoded; the first attempt at one was paid for."""
    return sitting.allows(size) if before else sitting.spend(size)


def _loaded(sitting: Sitting, kind: str, data: bytes) -> Image.Image | None:
    image = open_picture(sitting, kind, data)
    if image is None:
        return None
    return image if load(sitting, image) else left_behind(sitting, image)


def _fewer_scans(sitting: Sitting, data: bytes) -> Image.Image | None:
    """Return a progressive JPEG up to what breaks it, which viewers go on showing."""
    ends = scan_ends(data)
    low, high, best = 0, len(ends), None  # which ends have yet to be tried
    while low < high:
        middle = (low + high) // 2
        image = open_picture(sitting, "JPEG", data[: ends[middle]] + JPEG_END)
        sitting.check()
        if image is not None and sitting.allows(image.size) and load(sitting, image):
            low, best = middle + 1, image
        else:
            high = middle
    return best


def _in_first_scan(data: bytes, image: Image.Image) -> bool:
    """Tell whether a JPEG ends in the first of its scans, be all its pixels in there."""
    return _in_passes(image) and not scan_ends(data)


def _of_first_scan(sitting: Sitting, image: Image.Image) -> Image.Image | None:
    """Return a progressive JPEG as browsers paint it before they have more than its first scan.

    Its lowest rows wait for those below, to be smoothed with them.
    """
    row = ((image.height - 1) // _LINE - 1) * _LINE - 2
    if row <= 0:
        return None
    below = _from_row(Image.new("L", image.size), row)
    return sitting.attempt(lambda: _see_through("JPEG", b"", image, below))


def _compared(
    sitting: Sitting, kind: str, data: bytes, two: tuple[Image.Image, Image.Image | None]
) -> tuple[Image.Image, bool]:
    """Return the first of *two* see-through where they differ, and whether they do not."""
    image, other = two
    missing = None if other is None else sitting.attempt(lambda: _differing(image, other))
    if missing is None:
        return image, False
    whole = missing.getbbox() is None
    if kind == "JPEG" and not _in_passes(image):
        missing = _from_row(missing, _last_row(sitting, data, image, missing))
    if missing.getbbox() is None:
        return image, whole and kind in ("JPEG", "PNG") and not ImageFile.LOAD_TRUNCATED_IMAGES
    seen = sitting.attempt(lambda: _see_through(kind, data, image, missing))
    return (image if seen is None else seen), whole


def _differing(image: Image.Image, other: Image.Image) -> Image.Image:
    """Return a mask of the pixels, or numbers of colours, that are not the same."""
    if image.mode == "I;16":
        image, other = _of_8_bits(image), _of_8_bits(other)
    elif image.mode == "P":
        image, other = (Image.frombytes("L", each.size, each.tobytes()) for each in (image, other))
    most, *others = ImageChops.difference(image, other).split()
    for channel in others:
        most = ImageChops.lighter(most, channel)
    return most.convert("L").point(lambda level: 255 if level else 0)


def _in_passes(image: Image.Image) -> bool:
    return bool(image.info.get("progressive"))


def _last_row(sitting: Sitting, data: bytes, image: Image.Image, missing: Image.Image) -> int:
    """Return from which row on a browser paints nothing of a JPEG whose pixels end too early."""
    if (box := missing.getbbox()) is not None:
        return box[1]
    if sitting.attempt(lambda: has_end(data)):
        return image.height
    # Nothing says that the last row of blocks is at its end, so it is waited for.
    high = 8 * max((layer[2] for layer in getattr(image, "layer", ())), default=2)
    return (image.height - 1) // high * high


def _from_row(missing: Image.Image, row: int) -> Image.Image:
    mask = Image.new("L", missing.size, 0)
    mask.paste(255, (0, row, *missing.size))
    return mask


def _see_through(kind: str, data: bytes, image: Image.Image, missing: Image.Image) -> Image.Image:
    """Return *image* transparent where pixels are *missing*, but for what earlier passes tell."""
    if image.mode == "I;16":
        image = _of_8_bits(image)
    elif image.mode == "CMYK":
        inks, image = image, image.convert("RGB")
        image.info, image.format = dict(inks.info), inks.format
        image.info.pop("icc_profile", None)  # that of inks
    if image.mode not in _PLAIN:
        return image
    if kind == "GIF":
        image.info.pop("transparency", None)  # the key by which what is missing was told
    shown = image.convert("RGBA")
    shown.info, shown.format = dict(image.info), image.format
    shown.info.pop("transparency", None)
    shown.putalpha(ImageChops.darker(shown.getchannel("A"), ImageChops.invert(missing)))
    grids: tuple[tuple[int, int], ...] = ()
    if kind == "PNG" and pngs.is_interlaced(data):
        grids = _PNG_GRIDS
    elif kind == "GIF" and (frame := next(gif_frames(data), None)) and frame.interlaced:
        grids = _GIF_GRIDS
    for grid in grids:
        known = ImageChops.invert(_coarse(missing, grid))
        fill = ImageChops.darker(missing, known)
        shown.paste(_coarse(shown, grid), mask=fill)
        missing = ImageChops.subtract(missing, fill)
    return shown


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Return the upper bytes of 16-bit pixels, which is what viewers show."""
    upper = Image.frombytes("L", image.size, image.tobytes()[1::2])
    upper.info, upper.format = dict(image.info), image.format
    upper.info.pop("transparency", None)
    return upper


def _coarse(image: Image.Image, grid: tuple[int, int]) -> Image.Image:
    """Return *image* with each cell of a grid painted like the pixel in its upper left corner."""
    wide, high = grid
    size = -(-image.width // wide), -(-image.height // high)
    corners = image.transform(
        size,
        Image.Transform.AFFINE,
        (wide, 0, 0.5 - wide / 2, 0, high, 0.5 - high / 2),
        Image.Resampling.NEAREST,
    )
    cells = corners.resize((size[0] * wide, size[1] * high), Image.Resampling.NEAREST)
    return cells.crop((0, 0, *image.size))


def rows_there(
    sitting: Sitting, kind: str, data: bytes, labelled: tuple[str, Image.Image]
) -> Iterator[tuple[str, Image.Image]]:
    """Yield the rows that the file holds where it has fewer than it says, and note that.

    Decoders fill the rest up in silence where only the end of a JPEG or of a PNG's compressed
    pixels comes too early. Any listed picture could be given a lower part of grey like that.
    """
    name, image = labelled
    rows = sitting.attempt(lambda: _rows(sitting, kind, data, image))
    if rows is None:
        return
    sitting.note(LOST)
    if rows:
        held = sitting.attempt(lambda: image.crop((0, 0, image.width, rows)))
        if held is not None:
            held.format = image.format
            yield f"{name}, rows that are there" if name else "rows that are there", held


def _rows(sitting: Sitting, kind: str, data: bytes, image: Image.Image) -> int | None:
    """Return how many rows are there, or None if all are, which a look at the last ones tells."""
    width, height = image.size
    if kind == "PNG":
        # One of two rows, for the last pass of an interlaced one has every other row.
        rows = (image.crop((0, at, width, at + 1)) for at in range(max(0, height - 2), height))
        return None if all(any(row.tobytes()) for row in rows) else pngs.rows_there(data)
    last = image.crop(((width - 1) // 8 * 8, (height - 1) // 8 * 8, width, height))
    if kind != "JPEG" or any(band.getextrema() not in _FILLED for band in last.split()):
        return None
    there = sitting.attempt(lambda: _rows_told(sitting, data, image)) or 0
    return None if there == height else there


def _rows_told(sitting: Sitting, data: bytes, image: Image.Image) -> int:
    """Return how many rows of a JPEG have all their pixels, 0 if that cannot be told.

    Where pixels are missing, what a decoder makes up depends on how the file ends.
    """
    other = open_picture(sitting, "JPEG", ended_otherwise(data))
    if other is None or not load(sitting, other) or other.size != image.size:
        return 0
    same = 0
    for one, two in zip(bands(image), bands(other), strict=True):
        if apart := ImageChops.difference(one, two).getbbox():
            return same + apart[1]
        same += one.height
    return same
