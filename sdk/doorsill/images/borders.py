"""Where a picture lies in a plain border, which a person looks past and a hash does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from doorsill.images.colour import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = tuple[int, int, int, int]

# From 3 % of border a side on, PDQ leaves its radius of 31 (26 to 32 bits on a drawn scene).
_CONTENT = 0.975
_LEAST = 16  # a side in pixels of what may be a picture
_NEAR = 12  # levels: the noise that JPEG leaves beside an edge
_ALIKE = 0.995  # of a line's samples: specks do not end a border
_SLAB = 16  # lines looked at together
_SEEN = {"1": "L", "L": "L", "RGB": "RGB", "CMYK": "CMYK", "P": "RGB", "YCbCr": "RGB"}
_CLEAR = frozenset(("RGBA", "LA", "PA"))


def content(image: Image.Image) -> Box | None:
    """Return the box of *image* within its plain border, or None if the border is narrow.

    A picture without a border costs the four lines at its edges.
    """
    if min(image.size) < 2 * _LEAST:
        return None
    show = comparable(image)
    if show is None:
        return None

    def lines(box: Box) -> Image.Image:
        return show(image.crop(box))

    width, height = image.size
    top = _border(height, lambda a, b: lines((0, a, width, b)))
    if top >= height:
        return None  # all of one colour
    bottom = height - _border(height - top, lambda a, b: lines((0, height - b, width, height - a)))
    left = _border(width, lambda a, b: lines((a, top, b, bottom)))
    right = width - _border(width - left, lambda a, b: lines((width - b, top, width - a, bottom)))
    wide, high = right - left, bottom - top
    if min(wide, high) < _LEAST or (wide > _CONTENT * width and high > _CONTENT * height):
        return None
    return left, top, right, bottom


def comparable(image: Image.Image) -> Callable[[Image.Image], Image.Image] | None:
    """Return what makes parts of *image* 8-bit and comparable, None if nothing does."""
    made = lines_of(image)
    mode, show = made or (_mode(image), None)
    if mode is None:
        return None

    def converted(part: Image.Image) -> Image.Image:
        if show is not None:
            part = show(part)
        if mode == "RGBa" and part.mode != "RGBA":
            part = part.convert("RGBA")
        return part if part.mode == mode else part.convert(mode)

    return converted


def _mode(image: Image.Image) -> str | None:
    """Return the mode in which the lines of *image* are looked at, None if they are not."""
    if image.mode in _CLEAR or "transparency" in image.info:
        return "RGBa"  # where all that is transparent is alike, whatever lies beneath
    return _SEEN.get(image.mode)


def _border(length: int, lines: Callable[[int, int], Image.Image]) -> int:
    """Return how many lines from the edge on have the edge's own colour."""
    edge = lines(0, 1)
    means = edge.resize((8, 1) if edge.width > 1 else (1, 8), Image.Resampling.BOX)
    if any(high - low > 2 * _NEAR for low, high in _extremes(means)):
        return 0  # as in nearly every photograph, and ten times quicker than to count
    levels = [_commonest(counts) for counts in _histograms(edge)]
    if not _alike(edge, levels):
        return 0
    at = 1
    for step in (_SLAB, 1):
        while at < length and _alike(lines(at, min(at + step, length)), levels):
            at = min(at + step, length)
    return at


def _alike(part: Image.Image, levels: list[int]) -> bool:
    enough = _ALIKE * part.width * part.height
    return all(
        sum(counts[max(0, level - _NEAR) : level + _NEAR + 1]) >= enough
        for counts, level in zip(_histograms(part), levels, strict=True)
    )


def _histograms(part: Image.Image) -> list[list[int]]:
    counts = part.histogram()
    return [counts[at : at + 256] for at in range(0, len(counts), 256)]


def _extremes(part: Image.Image) -> list[tuple[int, int]]:
    return [part.getchannel(band).getextrema() for band in range(len(part.getbands()))]  # type: ignore[misc]


def _commonest(counts: list[int]) -> int:
    return counts.index(max(counts))
