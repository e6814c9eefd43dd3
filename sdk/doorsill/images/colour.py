"""From whatever a decoder gives to L, RGB or RGBA, once for each way that viewers show it.

Imported by `images` alone, so Pillow is still loaded with the first picture only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageCms

from doorsill.images.profiles import ORDINARY_GRAY, by_intent, managed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.limits import Limits

    Reading = tuple[str, Image.Image]

_MID = 128
_SCREEN_GAMMA = 1 / 2.2
# Wide samples that fill less than a quarter of their range look black unless they are stretched.
_FEW_LEVELS = 1 << 14


def readings(image: Image.Image, limits: Limits, unread: list[str]) -> Iterator[Reading]:
    """Yield (label, image) for each way in which viewers put *image* on a white or black page."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and len(profile) > limits.profile_bytes:
        unread.append(f"profile: its colour profile takes {len(profile)} bytes")
        profile = None
    one_key = image.mode == "P" and isinstance(image.info.get("transparency"), int)
    for label, plain in _plain(image, profile if isinstance(profile, bytes) else None):
        yield from _through_alpha(label, plain, one_key=one_key)


def _plain(image: Image.Image, profile: bytes | None) -> Iterator[Reading]:
    """Yield *image* as L, RGB or RGBA: as stored, then as its profile or gamma would show it."""
    if image.mode == "CMYK":
        yield from _inks(image, profile)
        return
    if image.mode.startswith("I") or image.mode == "F":
        for label, gray in _wide(image):
            yield label, gray
            for shown_by, shown in managed(gray, profile) if profile else ():
                yield _joined(label, shown_by), shown
        return
    plain = _eight_bits(image)
    yield "", plain
    if profile:
        yield from managed(plain, profile)
    if bent := _gamma_curve(image.info.get("gamma")):
        yield "with its gamma", _bend(plain, bent)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return *image* in L, RGB or RGBA without a needless copy."""
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return _solid(image.convert("RGBA"))
    if image.mode in ("L", "RGB"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "LAB":
        return _from_lab(image)
    if image.mode == "La":
        image = image.convert("LA")
    with_alpha = image.mode in ("RGBA", "RGBa", "LA", "PA") or (
        image.mode == "P" and image.palette is not None and image.palette.mode == "RGBA"
    )
    if not with_alpha:
        return image.convert("RGB")
    return _solid(image if image.mode == "RGBA" else image.convert("RGBA"))


def _solid(image: Image.Image) -> Image.Image:
    """Return RGB if no pixel of the RGBA *image* is transparent."""
    if image.getchannel("A").getextrema()[0] == 255:  # noqa: PLR2004 - opaque
        return image.convert("RGB")
    return image


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image


# ---- alpha


def _through_alpha(label: str, image: Image.Image, *, one_key: bool) -> Iterator[Reading]:
    """Yield *image*, and where it is transparent also what other pages than white and black show.

    A page's colour acts linearly, so a picture could cancel itself on white and on black and
    still be seen on the grey of a chat; and an encoder without alpha shows what lies beneath.
    """
    yield label, image
    if image.mode != "RGBA":
        return
    page = Image.new("RGB", image.size, (_MID, _MID, _MID))
    page.paste(image, mask=image.getchannel("A"))
    yield _joined(label, "over mid grey"), page
    if not one_key:  # where one colour is transparent the pages above show its outline
        yield _joined(label, "alpha ignored"), image.convert("RGB")


def _joined(*labels: str) -> str:
    return ", ".join(label for label in labels if label)


# ---- samples of more than 8 bits


def _wide(image: Image.Image) -> Iterator[Reading]:
    """Yield 16-bit samples divided by 257, as browsers do, and any wide ones stretched."""
    sixteen = image.mode.startswith("I;16")
    numbers = image if image.mode in ("I", "F") else image.convert("I")
    low, high = _range(numbers)
    see_through = image.info.get("transparency") if sixteen else None
    if sixteen or (image.mode == "I" and image.format == "PNG"):
        yield "", _keyed(_scaled(numbers, 1 / 257, 0), numbers, see_through)
        # From all 16 bits: the 8 that are left above may be all black.
        if curve := _gamma_curve(image.info.get("gamma"), 65535):
            bent = numbers.point(curve, "L")
            yield "with its gamma", _keyed(bent, numbers, see_through)
            # Some viewers drop the lower 8 bits first, and what a steep gamma then shows is coarse.
            if coarse := _gamma_curve(image.info.get("gamma")):
                bent = _bend(_scaled(numbers, 1 / 257, 0), coarse)
                yield "with its gamma, from 8 bits", _keyed(bent, numbers, see_through)
        if high - low >= _FEW_LEVELS:
            return
    scale = 255 / (high - low) if high > low else 0
    yield "stretched", _scaled(numbers, scale, -low * scale)
    if not sixteen and (low < 0 or high > 255):  # noqa: PLR2004 - it does not fit
        yield "clipped", _scaled(numbers, 1, 0)


def _range(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    numbers = isinstance(low, (int, float)) and isinstance(high, (int, float))
    if not numbers or not math.isfinite(low) or not math.isfinite(high):  # type: ignore[arg-type]
        return 0, 1  # an infinite or undefined sample: nothing to stretch between
    return low, high  # type: ignore[return-value]


def _scaled(image: Image.Image, scale: float, offset: float) -> Image.Image:
    return image.point(lambda level: level * scale + offset).convert("L")


def _keyed(gray: Image.Image, numbers: Image.Image, key: object) -> Image.Image:
    """Return *gray* with the pixels whose sample is *key* transparent (PNG's tRNS)."""
    if not isinstance(key, int):
        return gray
    low, high = _range(numbers)
    if not low <= key <= high:
        return gray
    above = _scaled(numbers, 255, -255 * key)  # 0 at the key and below, 255 above it
    below = _scaled(numbers, -255, 255 * key)
    return _solid(Image.merge("RGBA", (gray, gray, gray, ImageChops.lighter(above, below))))


# ---- ink


def _inks(image: Image.Image, profile: bytes | None) -> Iterator[Reading]:
    """Yield CMYK plainly, through its profile, and inverted where no marker settles it."""
    plain = image.convert("RGB")
    yield "", plain
    if profile:
        yield from by_intent(image, profile)
    if image.format in ("JPEG", "MPO") and "adobe_transform" not in image.info:
        yield "inks inverted", ImageChops.invert(image).convert("RGB")


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
