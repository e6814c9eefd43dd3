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

from doorsill.images.bands import bands
from doorsill.images.tags import CURVES, runs_over, sound, tables, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorsill.images.bands import Show

# Levels of luma (of 255) by which an ordinary colour profile or gamma may move a pixel: a grey
# one, and any other. Measured on 400 photographs tagged anew: sRGB moved PDQ by 0 bits, power
# curves of 2.1 to 2.4 by 2 (median; 14 at most), Display P3 (40 levels, in pure green) by 2 (22)
# and Adobe RGB (48) by 4 (22), all well within a match; ProPhoto (60) by 10 (80).
ORDINARY_GRAY = 16
ORDINARY_COLOUR = 48
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_INTENTS = ("", "relative", "saturation")  # as ICC numbers them
# By which LittleCMS does not raise the blacks of a profile without tables, as by the first.
_RELATIVE = 1
_SATURATED = frozenset((b"A2B2", b"D2B2"))
_KEPT_VERDICTS = 64


def managed(
    image: Image.Image, mode: str, show: Show, profile: bytes
) -> Iterator[tuple[str, Show]]:
    """Yield (label, what puts a band through *profile*) where that differs from without it.

    Args:
        image: The picture.
        mode: L, RGB or RGBA, which *show* makes of its bands.
        show: What is done with a band before.
        profile: The colour profile.
    """
    space = _space(profile)
    if space not in ("RGB ", "GRAY") or (space == "GRAY" and mode != "L"):
        return  # no viewer can apply it
    if _VERDICTS.ordinary(profile, space):
        return
    direct = space == "GRAY" or mode == "RGB"

    def colours(band: Image.Image) -> Image.Image:
        return show(band) if direct else show(band).convert("RGB")

    for label, through in by_intent(image, "L" if space == "GRAY" else "RGB", colours, profile):
        yield label, through if direct else _beside_alpha(through)


def _beside_alpha(through: Show) -> Show:
    """Return what puts the colours of a band through a profile and leaves its alpha, if any."""

    def shown(band: Image.Image) -> Image.Image:
        made = through(band.convert("RGB"))
        if band.mode == "RGBA":
            made.putalpha(band.getchannel("A"))
        return made

    return shown


def by_intent(
    image: Image.Image, mode: str, show: Show, profile: bytes
) -> Iterator[tuple[str, Show]]:
    """Yield (label, what makes sRGB of a band), for each table of colours that viewers may pick.

    A profile may hold one for each rendering intent, which need not show the same picture.
    Arguments as for `managed`.
    """
    found = tables(tags_of(profile))
    seen: set[bytes] = set()
    for intent, label in enumerate(_INTENTS):
        # The first two fall back on other tables or on none, the last is used by name alone.
        if intent and (not found or (label == "saturation" and not found & _SATURATED)):
            continue
        through = to_srgb(mode, profile, intent)
        if through is None:
            continue
        digest = _digest(through(show(band)) for band in bands(image)) if found else b""
        if digest in seen:
            continue
        seen.add(digest)
        yield f"colour-managed, {label}" if label else "colour-managed", through


def _digest(pieces: Iterable[Image.Image]) -> bytes:
    """Return a digest of the pixels of a picture's bands."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece.tobytes())
    return digest.digest()


def _space(profile: bytes) -> str:
    return profile[16:20].decode("latin-1")


def to_srgb(mode: str, profile: bytes, intent: int = 0) -> Show | None:
    """Return what makes sRGB of an image in *mode*, None if the profile is broken.

    Viewers ignore one that is.
    """
    if _SPACES.get(mode) != _space(profile):
        return None
    if not tables(tags_of(profile)):
        intent = _RELATIVE
    slow = ImageCms.Flags.NOOPTIMIZE if runs_over(profile) else ImageCms.Flags(0)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(sound(profile)))
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(
            source, target, mode, "RGB", ImageCms.Intent(intent), slow
        )
        transform.apply(Image.new(mode, (1, 1)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return transform.apply


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
    tags = tags_of(profile)
    if tables(tags):
        # A table of colours can hide anything between the colours that we try.
        return False
    if not all(_rises(tags[name]) for name in tags.keys() & CURVES):
        return False
    mode = "L" if space == "GRAY" else "RGB"
    through = to_srgb(mode, profile)
    if through is None:
        return True  # unusable: every viewer shows the plain pixels
    grays = _luma(through(_grays(mode)))
    if grays != sorted(grays) or any(
        abs(shown - level) > ORDINARY_GRAY for level, shown in enumerate(grays)
    ):
        return False
    if mode == "L":
        return True
    colours = _colours()
    pairs = zip(_luma(colours), _luma(through(colours)), strict=True)
    return all(abs(after - before) <= ORDINARY_COLOUR for before, after in pairs)


def _rises(curve: bytes) -> bool:
    """Tell whether a tone curve given as a table never falls: LittleCMS smooths, others do not."""
    count = min(int.from_bytes(curve[8:12], "big"), (len(curve) - 12) // 2)
    if curve[:4] != b"curv" or count < 2:  # noqa: PLR2004 - a formula, or one exponent
        return True
    levels = struct.unpack_from(f">{count}H", curve, 12)
    return all(low <= high for low, high in itertools.pairwise(levels))


def _luma(image: Image.Image) -> list[int]:
    return list(image.convert("L").tobytes())


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
