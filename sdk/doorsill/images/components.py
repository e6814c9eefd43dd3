"""What the components of a JPEG are, where its markers do not agree: viewers then differ.

Imported by `colour` alone. Markers: JFIF 1.02; Adobe's APP14, Technical Note 5116, 18; names of
components as libjpeg takes them where neither marker is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from doorsill.images.bands import Show

_AS_RGB = 0  # of Adobe's transform: the components are what they are called
_NAMES = (82, 71, 66)  # R, G, B


def other_components(image: Image.Image) -> Show | None:
    """Return what makes RGB of a band as another viewer would, None where all agree.

    Args:
        image: A decoded JPEG, RGB or CMYK. Of inks only Adobe's marker tells whether luma comes
            first, so another viewer may always differ.
    """
    if image.mode == "CMYK":
        luma_first = image.info.get("adobe_transform", _AS_RGB) != _AS_RGB
        return _inks_as_stored if luma_first else _inks_of_luma
    if image.mode != "RGB":
        return None
    marked, jfif = image.info.get("adobe_transform"), "jfif" in image.info
    named = tuple(layer[0] for layer in getattr(image, "layer", ())) == _NAMES
    # Whether luma comes first: by JFIF, by Adobe's marker, by the names. The first that tells wins.
    told = [True] if jfif else []
    if marked is not None:
        told.append(marked != _AS_RGB)
    if named or marked == _AS_RGB:
        told.append(not named)
    if len(set(told)) < 2:  # noqa: PLR2004 - all say the same
        return None
    return _as_stored if told[0] else _of_luma


def _as_stored(band: Image.Image) -> Image.Image:
    return Image.merge("RGB", band.convert("YCbCr").split())


def _of_luma(band: Image.Image) -> Image.Image:
    return Image.merge("YCbCr", band.split()).convert("RGB")


# Pillow gives inks as light that is taken away: inverted as Adobe stores them. Luma and two
# colours stand for the other way round.


def _inks_of_luma(band: Image.Image) -> Image.Image:
    *colours, black = band.split()
    made = _of_luma(Image.merge("RGB", [ImageChops.invert(colour) for colour in colours]))
    return Image.merge("CMYK", (*made.split(), black)).convert("RGB")


def _inks_as_stored(band: Image.Image) -> Image.Image:
    *colours, black = band.split()
    stored = _as_stored(Image.merge("RGB", colours)).split()
    return Image.merge("CMYK", (*map(ImageChops.invert, stored), black)).convert("RGB")
