"""Bands of rows: what is made of a picture is made a band at a time and never held whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Show = Callable[[Image.Image], Image.Image]

_ROWS = 128
# The transpositions that take each row of the result from a column of the stored picture.
_COLUMNS = frozenset(
    (
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_90,
    )
)
# Those whose first row comes from the last row or column.
_BACKWARDS = frozenset(
    (
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_90,
    )
)


def bands(image: Image.Image) -> Iterator[Image.Image]:
    """Yield all of *image* from top to bottom."""
    for top in range(0, image.height, _ROWS):
        yield image.crop((0, top, image.width, min(top + _ROWS, image.height)))


def packed(image: Image.Image, mode: str, box: tuple[int, int, int, int] | None = None) -> bytes:
    """Return the pixels of *image*, or of a part, in a raw *mode*, as `tobytes` does in pieces."""
    image.load()
    left, top, right, bottom = box or (0, 0, *image.size)
    encoder = Image._getencoder(image.mode, "raw", (mode, 0, 1))  # noqa: SLF001
    encoder.setimage(image.im, (left, top, right, bottom))
    data: bytes = encoder.encode(4 * (right - left) * (bottom - top))[2]
    return data


def turned_size(image: Image.Image, turn: Image.Transpose | None) -> tuple[int, int]:
    """Return (width, height) of *image* once it is turned."""
    return (image.height, image.width) if turn in _COLUMNS else image.size


def turned_band(
    image: Image.Image, turn: Image.Transpose | None, top: int, bottom: int
) -> Image.Image:
    """Return rows *top* to *bottom* of *image* turned; *image* itself if those are all."""
    if (top, bottom) != (0, turned_size(image, turn)[1]):
        image = image.crop(_box(image, turn, top, bottom))
    return image if turn is None else image.transpose(turn)


def _box(
    image: Image.Image, turn: Image.Transpose | None, top: int, bottom: int
) -> tuple[int, int, int, int]:
    """Return the part of *image* that those rows are made of."""
    if turn in _BACKWARDS:
        end = turned_size(image, turn)[1]
        top, bottom = end - bottom, end - top
    if turn in _COLUMNS:
        return (top, 0, bottom, image.height)
    return (0, top, image.width, bottom)
