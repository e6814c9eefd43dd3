"""The canonical picture: what most viewers show, encoded anew, with nothing else in the file.

A file made here reads one way. A host that sends it instead of what it was given sends what was
screened, whatever else the original could have shown.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from doorsill.images import colour
from doorsill.images.profiles import to_srgb

if TYPE_CHECKING:
    from PIL import Image

    from doorsill.limits import Limits

_LOSSY = frozenset(("JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000"))
_JPEG = {"quality": 90}  # what messengers and cameras write: 85 to 95
_PNG = {"compress_level": 3}  # a third of the time of the usual 6, and a few per cent more bytes


def encoded(image: Image.Image, limits: Limits) -> bytes:
    """Return a JPEG of an opaque image that came from a lossy format, else a PNG; sRGB, upright.

    Args:
        image: Decoded and upright; its profile and gamma not yet applied.
        limits: How large a colour profile may be.

    Raises:
        Exception: As Pillow does on bad pixels; ask through `Sitting.attempt`.
    """
    shown = _srgb(image, limits)
    shown = shown._new(shown.im)  # noqa: SLF001 - the same pixels, without a copy of 200 MB
    shown.info = {}  # of which Pillow would write the profile, the comment and more
    file = io.BytesIO()
    if image.format in _LOSSY and shown.mode != "RGBA":
        shown.save(file, "JPEG", **_JPEG)
    else:
        shown.save(file, "PNG", **_PNG)
    return file.getvalue()


def _srgb(image: Image.Image, limits: Limits) -> Image.Image:
    """Return *image* in L, RGB or RGBA, through its profile where that can be used."""
    plain = next(colour.readings(image, limits, [])).show(image)
    alpha = plain.mode == "RGBA"
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > limits.profile_bytes:
        return plain
    source = image if image.mode == "CMYK" else plain.convert("RGB") if alpha else plain
    through = to_srgb(source.mode, profile)
    if through is None:
        return plain
    shown = through(source)
    if alpha:
        shown.putalpha(plain.getchannel("A"))
    return shown
