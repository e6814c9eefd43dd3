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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doorsill.images.bands import Show

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
_D50 = (0.9642, 1.0, 0.8249)  # to which profiles refer
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_TAGS = 100  # profiles have 10 to 30
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
    tables = _tables(_tags(profile))
    seen: set[bytes] = set()
    for intent, label in enumerate(_INTENTS):
        # The first two fall back on other tables or on none, the last is used by name alone.
        if intent and (not tables or (label == "saturation" and not tables & _SATURATED)):
            continue
        through = to_srgb(mode, profile, intent)
        if through is None:
            continue
        digest = _digest(through(show(band)) for band in bands(image)) if tables else b""
        if digest in seen:
            continue
        seen.add(digest)
        yield f"colour-managed, {label}" if label else "colour-managed", through


def _tables(tags: dict[bytes, bytes]) -> frozenset[bytes]:
    return frozenset(name for name in tags if name.startswith((b"A2B", b"D2B")))


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
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent(intent)
        )
        transform.apply(Image.new(mode, (1, 1)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return transform.apply


def of_primaries(chromaticity: Iterable[float], gamma: object) -> bytes | None:
    """Return a profile that does what a PNG's cHRM and gAMA ask for, None if they ask for nonsense.

    Args:
        chromaticity: x and y of white, red, green and blue.
        gamma: As in gAMA; 1 / 2.2 where there is none.
    """
    try:
        numbers = [float(number) for number in chromaticity]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        white, *primaries = ((x, y, 1 - x - y) for x, y in pairs)
        bright = [part / white[1] for part in white]
        shares = _solved(primaries, bright)
        seen = [
            _under_d50([share * part for part in xyz], bright)
            for share, xyz in zip(shares, primaries, strict=True)
        ]
        power = 1 / gamma if isinstance(gamma, float) and gamma > 0 else 2.2
        curve = b"para" + bytes(8) + _fixed(power)
        tags = {
            name: b"XYZ " + bytes(4) + _fixed(*xyz)
            for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), seen, strict=True)
        } | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    except (TypeError, ValueError, ZeroDivisionError, struct.error):
        return None
    at, directory, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        directory += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + directory + body


def _under_d50(colour: Sequence[float], white: Sequence[float]) -> list[float]:
    """Return the XYZ that looks under D50 as *colour* does under *white* (Bradford)."""
    cones, from_white, to_white = (
        [sum(part * at for part, at in zip(xyz, row, strict=True)) for row in _BRADFORD]
        for xyz in (colour, white, _D50)
    )
    turned = [cone * to / at for cone, to, at in zip(cones, to_white, from_white, strict=True)]
    return _solved([list(column) for column in zip(*_BRADFORD, strict=True)], turned)


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))


def _solved(columns: Sequence[Sequence[float]], wanted: Sequence[float]) -> list[float]:
    """Return how much of each of three columns makes up what is wanted (Cramer's rule)."""
    whole = _determinant(columns)
    return [
        _determinant([wanted if at == this else column for at, column in enumerate(columns)])
        / whole
        for this in range(3)
    ]


def _determinant(columns: Sequence[Sequence[float]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = columns
    return a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e)


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
