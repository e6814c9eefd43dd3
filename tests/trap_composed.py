"""Traps of animated PNGs and WebPs, whose frames are composed; `traps` names them all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from drawn import PNG_START, chunk, decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    Maker = Callable[[Image.Image], bytes]
    # An image, its place, and what is done with the canvas after it and with its alpha.
    Part = tuple[Image.Image, tuple[int, int], int, int]

_KEEP, _CLEAR, _BACK = 0, 1, 2
_PUT, _OVER = 0, 1


def apng_of(size: tuple[int, int], parts: Sequence[Part], *, short: bytes | None = None) -> bytes:
    """Return an APNG of RGBA frames; *short* is the body of an fdAT too many before the second."""
    head = struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)
    file = PNG_START + chunk(b"IHDR", head) + chunk(b"acTL", struct.pack(">II", len(parts), 0))
    number = 0
    for at, (image, place, disposal, blend) in enumerate(parts):
        control = struct.pack(">5IHHBB", number, *image.size, *place, 1, 10, disposal, blend)
        file += chunk(b"fcTL", control)
        number += 1
        if at == 1 and short is not None:
            file += chunk(b"fdAT", short)
        body = _pixels(image)
        file += chunk(b"fdAT", struct.pack(">I", number) + body) if at else chunk(b"IDAT", body)
        number += at > 0
    return file + chunk(b"IEND", b"")


def _pixels(image: Image.Image) -> bytes:
    plain = saved(image.convert("RGBA"), "PNG")
    at, body = 8, b""
    while at < len(plain):
        size = int.from_bytes(plain[at : at + 4], "big")
        if plain[at + 4 : at + 8] == b"IDAT":
            body += plain[at + 8 : at + 8 + size]
        at += 12 + size
    return body


def webp_of(size: tuple[int, int], parts: Sequence[Part]) -> bytes:
    """Return an animated WebP; places are even."""
    body = b"VP8X" + struct.pack("<II", 10, 0x12) + b"".join(_three(side - 1) for side in size)
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    for image, place, disposal, blend in parts:
        still = saved(image.convert("RGBA"), "WEBP", lossless=True, exact=True, method=0)
        at = 12
        while still[at : at + 4] not in (b"VP8L", b"VP8 ", b"ALPH"):
            at += 8 + int.from_bytes(still[at + 4 : at + 8], "little")
        where = b"".join(map(_three, (place[0] // 2, place[1] // 2, *(s - 1 for s in image.size))))
        flags = (disposal == _CLEAR) | (2 if blend == _PUT else 0)
        frame = where + _three(100) + bytes((flags,)) + still[at:]
        body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _parts_put(picture: Image.Image) -> list[Part]:
    """A half that replaces what was there, holes and all, on another picture."""
    clear = picture.convert("RGBA").crop((0, 0, picture.width, picture.height))
    return [(decoy(picture.size), (0, 0), _KEEP, _PUT), (clear, (0, 0), _KEEP, _PUT)]


def _parts_over(picture: Image.Image) -> list[Part]:
    """Three quarters of the picture at first; what lies over it fills the last one in."""
    wide, high = picture.width // 2, picture.height // 2
    spoilt = picture.copy()
    spoilt.paste(decoy((wide, high)), (wide, high))
    patch = picture.convert("RGBA")
    patch.putalpha(0)
    patch.paste(picture.crop((wide, high, *picture.size)), (wide, high))
    return [(spoilt, (0, 0), _KEEP, _PUT), (patch, (0, 0), _KEEP, _OVER)]


def _parts_cleared(picture: Image.Image) -> list[Part]:
    """Another picture is cleared away; then the picture comes in two halves."""
    wide, high = picture.size
    half = wide // 2
    return [
        (decoy(picture.size), (0, 0), _CLEAR, _PUT),
        (picture.crop((0, 0, half, high)), (0, 0), _KEEP, _OVER),
        (picture.crop((half, 0, wide, high)), (half, 0), _KEEP, _OVER),
        (decoy(picture.size), (0, 0), _KEEP, _PUT),
    ]


def _parts_back(picture: Image.Image) -> list[Part]:
    """The picture but for a corner, a cover that is taken back, and the corner."""
    corner = (picture.width // 2, picture.height // 2)
    spoilt = picture.copy()
    spoilt.paste(decoy(picture.size).crop((*corner, *picture.size)), corner)
    return [
        (spoilt, (0, 0), _KEEP, _PUT),
        (decoy(picture.size), (0, 0), _BACK, _PUT),
        (picture.crop((*corner, *picture.size)), corner, _KEEP, _PUT),
    ]


def _parts_first_back(picture: Image.Image) -> list[Part]:
    """The first frame is taken back, which clears it, and the picture comes over that."""
    soft = picture.convert("RGBA")
    soft.putalpha(200)
    return [(decoy(picture.size), (0, 0), _BACK, _PUT), (soft, (0, 0), _KEEP, _OVER)]


def _parts_last(picture: Image.Image) -> list[Part]:
    """The picture comes behind 62 specks on another one."""
    speck = decoy((8, 8))
    specks: list[Part] = [(speck, (at % 30 * 10, at // 30 * 10), _KEEP, _PUT) for at in range(62)]
    return [(decoy(picture.size), (0, 0), _KEEP, _PUT), *specks, (picture, (0, 0), _KEEP, _PUT)]


def _made(
    of: Callable[[tuple[int, int], Sequence[Part]], bytes],
    parts: Callable[[Image.Image], list[Part]],
) -> Maker:
    return lambda picture: of(picture.size, parts(picture))


def short_fdat(size: int) -> Maker:
    """Return a maker of an APNG with an fdAT of a few bytes before the picture's own."""
    return lambda picture: apng_of(picture.size, _parts_put(picture), short=bytes(size))


COMPOSED: dict[str, Maker] = {
    f"{kind} {name}": _made(of, parts)
    for name, parts in (
        ("put", _parts_put), ("over", _parts_over), ("cleared", _parts_cleared),
        ("taken back", _parts_back), ("first taken back", _parts_first_back),
        ("last of 64", _parts_last),
    )
    for kind, of in (("apng", apng_of), ("animated webp", webp_of))
    if kind == "apng" or "back" not in name
}  # fmt: skip
UNREAD: dict[str, Maker] = {
    f"apng with {size} bytes of a frame": short_fdat(size) for size in (0, 3, 4)
}
