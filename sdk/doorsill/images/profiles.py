"""Colour profiles: which ones show another picture than the plain pixels do.

Imported by `colour` alone.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import struct
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Iterator

# Levels of luma (of 255) by which an ordinary colour profile or gamma may move a pixel: a grey
# one, and any other. Measured on 400 photographs tagged anew: sRGB moved PDQ by 0 bits, power
# curves of 2.1 to 2.4 by 2 (median; 14 at most), Display P3 (40 levels, in pure green) by 2 (22)
# and Adobe RGB (48) by 4 (22), all well within a match; ProPhoto (60) by 10 (80).
ORDINARY_GRAY = 16
ORDINARY_COLOUR = 48
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_CURVES = frozenset((b"rTRC", b"gTRC", b"bTRC", b"kTRC"))
_INTENTS = ("", "relative", "saturation")  # as ICC numbers them
_SATURATED = frozenset((b"A2B2", b"D2B2"))
_STRIP = 128
_TAGS = 100  # profiles have 10 to 30
_KEPT_VERDICTS = 64


def managed(image: Image.Image, profile: bytes) -> Iterator[tuple[str, Image.Image]]:
    """Yield (label, *image* through *profile*) where that differs from what is seen without it."""
    space = _space(profile)
    if space not in ("RGB ", "GRAY") or (space == "GRAY" and image.mode != "L"):
        return  # no viewer can apply it
    if _VERDICTS.ordinary(profile, space):
        return
    colours = image if space == "GRAY" or image.mode == "RGB" else image.convert("RGB")
    for label, shown in by_intent(colours, profile):
        if image.mode == "RGBA":
            shown.putalpha(image.getchannel("A"))
        yield label, shown


def by_intent(image: Image.Image, profile: bytes) -> Iterator[tuple[str, Image.Image]]:
    """Yield (label, *image* as sRGB), once for each table of colours that viewers may pick.

    A profile may hold one for each rendering intent, which need not show the same picture.
    """
    tables = _tables(_tags(profile))
    seen: set[bytes] = set()
    for intent, label in enumerate(_INTENTS):
        # The first two fall back on other tables or on none, the last is used by name alone.
        if intent and (not tables or (label == "saturation" and not tables & _SATURATED)):
            continue
        shown = transformed(image, profile, intent)
        if shown is None or (digest := _digest(shown) if tables else b"") in seen:
            continue
        seen.add(digest)
        yield f"colour-managed, {label}" if label else "colour-managed", shown


def _tables(tags: dict[bytes, bytes]) -> frozenset[bytes]:
    return frozenset(name for name in tags if name.startswith((b"A2B", b"D2B")))


def _digest(image: Image.Image) -> bytes:
    """Return a digest of the pixels of *image*, taken in strips: they may be 300 MB."""
    digest = hashlib.sha256()
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        digest.update(strip.tobytes())
    return digest.digest()


def _space(profile: bytes) -> str:
    return profile[16:20].decode("latin-1")


def transformed(image: Image.Image, profile: bytes, intent: int = 0) -> Image.Image | None:
    """Return *image* as sRGB, or None if the profile is broken: viewers then ignore it."""
    if _SPACES.get(image.mode) != _space(profile):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent(intent),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


class _Verdicts:
    """Which profiles are ordinary, kept for those seen last: a phone has one for all its photos."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, bool] = OrderedDict()

    def ordinary(self, profile: bytes, space: str) -> bool:
        key = hashlib.sha256(profile).digest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        verdict = is_ordinary(profile, space)
        with self._lock:
            self._known[key] = verdict
            while len(self._known) > _KEPT_VERDICTS:
                self._known.popitem(last=False)
        return verdict


_VERDICTS = _Verdicts()


def is_ordinary(profile: bytes, space: str) -> bool:
    """Tell whether *profile* keeps the order of greys and moves no colour's luma by much.

    PDQ sees luma alone, so such a profile can neither hide a grey picture nor show one. Asked of
    the profile and not of the picture, whose content a stranger chooses.
    """
    tags = _tags(profile)
    if _tables(tags):
        # A table of colours can hide anything between the colours that we try.
        return False
    if not all(_rises(tags[name]) for name in _CURVES & tags.keys()):
        return False
    mode = "L" if space == "GRAY" else "RGB"
    grays = _luma(transformed(_grays(mode), profile))
    if grays is None:
        return True  # unusable: every viewer shows the plain pixels
    if grays != sorted(grays) or any(
        abs(shown - level) > ORDINARY_GRAY for level, shown in enumerate(grays)
    ):
        return False
    if mode == "L":
        return True
    colours = _colours()
    shown, plain = _luma(transformed(colours, profile)), _luma(colours)
    pairs = zip(plain or (), shown or (), strict=True)
    return all(abs(after - before) <= ORDINARY_COLOUR for before, after in pairs)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the content of each tag of a profile."""
    tags = {}
    for at in range(132, 132 + 12 * min(int.from_bytes(profile[128:132], "big"), _TAGS), 12):
        start, size = (int.from_bytes(profile[at + by : at + by + 4], "big") for by in (4, 8))
        tags[profile[at : at + 4]] = profile[start : start + size]
    return tags


def _rises(curve: bytes) -> bool:
    """Tell whether a tone curve given as a table never falls: LittleCMS smooths, others do not."""
    count = min(int.from_bytes(curve[8:12], "big"), (len(curve) - 12) // 2)
    if curve[:4] != b"curv" or count < 2:  # noqa: PLR2004 - a formula, or one exponent
        return True
    levels = struct.unpack_from(f">{count}H", curve, 12)
    return all(low <= high for low, high in itertools.pairwise(levels))


def _luma(image: Image.Image | None) -> list[int] | None:
    return None if image is None else list(image.convert("L").tobytes())


def _grays(mode: str) -> Image.Image:
    return Image.frombytes("L", (256, 1), bytes(range(256))).convert(mode)


def _colours() -> Image.Image:
    """Return an image of the colours to try: every level of each curve, and a grid between."""
    colours = bytearray()
    for level in range(256):
        for other in (0, 128, 255):
            colours += bytes((level, other, other, other, level, other, other, other, level))
    steps = [round(step * 255 / 16) for step in range(17)]
    colours += bytes(part for r in steps for g in steps for b in steps for part in (r, g, b))
    return Image.frombytes("RGB", (len(colours) // 3, 1), bytes(colours))
