"""From whatever a decoder gives to L, RGB or RGBA, once for each way that viewers show it.

Imported by `images` alone, so Pillow is still loaded with the first picture only.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops, ImageCms

from doorsill.images.bands import bands
from doorsill.images.components import other_components
from doorsill.images.profiles import ORDINARY_GRAY, by_intent, managed
from doorsill.images.tags import of_primaries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.images.bands import Show
    from doorsill.limits import Limits

_MID = 128
_OPAQUE = 255
# What a page of any luma shows lies between what two neighbours of white, these and black show.
_PAGES = (64, 192)
_SUBSTANTIAL = 0.05  # of the page seen: less does not carry a picture
_SCREEN_GAMMA = 1 / 2.2
# Wide samples that fill less than a quarter of their range look black unless they are stretched.
_FEW_LEVELS = 1 << 14
# Of the samples at either end of a range, which may be a few dead ones: 64 x 64 are looked at.
_ODD, _LOOKED_AT = 0.01, (64, 64)
_JPEGS = ("JPEG", "MPO")


class Reading(NamedTuple):
    """One way in which viewers show an image: a name, a mode, and what makes that of any band."""

    label: str
    mode: str
    show: Show

    def then(self, label: str, mode: str, more: Show) -> Reading:
        """Return this reading with one more step."""
        return Reading(_joined(self.label, label), mode, lambda band: more(self.show(band)))


def readings(
    image: Image.Image, limits: Limits, unread: list[str], *, thorough: bool = True
) -> Iterator[Reading]:
    """Yield each way in which viewers put *image* on a page, as L, RGB or RGBA.

    *thorough* asks for more pages than three: not for each of an animation's hundred frames.
    """
    info = image.info
    profile = info.get("icc_profile")
    if profile is None and "chromaticity" in info:
        profile = of_primaries(info["chromaticity"], info.get("gamma"))
    if isinstance(profile, bytes) and len(profile) > limits.profile_bytes:
        unread.append(f"profile: its colour profile takes {len(profile)} bytes")
        profile = None
    one_key = image.mode == "P" and isinstance(image.info.get("transparency"), int)
    for plain in _plain(image, profile if isinstance(profile, bytes) else None):
        yield from _through_alpha(plain, image, few=one_key, thorough=thorough)


def _plain(image: Image.Image, profile: bytes | None) -> Iterator[Reading]:
    """Yield *image* as stored, then as its profile or gamma would show it."""
    if image.mode == "CMYK":
        yield from _inks(image, profile)
        return
    if image.mode.startswith("I") or image.mode == "F":
        for gray in _wide(image):
            yield gray
            yield from _managed(image, gray, profile)
        return
    plain = _eight_bits(image)
    yield plain
    if image.format in _JPEGS and (other := other_components(image)) is not None:
        yield Reading("its components taken otherwise", "RGB", other)
    yield from _managed(image, plain, profile)
    if bent := _gamma_curve(image.info.get("gamma")):
        yield plain.then("with its gamma", plain.mode, lambda band: _bend(band, bent))


def _managed(image: Image.Image, plain: Reading, profile: bytes | None) -> Iterator[Reading]:
    for label, through in managed(image, plain.mode, plain.show, profile) if profile else ():
        yield plain.then(label, plain.mode if plain.mode == "RGBA" else "RGB", through)


def _eight_bits(image: Image.Image) -> Reading:
    """Return the reading of *image* in L, RGB or RGBA that makes no needless copy."""
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return _solid(image, _in("RGBA"))
    if image.mode in ("1", "L", "RGB"):
        mode = image.mode.replace("1", "L")
        return Reading("", mode, as_it_is if mode == image.mode else _in(mode))
    if image.mode == "LAB":
        return Reading("", "RGB", _from_lab())
    with_alpha = image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or (
        image.mode == "P" and image.palette is not None and image.palette.mode == "RGBA"
    )
    if not with_alpha:
        return Reading("", "RGB", _in("RGB"))
    if image.mode == "La":
        return _solid(image, lambda band: band.convert("LA").convert("RGBA"))
    return _solid(image, as_it_is if image.mode == "RGBA" else _in("RGBA"))


def as_it_is(band: Image.Image) -> Image.Image:
    """Return *band*: the reading of an image that needs none."""
    return band


def _in(mode: str) -> Show:
    return lambda band: band.convert(mode)


def _solid(image: Image.Image, show: Show, label: str = "") -> Reading:
    """Return a reading in RGBA, in RGB if no pixel is transparent."""
    seen = Reading(label, "RGBA", show)
    alphas = (show(band).getchannel("A").getextrema()[0] for band in bands(image))
    if all(alpha == _OPAQUE for alpha in alphas):
        return seen.then("", "RGB", _in("RGB"))
    return seen


def _from_lab() -> Show:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    return transform.apply


def lines_of(image: Image.Image) -> tuple[str, Show] | None:
    """Return in which 8-bit mode to look for a border of *image*, and what makes it, if any does.

    For those modes alone that PIL cannot convert: wide samples, stretched, and LAB.
    """
    if image.mode == "LAB":
        return "RGB", _from_lab()
    if not image.mode.startswith("I") and image.mode != "F":
        return None
    numbers = _numbers(image)
    show = _between(*_usual(image, numbers))
    return "L", lambda band: show(numbers(band))


# ---- alpha


def _through_alpha(
    plain: Reading, image: Image.Image, *, few: bool, thorough: bool
) -> Iterator[Reading]:
    """Yield *plain*, and where it is transparent also what other pages than white and black show.

    A page's colour acts linearly, so a picture could cancel itself on white and on black and
    still be seen on the grey of a chat; and an encoder without alpha shows what lies beneath. One
    alpha serves all three colours, so what a hash sees of a page is its luma alone: greys do.
    """
    yield plain
    if plain.mode != "RGBA":
        return
    yield plain.then("over mid grey", "RGB", partial(_over, _MID))
    if few:  # where one colour is transparent the pages above show its outline
        return
    yield plain.then("alpha ignored", "RGB", _in("RGB"))
    if not thorough or _share_seen_through(plain, image) < _SUBSTANTIAL:
        return
    for page in _PAGES:
        yield plain.then(f"over grey {page}", "RGB", partial(_over, page))


def _share_seen_through(plain: Reading, image: Image.Image) -> float:
    """Return how much of a page shows through *image*, 0 to 1."""
    seen = 0
    for band in bands(image):
        counts = plain.show(band).getchannel("A").histogram()
        seen += sum((_OPAQUE - alpha) * count for alpha, count in enumerate(counts))
    return seen / (_OPAQUE * image.width * image.height)


def _over(grey: int, band: Image.Image) -> Image.Image:
    page = Image.new("RGB", band.size, (grey, grey, grey))
    page.paste(band, mask=band.getchannel("A"))
    return page


def _joined(*labels: str) -> str:
    return ", ".join(label for label in labels if label)


# ---- samples of more than 8 bits


def _wide(image: Image.Image) -> Iterator[Reading]:
    """Yield 16-bit samples divided by 257, as browsers do, and any wide ones stretched."""
    sixteen = image.mode.startswith("I;16")
    numbers = _numbers(image)
    low, high = _range(image, numbers)
    key = image.info.get("transparency") if sixteen else None

    def seen(label: str, gray: Show) -> Reading:
        if not isinstance(key, int) or not low <= key <= high:
            return gray_only(label, gray)
        keyed = partial(_keyed, gray, key)
        return _solid(image, lambda band: keyed(numbers(band)), label)

    def gray_only(label: str, gray: Show) -> Reading:
        return Reading(label, "L", lambda band: gray(numbers(band)))

    if sixteen or (image.mode == "I" and image.format == "PNG"):
        yield seen("", _scale(1 / 257, 0))
        # From all 16 bits: the 8 that are left above may be all black.
        if curve := _gamma_curve(image.info.get("gamma"), 65535):
            yield seen("with its gamma", lambda band: band.point(curve, "L"))
            # Some viewers drop the lower 8 bits first, and what a steep gamma then shows is coarse.
            if coarse := _gamma_curve(image.info.get("gamma")):
                eight = _scale(1 / 257, 0)
                yield seen("with its gamma, from 8 bits", lambda band: _bend(eight(band), coarse))
        if high - low >= _FEW_LEVELS:
            return
    for name, gray in _stretched((low, high), _usual(image, numbers)):
        yield gray_only(name, gray)
    if not sixteen and (low < 0 or high > _OPAQUE):  # it does not fit
        yield gray_only("clipped", _scale(1, 0))


def _numbers(image: Image.Image) -> Show:
    return as_it_is if image.mode in ("I", "F") else _in("I")


def _range(image: Image.Image, numbers: Show) -> tuple[float, float]:
    ends = [end for band in bands(image) for end in numbers(band).getextrema()]
    known = [end for end in ends if isinstance(end, (int, float))]
    if len(known) < len(ends) or not all(map(math.isfinite, known)):
        return -math.inf, math.inf  # an infinite or undefined sample: nothing to stretch between
    return min(known), max(known)


def _usual(image: Image.Image, numbers: Show) -> tuple[float, float]:
    """Return between which numbers nearly all samples lie."""
    few = numbers(image.resize(_LOOKED_AT, Image.Resampling.NEAREST))
    samples = [few.getpixel((x, y)) for y in range(few.height) for x in range(few.width)]
    sound = sorted(one for one in samples if isinstance(one, (int, float)) and math.isfinite(one))
    if not sound:
        return 0, 0
    odd = round(_ODD * len(sound))
    return sound[odd], sound[-1 - odd]


def _stretched(ends: tuple[float, float], usual: tuple[float, float]) -> Iterator[tuple[str, Show]]:
    """Yield what spreads the samples over all levels: all of them, and those that are not odd."""
    if math.isfinite(whole := ends[1] - ends[0]):
        yield "stretched", _between(*ends)
    if 0 < usual[1] - usual[0] < whole / 2:
        yield "stretched, but for a few", _between(*usual)


def _between(low: float, high: float) -> Show:
    scale = 255 / (high - low) if high > low else 0
    return _scale(scale, -low * scale)


def _scale(scale: float, offset: float) -> Show:
    return lambda band: band.point(lambda level: level * scale + offset).convert("L")


def _keyed(gray: Show, key: int, numbers: Image.Image) -> Image.Image:
    """Return *numbers* in grey, those that are *key* transparent (PNG's tRNS)."""
    above = _scale(255, -255 * key)(numbers)  # 0 at the key and below, 255 above it
    below = _scale(-255, 255 * key)(numbers)
    shown = gray(numbers)
    return Image.merge("RGBA", (shown, shown, shown, ImageChops.lighter(above, below)))


# ---- ink


def _inks(image: Image.Image, profile: bytes | None) -> Iterator[Reading]:
    """Yield CMYK plainly, through its profile, and inverted where no marker settles it."""
    yield Reading("", "RGB", _in("RGB"))
    for label, through in by_intent(image, "CMYK", as_it_is, profile) if profile else ():
        yield Reading(label, "RGB", through)
    if image.format not in _JPEGS:
        return
    if (other := other_components(image)) is not None:
        yield Reading("its components taken otherwise", "RGB", other)
    if "adobe_transform" not in image.info:
        yield Reading("inks inverted", "RGB", lambda band: ImageChops.invert(band).convert("RGB"))


# ---- curves of a PNG's gAMA


def _gamma_curve(gamma: object, top: int = 255) -> list[int] | None:
    """Return the 8 bits that show each sample up to *top*, or None if gamma changes little."""
    if not isinstance(gamma, float) or gamma <= 0:
        return None
    exponent = _SCREEN_GAMMA / gamma
    curve = [round(255 * (level / top) ** exponent) for level in range(top + 1)]
    moved = max(abs(255 * level / top - shown) for level, shown in enumerate(curve))
    return curve if moved > ORDINARY_GRAY else None


def _bend(image: Image.Image, curve: list[int]) -> Image.Image:
    straight = list(range(256))
    colours = len(image.getbands()) - (image.mode == "RGBA")
    return image.point(curve * colours + (straight if image.mode == "RGBA" else []))
