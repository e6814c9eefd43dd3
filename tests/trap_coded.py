"""Traps in what JPEG's and PNG's headers say of their samples; `traps` names them all."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageOps

import icc
from drawn import PNG_START, chunk, decoy, saved, with_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Image.Image], bytes]

_JFIF = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"


# ---- which colours a JPEG's components are


def _segments(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """Return the segments before the pixels by their last marker, in order, and the rest."""
    found: dict[int, bytes] = {}
    at = 2
    while data[at + 1] != 0xDA:
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found[data[at + 1]] = found.get(data[at + 1], b"") + data[at : at + size]
        at += size
    return found, data[at:]


def marked(data: bytes, transform: int | None, *, names: bytes = b"", jfif: bool = False) -> bytes:
    """Return a JPEG with that Adobe marker (None: none), component names, and JFIF head."""
    found, rest = _segments(data)
    for marker in (0xE0, 0xEE):
        found.pop(marker, None)
    if names:
        frame, scan = bytearray(found[0xC0]), bytearray(rest)
        for at, name in enumerate(names):
            frame[10 + 3 * at] = scan[5 + 2 * at] = name
        found[0xC0], rest = bytes(frame), bytes(scan)
    head = _JFIF if jfif else b""
    if transform is not None:
        head += b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0" + bytes((transform,))
    return b"\xff\xd8" + head + b"".join(found.values()) + rest


def _as_stored(planes: list[Image.Image]) -> bytes:
    """Return a JPEG whose components are *planes*, as they are."""
    if len(planes) == 3:
        return saved(Image.merge("RGB", planes), "JPEG", quality=92, keep_rgb=True)
    # Pillow writes inks inverted, as Adobe does.
    return saved(ImageChops.invert(Image.merge("CMYK", planes)), "JPEG", quality=92)


def _luma_first(picture: Image.Image) -> list[Image.Image]:
    return list(picture.convert("YCbCr").split())


def rgb_by_marker(picture: Image.Image) -> bytes:
    """Red, green and blue, as a marker says."""
    return marked(_as_stored(list(picture.split())), 0, names=b"\1\2\3")


def rgb_by_names(picture: Image.Image) -> bytes:
    """Red, green and blue, as the names of the components say and no marker."""
    return marked(_as_stored(list(picture.split())), None, names=b"RGB")


def rgb_denied(picture: Image.Image) -> bytes:
    """Red, green and blue as one marker says, and another denies: viewers differ."""
    other = decoy(picture.size).convert("L")
    planes = [other, picture.convert("L"), picture.convert("L")]
    return marked(_as_stored(planes), 0, names=b"\1\2\3", jfif=True)


def luma_marked_rgb(picture: Image.Image) -> bytes:
    """Luma comes first, in a file that says it is red."""
    planes = [picture.convert("L"), *decoy(picture.size).convert("YCbCr").split()[1:]]
    return marked(_as_stored(planes), 0, names=b"\1\2\3")


def luma_named_rgb(picture: Image.Image) -> bytes:
    """Luma comes first, under the name of red, which a marker sets right."""
    return marked(_as_stored(_luma_first(picture)), 1, names=b"RGB")


def luma_marked_oddly(picture: Image.Image) -> bytes:
    """Luma and two colours under a marker that no standard knows."""
    return marked(_as_stored(_luma_first(picture)), 7, names=b"\1\2\3")


def _ink_planes(picture: Image.Image, *, luma: bool) -> list[Image.Image]:
    """Return four planes as Adobe stores them: inverted inks, or luma, two colours and black."""
    black = Image.new("L", picture.size, 255)
    # Decoders turn luma and two colours into inks that are not inverted.
    return [*(_luma_first(ImageOps.invert(picture)) if luma else picture.split()), black]


def ycck(transform: int | None) -> Maker:
    """Return a maker of luma, two colours and black, under a marker that says this or not."""

    def make(picture: Image.Image) -> bytes:
        return marked(_as_stored(_ink_planes(picture, luma=True)), transform)

    return make


def cmyk(transform: int | None) -> Maker:
    """Return a maker of inks, under a marker that says this or not."""

    def make(picture: Image.Image) -> bytes:
        return marked(_as_stored(_ink_planes(picture, luma=False)), transform)

    return make


# ---- colour spaces


def swapping_profile(picture: Image.Image) -> bytes:
    """Red is what the profile shows as green: another picture lies in the green of the file."""
    other = decoy(picture.size).convert("L")
    gray = picture.convert("L")
    quiet = other.point(lambda level: 64 + level // 2)
    return saved(Image.merge("RGB", (gray, quiet, gray)), "PNG", icc_profile=icc.swapped())


def _png16(samples: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of 16-bit samples, of shape (height, width, 3)."""
    high, wide, _ = samples.shape
    rows = samples.astype(">u2")
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = struct.pack(">IIBBBBB", wide, high, 16, 2, 0, 0, 0)
    more = b"".join(chunk(name, content) for name, content in chunks)
    return PNG_START + chunk(b"IHDR", head) + more + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _gama(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(gamma * 100_000))


def gamma16(gamma: float) -> Maker:
    """Return a maker of 16-bit colours that look like the picture through a gAMA chunk alone."""

    def make(picture: Image.Image) -> bytes:
        levels = np.asarray(picture, float) / 255
        return _png16(np.rint(65535 * levels ** (gamma * 2.2)), _gama(gamma))

    return make


def gamma8(gamma: float) -> Maker:
    """Return a maker of a few dark levels that a gAMA chunk spreads: a poster of the picture."""

    def make(picture: Image.Image) -> bytes:
        dark = picture.point([round(255 * (at / 255) ** (gamma * 2.2)) for at in range(256)] * 3)
        return with_chunk(saved(dark, "PNG"), *_gama(gamma))

    return make


def gamma16_gray(gamma: float) -> Maker:
    """Return a maker of the same of 16 bits of gray."""

    def make(picture: Image.Image) -> bytes:
        levels = np.asarray(picture.convert("L"), float) / 255
        dark = np.rint(65535 * levels ** (gamma * 2.2)).astype(np.uint16)
        return with_chunk(saved(Image.fromarray(dark), "PNG"), *_gama(gamma))

    return make


def rgb16_low(picture: Image.Image) -> bytes:
    """Colours in the lower 8 of 16 bits: black, unless a viewer stretches them."""
    return _png16(np.asarray(picture, float))


def _primaries(*numbers: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(100_000 * number) for number in numbers))


def swapped_primaries(picture: Image.Image) -> bytes:
    """A cHRM chunk says that red is green: another picture lies in the green of the file."""
    gray = picture.convert("L")
    quiet = decoy(picture.size).convert("L").point(lambda level: 64 + level // 2)
    plain = saved(Image.merge("RGB", (gray, quiet, gray)), "PNG")
    name, body = _primaries(0.3127, 0.329, 0.3, 0.6, 0.64, 0.33, 0.15, 0.06)
    return with_chunk(with_chunk(plain, *_gama(0.45455)), name, body)


def coded_transfer(transfer: int, shown: Callable[[np.ndarray], np.ndarray]) -> Maker:
    """Return a maker of what looks like the picture through a cICP chunk alone."""

    def make(picture: Image.Image) -> bytes:
        levels = np.asarray(picture, float) / 255
        linear = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
        stored = np.rint(65535 * shown(linear))
        return _png16(stored, (b"cICP", bytes((1, transfer, 0, 1))))

    return make


def _pq(linear: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, white at 203 cd/m2."""
    power = (linear * 203 / 10000) ** (2610 / 16384)
    ratio = (3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)
    return np.asarray(ratio ** (2523 / 32))


NAMED: tuple[Maker, ...] = (
    rgb_by_marker, rgb_by_names, rgb_denied, luma_marked_rgb, luma_named_rgb, luma_marked_oddly,
    swapping_profile, swapped_primaries,
)  # fmt: skip
CODED: dict[str, Maker] = (
    {one.__name__: one for one in NAMED}
    | {f"ycck marked {mark}": ycck(mark) for mark in (0, 1, 2, 3, None)}
    | {f"cmyk marked {mark}": cmyk(mark) for mark in (1, 2, 3)}
    | {f"16 bits through a gamma of {gamma}": gamma16(gamma) for gamma in (0.02, 0.1)}
    | {
        "cicp linear": coded_transfer(8, lambda linear: linear),
        "cicp pq": coded_transfer(16, _pq),
    }
)
UNREAD: dict[str, Maker] = {
    f"16 bits through a gamma of {gamma}": gamma16(gamma) for gamma in (8, 20)
} | {
    "8 bits through a gamma of 10": gamma8(10),
    "16 bits of gray through a gamma of 20": gamma16_gray(20),
}
ASIDE: dict[str, Maker] = {"rgb16_low": rgb16_low}
