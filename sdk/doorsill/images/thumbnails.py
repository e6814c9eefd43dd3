"""The small pictures that a file's EXIF holds: file managers and chat lists may show those instead.

Imported by `frames` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.images.containers import JPEG_START
from doorsill.images.opening import load, open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from doorsill.images.sitting import Sitting

_MOST = 4  # cameras write one, some another one into their own notes


def of(sitting: Sitting, image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield each thumbnail of a loaded *image*, but for those that nothing can decode."""
    exif = image.info.get("exif")
    if not isinstance(exif, bytes):
        return
    at = exif.find(JPEG_START)
    for _ in range(_MOST):
        if at < 0:
            return
        small = open_picture(sitting, "JPEG", exif[at:])
        if small is not None and sitting.spend(small.size) and load(sitting, small):
            small.info["exif"] = exif  # it is turned as the picture is
            yield "thumbnail", small
        sitting.check()
        at = exif.find(JPEG_START, at + len(JPEG_START))
