"""Views of a query beside the whole: what trimming and turning undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR = 24  # greatest difference of a channel from the ground's colour
_ROW, _COLUMN = 0.72, 0.5  # shares of a row or column that is picture
_PLAIN = 0.97  # share of an edge that has its colour
_LEAST = 0.2  # of the whole's side; less is no picture


def longest(marks: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the longest run of marks, (begin, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    runs = edges.reshape(-1, 2)
    begin, end = runs[(runs[:, 1] - runs[:, 0]).argmax()]
    return int(begin), int(end)


def ground_of(pixels: NDArray[np.int16]) -> NDArray[np.float64] | None:
    """Return the colour that surrounds a picture: that of most of the edges which have only one."""
    plain = []
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        colour = np.median(edge, axis=0)
        if (np.abs(edge - colour).max(1) <= _NEAR).mean() >= _PLAIN:
            plain.append((colour, len(edge)))
    if not plain:
        return None
    alike = [sum(n for other, n in plain if np.abs(other - c).max() <= _NEAR) for c, _ in plain]
    return np.asarray(plain[int(np.argmax(alike))][0], np.float64)


def trimmed(photo: Image.Image) -> Image.Image | None:
    """Return the photo without what surrounds it in one colour, None if bare.

    The picture is the longest run of rows that hold little of the ground's colour, and within it
    the longest run of such columns.
    """
    pixels = np.asarray(photo, np.int16)
    ground = ground_of(pixels)
    if ground is None:
        return None
    other = np.any(np.abs(pixels - ground) > _NEAR, axis=2).reshape(pixels.shape[:2])
    top, bottom = longest(other.mean(1) > _ROW)
    if bottom - top < _LEAST * photo.height:
        top, bottom = longest(other.mean(1) > _COLUMN)
    if bottom - top < _LEAST * photo.height:
        return None
    left, right = longest(other[top:bottom].mean(0) > _COLUMN)
    if right - left < _LEAST * photo.width or (right - left, bottom - top) == photo.size:
        return None
    return photo.crop((left, top, right, bottom))


def views(photo: Image.Image, names: list[str]) -> list[Image.Image]:
    """Return the whole, then those of `flip`, `trim` and `centre` that are asked for and exist."""
    found: list[Image.Image | None] = [photo]
    w, h = photo.size
    for name in names:
        if name == "flip":
            found.append(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        elif name == "trim":
            found.append(trimmed(photo))
        elif name == "centre":
            found.append(photo.crop((w // 8, h // 8, w - w // 8, h - h // 8)))
        else:
            raise SystemExit(f"{name}: no such view; there are flip, trim and centre")
    return [view for view in found if view is not None]
