"""The small pictures that a file's EXIF holds, where they do not show what the file shows.

Imported by `frames` alone. File managers and chat lists may show them instead of the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageStat

from doorsill.images.containers import JPEG_START
from doorsill.images.opening import load, open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.images.sitting import Sitting

_MOST = 4  # cameras write one, some another one into their own notes
_GRID = (32, 32)  # as fine as what PDQ sees of a picture
# Levels by which they may differ on average: 3 to 5 between a photograph and its thumbnail.
_ALIKE = 8


def different(sitting: Sitting, image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield each thumbnail of a loaded *image* that shows something else.

    One that cannot be decoded is left out: nothing shows it.
    """
    exif = image.info.get("exif")
    if not isinstance(exif, bytes):
        return
    at, coarse = exif.find(JPEG_START), None
    for _ in range(_MOST):
        if at < 0:
            return
        small = open_picture(sitting, "JPEG", exif[at:])
        if small is not None and sitting.spend(small.size) and load(sitting, small):
            coarse = coarse or sitting.attempt(lambda: _coarse(image))
            if not sitting.attempt(lambda: coarse is not None and _alike(coarse, _coarse(small))):  # noqa: B023
                yield "thumbnail", small
        sitting.check()
        at = exif.find(JPEG_START, at + len(JPEG_START))


def _coarse(image: Image.Image) -> Image.Image:
    return image.resize(_GRID, Image.Resampling.BOX, reducing_gap=1.0).convert("L")


def _alike(one: Image.Image, other: Image.Image) -> bool:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0] <= _ALIKE
