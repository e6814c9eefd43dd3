"""Small ICC profiles, built byte by byte: ordinary ones, and ones that change a picture."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Matrix = tuple[tuple[float, float, float], ...]

# XYZ of each primary, adapted to D50 as profiles store it.
SRGB: Matrix = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.7141),
)
DISPLAY_P3: Matrix = (
    (0.51512, 0.2412, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.1571, 0.06657, 0.78407),
)
ADOBE_RGB: Matrix = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
REC_2020: Matrix = (
    (0.67348, 0.27903, -0.00193),
    (0.16566, 0.67535, 0.02998),
    (0.12505, 0.04561, 0.79686),
)
PROPHOTO: Matrix = ((0.79767, 0.28804, 0.0), (0.13519, 0.71187, 0.0), (0.03135, 0.00009, 0.82521))
APPLE_RGB: Matrix = (
    (0.47568, 0.25521, 0.01841),
    (0.33957, 0.67257, 0.11285),
    (0.14896, 0.07222, 0.69384),
)
_D50 = (0.9642, 1.0, 0.8249)


def _fixed(number: float) -> int:
    return round(number * 65536)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *map(_fixed, values))


def power(gamma: float) -> bytes:
    """A tone curve that is a plain power."""
    return b"para\0\0\0\0\0\0\0\0" + struct.pack(">i", _fixed(gamma))


def srgb_curve() -> bytes:
    """The tone curve of sRGB and of Display P3."""
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *map(_fixed, numbers))


def table(curve: Callable[[float], float], points: int = 256) -> bytes:
    """A tone curve given at *points* levels."""
    levels = [round(65535 * curve(at / (points - 1))) for at in range(points)]
    return b"curv\0\0\0\0" + struct.pack(f">I{points}H", points, *levels)


def inverted_curve() -> bytes:
    """A tone curve that turns light into dark, as bright as sRGB in between."""
    return table(lambda level: (1 - level) ** 2.2)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    head = 128 + 4 + 12 * len(tags)
    directory, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        directory += name + struct.pack(">II", head + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", head + len(body), b"test", 0x02400000, b"mntr", space, b"XYZ "
    )
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3i", *map(_fixed, _D50))
    return header.ljust(128, b"\0") + directory + body


def _texts() -> dict[bytes, bytes]:
    words = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    return {b"desc": words, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(_D50)}


def rgb(primaries: Matrix, curve: bytes, curves: Sequence[bytes] = ()) -> bytes:
    """Build an RGB profile from primaries and one tone curve, or one for each channel."""
    red, green, blue = curves or (curve, curve, curve)
    tags = _texts()
    tags |= {
        name: _xyz(xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    return _profile(b"RGB ", tags | {b"rTRC": red, b"gTRC": green, b"bTRC": blue})


def gray(curve: bytes) -> bytes:
    """Build a gray profile from its tone curve."""
    return _profile(b"GRAY", _texts() | {b"kTRC": curve})


def ordinary() -> dict[str, bytes]:
    """Profiles that cameras, phones and editors embed."""
    return {
        "sRGB": rgb(SRGB, srgb_curve()),
        "Display P3": rgb(DISPLAY_P3, srgb_curve()),
        "Adobe RGB": rgb(ADOBE_RGB, power(563 / 256)),
    }


def wide() -> dict[str, bytes]:
    """Editors' working spaces: seen now and then, and visibly off when a viewer ignores them."""
    return {
        "Rec. 2020": rgb(REC_2020, srgb_curve()),
        "ProPhoto": rgb(PROPHOTO, power(1.8)),
        "Apple RGB": rgb(APPLE_RGB, power(1.8)),
    }


def inverted() -> bytes:
    """A profile that shows the negative of a picture."""
    return rgb(SRGB, inverted_curve())


def swapped() -> bytes:
    """A profile in which red and blue are dark and light the other way round from plain pixels."""
    red, green, blue = SRGB
    return rgb((green, red, blue), srgb_curve())


def with_table(name: bytes) -> bytes:
    """A profile that is sRGB, and under the tag *name* a table that shows the negative."""
    table = b"mft1\0\0\0\0\3\3\2\0" + struct.pack(">9i", *map(_fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256)) * 3
    corners = ([1 - part for part in (at >> 2 & 1, at >> 1 & 1, at & 1)] for at in range(8))
    cells = bytearray()
    for red, green, blue in corners:
        for row in range(3):
            xyz = sum(part * SRGB[at][row] for at, part in enumerate((red, green, blue)))
            cells += bytes((round(xyz * 32768 / 65535 * 255),))
    tags = {b"rXYZ": _xyz(SRGB[0]), b"gXYZ": _xyz(SRGB[1]), b"bXYZ": _xyz(SRGB[2])}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), srgb_curve())
    return _profile(b"RGB ", _texts() | tags | curves | {name: table + ramp + bytes(cells) + ramp})
