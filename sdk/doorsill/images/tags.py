"""The tags of a colour profile, and profiles written so that LittleCMS shows what browsers do.

Imported by `profiles` and `colour`. Browsers (skcms) never ask what a profile is for, take any
number of tags, and let no number run over; LittleCMS refuses or garbles what is beyond its bounds.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PRIMARIES = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
_TABLES = frozenset((b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2", b"D2B3"))
# These alone are kept: tags may overlap, and a thousand could each be the whole profile.
_USED = frozenset((*_PRIMARIES, *CURVES, *_TABLES, b"wtpt", b"chad", b"cicp"))
_D50 = (0.9642, 1.0, 0.8249)  # to which profiles refer
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_FROM_XYZ = ((3.1341, -1.6174, -0.4907), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052))
_MOST, _STEEP = 7.0, 16.0  # of sums of linear light, and of a power


def tags_of(profile: bytes) -> dict[bytes, bytes]:
    """Return the content of each tag that a picture's colours depend on; of two, the first."""
    tags: dict[bytes, bytes] = {}
    count = min(int.from_bytes(profile[128:132], "big"), (len(profile) - 132) // 12)
    for name, start, size in struct.iter_unpack(">4sII", profile[132 : 132 + 12 * max(0, count)]):
        if name in _USED:
            tags.setdefault(name, profile[start : start + size])
    return tags


def tables(tags: Iterable[bytes]) -> frozenset[bytes]:
    """Return which of these tags are tables of colours."""
    return _TABLES.intersection(tags)


def sound(profile: bytes) -> bytes:
    """Return what shows the same and is refused neither for its kind nor for unknown tags."""
    return _written(profile, tags_of(profile))


def runs_over(profile: bytes) -> bool:
    """Tell whether LittleCMS's quick sums might run over for some colour.

    They are whole numbers with 14 bits behind the point, up to 8 (cmsopt.c).
    """
    tags = tags_of(profile)
    try:
        most = [_most(tags[name]) for name in CURVES[:3]]
        primaries = [struct.unpack_from(">3i", tags[name], 8) for name in _PRIMARIES]
    except (KeyError, struct.error):
        return False  # by a table or in grey, which go another way
    return any(
        sum(
            peak * abs(sum(a * b / 65536 for a, b in zip(row, xyz, strict=True)))
            for peak, xyz in zip(most, primaries, strict=True)
        )
        > _MOST
        for row in _FROM_XYZ
    )


def _most(curve: bytes) -> float:
    """Return a bound of a tone curve: 1 for a table, formulas are those of ICC.1, 10.18."""
    if curve[:4] != b"para":
        return 1.0
    count = max(1, min(7, (len(curve) - 12) // 4))
    numbers: list[float] = [n / 65536 for n in struct.unpack_from(f">{count}i", curve, 12)]
    usual = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    g, a, b, c, _, e, f = numbers + usual[count:]
    if not 0 <= g <= _STEEP:
        return math.inf
    return math.pow(max(1.0, abs(a) + abs(b)), g) + abs(c) + abs(e) + abs(f)


def _written(head: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return the profile with these tags, said to be a monitor's."""
    at, directory, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        directory += name + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I", at + len(body)) + head[4:12] + b"mntr" + head[16:128].ljust(112, b"\0")
    return head + struct.pack(">I", len(tags)) + directory + body


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
            for name, xyz in zip(_PRIMARIES, seen, strict=True)
        } | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    except (TypeError, ValueError, ZeroDivisionError, struct.error):
        return None
    head = struct.pack(">8xI4s4s4s", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    return _written(head + bytes(12) + b"acsp" + bytes(28) + _fixed(*_D50), tags)


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
