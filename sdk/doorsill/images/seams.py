"""Where straight lines part a page into pictures: a collage, a meme, a caption, a screenshot.

People look at each of them by itself; a hash sees the page. A recursive cut along lines that cross
the whole page, as in layout analysis of documents (Nagy and Seth, 1984).
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from doorsill.images.borders import comparable

if TYPE_CHECKING:
    from collections.abc import Callable

    Box = tuple[int, int, int, int]

_SIDE = 256  # the longer side of what is cut, pixels
_SMALLEST = 128  # pixels of a page's shorter side: below, a few drawn lines fill it
_DRAWN = 2  # samples along it for each pixel, so that a narrow gutter is not stepped over
_JUMP = 20  # levels between the two sides of a line
_ACROSS = 204  # of 255: how much of a line must be such a jump; a horizon is one for less
_LEAST = 0.18  # a part's side, in sides of the page
_MOST = 4
_DEPTH = 4  # a picture within a frame within a bar within a screenshot
_NEAR = 24  # levels from the commonest one
_PLAIN = 0.8  # share of one colour: a bar with words in it, not a picture


def parts(image: Image.Image) -> list[Box]:
    """Return the boxes of the pictures that straight lines part *image* into, the largest first.

    At most 4, each at least a sixth of the image's sides, [] if nothing parts it; exact to about a
    pixel. A page costs five hundred samples along its longer side.
    """
    show = comparable(image) if min(image.size) >= _SMALLEST else None
    if show is None:
        return []
    page = show(image.resize(_fitting(image.size, _SIDE * _DRAWN), Image.Resampling.NEAREST))
    page = page.reduce(max(1, max(page.size) // _SIDE))
    whole = (0, 0, *page.size)
    found = [box for box in _cut(page, whole, _DEPTH) if box != whole]
    found.sort(key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
    scale = max(image.width / page.width, image.height / page.height)
    return [_placed(image, show, page.size, box, scale) for box in found[:_MOST]]


def _fitting(size: tuple[int, int], most: int) -> tuple[int, int]:
    share = min(1, most / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _cut(page: Image.Image, box: Box, depth: int) -> list[Box]:
    """Return what lines across *box* leave of it: pictures, or itself if there is no such line."""
    left, top, right, bottom = box
    part = page.crop(box)
    if depth and right - left >= bottom - top:
        return _across(page, box, depth, part) or _down(page, box, depth, part) or [box]
    if depth:
        return _down(page, box, depth, part) or _across(page, box, depth, part) or [box]
    return [box]


def _across(page: Image.Image, box: Box, depth: int, part: Image.Image) -> list[Box]:
    left, top, _, bottom = box
    return [
        found
        for begin, end in _runs(part, page.width)
        for found in _cut(page, (left + begin, top, left + end, bottom), depth - 1)
    ]


def _down(page: Image.Image, box: Box, depth: int, part: Image.Image) -> list[Box]:
    left, top, right, _ = box
    return [
        found
        for begin, end in _runs(part.transpose(Image.Transpose.TRANSPOSE), page.height)
        for found in _cut(page, (left, top + begin, right, top + end), depth - 1)
    ]


def _runs(part: Image.Image, side: int) -> list[tuple[int, int]]:
    """Return the columns (begin, end) between lines that are a picture's."""
    jumps = [0, *_jumps(part, 2), 0]
    # In grass there is a jump nearly everywhere, and a line must stand out from that.
    least = max(_ACROSS, 110 + 0.7 * sorted(jumps)[len(jumps) // 2])
    lines = [
        x
        for x in range(1, part.width - 1)
        if jumps[x] >= least and jumps[x] == max(jumps[max(0, x - 2) : x + 3])
    ]
    if not lines:
        return []
    edges = [0, *lines, part.width]
    return [
        (begin, end)
        for begin, end in pairwise(edges)
        if end - begin >= _LEAST * side and not _plain(part.crop((begin, 0, end, part.height)))
    ]


def _jumps(part: Image.Image, step: int) -> list[int]:
    """Return for each x in how many rows, of 255, columns x and x + *step* are apart."""
    width, height = part.size
    if width <= step:
        return []
    ahead, behind = part.crop((step, 0, width, height)), part.crop((0, 0, width - step, height))
    apart = reduce(ImageChops.lighter, ImageChops.difference(ahead, behind).split())
    marks = apart.point([0] * (_JUMP + 1) + [255] * (255 - _JUMP))
    return list(marks.resize((width - step, 1), Image.Resampling.BOX).tobytes())


def _plain(part: Image.Image) -> bool:
    """Tell whether most of *part* has one colour."""
    marks = []
    for band in part.split():
        counts = band.histogram()
        level = counts.index(max(counts))
        marks.append(band.point([255 * (abs(v - level) <= _NEAR) for v in range(256)]))
    alike = reduce(ImageChops.darker, marks)
    return alike.histogram()[255] > _PLAIN * part.width * part.height


def _placed(
    image: Image.Image,
    show: Callable[[Image.Image], Image.Image],
    size: tuple[int, int],
    box: Box,
    scale: float,
) -> Box:
    """Return *box* of a page of *size* in pixels of *image*, its edges moved to the lines."""
    reach = int(1.5 * scale) + 2

    def moved(
        at: float, side: int, *, first: bool, strip: Callable[[int, int], Image.Image]
    ) -> int:
        """Return the innermost line about *at*."""
        begin, end = max(0, round(at) - reach), min(side, round(at) + reach)
        jumps = _jumps(show(strip(begin, end)), 1)
        most = max(jumps, default=0)
        lines = [x for x, jump in enumerate(jumps) if jump >= min(most, _ACROSS)]
        return begin + 1 + (lines[-1] if first else lines[0]) if lines else round(at)

    width, height = image.size
    left, right = (box[n] * width / size[0] for n in (0, 2))
    top, bottom = (box[n] * height / size[1] for n in (1, 3))

    def columns(begin: int, end: int) -> Image.Image:
        return image.resize(
            (end - begin, min(_SIDE, round(bottom) - round(top))),
            Image.Resampling.NEAREST,
            (begin, round(top), end, round(bottom)),
        )

    def rows(begin: int, end: int) -> Image.Image:
        lying = image.resize(
            (min(_SIDE, round(right) - round(left)), end - begin),
            Image.Resampling.NEAREST,
            (round(left), begin, round(right), end),
        )
        return lying.transpose(Image.Transpose.TRANSPOSE)

    return (
        moved(left, width, first=True, strip=columns) if box[0] else 0,
        moved(top, height, first=True, strip=rows) if box[1] else 0,
        moved(right, width, first=False, strip=columns) if box[2] < size[0] else width,
        moved(bottom, height, first=False, strip=rows) if box[3] < size[1] else height,
    )
