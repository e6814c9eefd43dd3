"""Trap files: each shows a picture to a receiver and hides it from a plain matcher.

Every function takes a benign picture (mode RGB) and returns the bytes of one file. `TRAPS` hides
the picture itself, `CUT` drops the end of it, `PLAIN` are controls that every matcher reads.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageCms, ImageOps

import icc
import trap_bitmaps
import trap_boxes
import trap_coded
import trap_composed
import trap_frames
import trap_hidden
import trap_more
import trap_tiles
from drawn import decoy, saved, with_chunk
from trap_frames import cut_off

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Image.Image], bytes]

_UNTURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


# ---- colour


def cmyk_jpeg(picture: Image.Image) -> bytes:
    """Inks, inverted as Adobe writes them."""
    return saved(picture.convert("CMYK"), "JPEG", quality=92)


def cmyk_jpeg_unmarked(picture: Image.Image) -> bytes:
    """Inks, not inverted, in a JPEG without the marker that would say so."""
    return _without_app14(saved(ImageChops.invert(picture.convert("CMYK")), "JPEG", quality=92))


def _without_app14(data: bytes) -> bytes:
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def palette_png(picture: Image.Image) -> bytes:
    """64 colours, in an order that makes their numbers meaningless."""
    return saved(_shuffled(picture.quantize(64)), "PNG")


def palette_gif(picture: Image.Image) -> bytes:
    """The same as a GIF."""
    return saved(_shuffled(picture.quantize(64)), "GIF", optimize=False)


def _shuffled(picture: Image.Image) -> Image.Image:
    order = list(range(64))
    random.Random(7).shuffle(order)  # noqa: S311 - a fixed order, no secret
    return picture.remap_palette(order)


def palette_translucent(picture: Image.Image) -> bytes:
    """Every palette colour the same, the picture in their tRNS alpha."""
    gray = picture.convert("L")
    flat = Image.frombytes("P", gray.size, gray.tobytes())
    flat.putpalette([0, 0, 0] * 256)
    return saved(flat, "PNG", transparency=bytes(range(255, -1, -1)))


def one_bit_png(picture: Image.Image) -> bytes:
    """Black and white dots."""
    return saved(picture.convert("1"), "PNG")


def one_bit_tiff(picture: Image.Image) -> bytes:
    """A fax."""
    return saved(picture.convert("1"), "TIFF", compression="group4")


def gray_alpha_png(picture: Image.Image) -> bytes:
    """Gray with alpha, the picture in the gray."""
    return saved(
        Image.merge("LA", (picture.convert("L"), Image.new("L", picture.size, 254))), "PNG"
    )


def lab_tiff(picture: Image.Image) -> bytes:
    """Lightness and two colour axes."""
    lab = ImageCms.profileToProfile(
        picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    return saved(lab, "TIFF")


def inverted_profile_jpeg(picture: Image.Image) -> bytes:
    """The negative, and a profile that turns it back."""
    return saved(_negative(picture), "JPEG", quality=92, icc_profile=icc.inverted())


def inverted_profile_png(picture: Image.Image) -> bytes:
    """The same as a PNG with an alpha channel."""
    negative = _negative(picture)
    negative.putalpha(
        Image.linear_gradient("L").resize(picture.size).point(lambda level: 255 - level // 64)
    )
    return saved(negative, "PNG", icc_profile=icc.inverted())


def inverted_gray_profile(picture: Image.Image) -> bytes:
    """A gray negative with a gray profile."""
    profile = icc.gray(icc.inverted_curve())
    return saved(_negative(picture).convert("L"), "JPEG", quality=92, icc_profile=profile)


def _negative(picture: Image.Image) -> Image.Image:
    return ImageOps.invert(picture)


def single_channel_profile(picture: Image.Image) -> bytes:
    """The picture in blue, which a plain matcher weighs 11 %; the profile makes blue white."""
    other = decoy(picture.size).convert("L")
    pixels = Image.merge("RGB", (other, other, picture.convert("L")))
    white = (0.9642, 1.0, 0.8249)
    dark = (0.0001, 0.0001, 0.0001)
    return saved(pixels, "PNG", icc_profile=icc.rgb((dark, dark, white), icc.srgb_curve()))


def gray16_png(picture: Image.Image) -> bytes:
    """16 bits of gray."""
    return saved(_sixteen(picture, 257), "PNG")


def gray16_low(picture: Image.Image) -> bytes:
    """16 bits of gray of which 8 are used: black, unless a viewer stretches it."""
    return saved(_sixteen(picture, 1), "PNG")


def gray16_tiff(picture: Image.Image) -> bytes:
    """12 bits of gray, as scanners write."""
    return saved(_sixteen(picture, 16), "TIFF")


def _sixteen(picture: Image.Image, scale: int) -> Image.Image:
    gray = picture.convert("L").tobytes()
    words = struct.pack(f"<{len(gray)}H", *(level * scale for level in gray))
    return Image.frombytes("I;16", picture.size, words)


def gray32_tiff(picture: Image.Image) -> bytes:
    """32 bits of gray, far from zero."""
    return saved(picture.convert("I").point(lambda level: level * 1000 + 70000), "TIFF")


def float_tiff(picture: Image.Image) -> bytes:
    """Fractions from -1 to 1."""
    return saved(picture.convert("F").point(lambda level: level * (2 / 255) - 1), "TIFF")


def gray16_profile(picture: Image.Image) -> bytes:
    """16 bits of a gray negative with a gray profile."""
    profile = icc.gray(icc.inverted_curve())
    return saved(_sixteen(_negative(picture), 257), "PNG", icc_profile=profile)


def gray16_gamma(picture: Image.Image) -> bytes:
    """16 bits of gray, of which the upper 8 are nearly all black, and a gAMA chunk."""
    gray = picture.convert("L").tobytes()
    words = struct.pack(f"<{len(gray)}H", *(round(65535 * (at / 255) ** 6) for at in gray))
    dark = saved(Image.frombytes("I;16", picture.size, words), "PNG")
    return with_chunk(dark, b"gAMA", struct.pack(">I", 45455 * 6))


def relative_table_jpeg(picture: Image.Image) -> bytes:
    """The negative, and a profile whose table turns it back, in one of the intents alone."""
    return saved(_negative(picture), "JPEG", quality=92, icc_profile=icc.with_table(b"A2B1"))


def saturated_table_png(picture: Image.Image) -> bytes:
    """The same in another intent."""
    return saved(_negative(picture), "PNG", icc_profile=icc.with_table(b"A2B2"))


def gamma_png(picture: Image.Image) -> bytes:
    """Nearly black, and a gAMA chunk that brings the picture back."""
    dark = picture.point([round(255 * (level / 255) ** 6) for level in range(256)] * 3)
    return with_chunk(saved(dark, "PNG"), b"gAMA", struct.pack(">I", 45455 * 6))


# ---- alpha


def alpha_over_white(picture: Image.Image) -> bytes:
    """Black everywhere; the picture is in the alpha and seen on a white page."""
    return saved(_in_alpha(picture, (0, 0, 0), _negative(picture)), "PNG")


def alpha_over_black(picture: Image.Image) -> bytes:
    """White everywhere; the picture is in the alpha and seen on a black page."""
    return saved(_in_alpha(picture, (255, 255, 255), picture), "PNG")


def alpha_webp(picture: Image.Image) -> bytes:
    """The first again, as WebP."""
    return saved(_in_alpha(picture, (0, 0, 0), _negative(picture)), "WEBP", lossless=True)


def _in_alpha(
    picture: Image.Image, colour: tuple[int, int, int], alpha: Image.Image
) -> Image.Image:
    flat = Image.new("RGB", picture.size, colour)
    flat.putalpha(alpha.convert("L"))
    return flat


def under_alpha(picture: Image.Image) -> bytes:
    """All transparent: what is beneath shows once an encoder drops the alpha."""
    hidden = picture.copy()
    hidden.putalpha(
        Image.linear_gradient("L").resize(picture.size).point(lambda level: level // 200)
    )
    return saved(hidden, "PNG")


def on_grey(picture: Image.Image) -> bytes:
    """Another picture on a white page, its negative on a black one; on grey they cancel out."""
    other, gray = decoy(picture.size).convert("L").tobytes(), picture.convert("L").tobytes()
    pixels = bytearray()
    for veil, level in zip(other, gray, strict=True):
        # Over grey: (over white + over black) / 2 = the picture, whatever the other adds.
        swing = 0 + veil * 180 // 255
        half = 90 + level * 75 // 255
        alpha = 255 - swing
        colour = min(255, max(0, round((half - swing / 2) * 255 / alpha)))
        pixels += bytes((colour, colour, colour, alpha))
    return saved(Image.frombytes("RGBA", picture.size, bytes(pixels)), "PNG")


# ---- orientation


def exif_jpeg(turn: int) -> Maker:
    """Return a maker of a turned JPEG whose EXIF turns it back."""

    def make(picture: Image.Image) -> bytes:
        return saved(_unturned(picture, turn), "JPEG", quality=92, exif=_exif(turn))

    return make


def _unturned(picture: Image.Image, turn: int) -> Image.Image:
    return picture.transpose(_UNTURN[turn]) if turn in _UNTURN else picture


def _exif(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif


def exif_png(picture: Image.Image) -> bytes:
    """Turned, as PNG."""
    return saved(_unturned(picture, 6), "PNG", exif=_exif(6))


def exif_webp(picture: Image.Image) -> bytes:
    """Turned, as WebP, where only some viewers look at EXIF."""
    return saved(_unturned(picture, 6), "WEBP", quality=92, exif=_exif(6))


def exif_webp_ignored(picture: Image.Image) -> bytes:
    """Upright, with an EXIF turn that only some viewers follow."""
    return saved(picture, "WEBP", quality=92, exif=_exif(6))


def exif_avif(picture: Image.Image) -> bytes:
    """Turned, as AVIF, where Pillow writes the turn into a box."""
    return saved(_unturned(picture, 6), "AVIF", quality=85, speed=10, exif=_exif(6))


_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def xmp_ignored(picture: Image.Image) -> bytes:
    """Upright, with EXIF that names no turn and XMP that names one: browsers read EXIF alone."""
    exif = Image.Exif()
    exif[0x0131] = "drawn"
    return saved(picture, "JPEG", quality=92, exif=exif, xmp=_XMP)


# ---- beginnings


def bmp_head(size: int) -> Maker:
    """Return a maker of a bitmap whose header has a size that only browsers take."""

    def make(picture: Image.Image) -> bytes:
        plain = saved(picture, "BMP")
        head = plain[18:54][: size - 4].ljust(size - 4, b"\0")
        return plain[:10] + struct.pack("<II", 14 + size, size) + head + plain[54:]

    return make


def jpeg_gap(picture: Image.Image) -> bytes:
    """A JPEG with a stray byte behind its first marker, which decoders skip."""
    plain = saved(picture, "JPEG", quality=92)
    return plain[:2] + b"\x11" + plain[2:]


def avif_foreign(picture: Image.Image) -> bytes:
    """An AVIF whose major brand is that of any ISO file."""
    plain = saved(picture, "AVIF", quality=85, speed=10)
    return plain[:8] + b"isom" + plain[12:]


PLAIN: dict[str, Maker] = {
    "jpeg": lambda picture: saved(picture, "JPEG", quality=92),
    "png": lambda picture: saved(picture, "PNG"),
    "webp": lambda picture: saved(picture, "WEBP", quality=90),
    "bmp": lambda picture: saved(picture, "BMP"),
    "tiff": lambda picture: saved(picture, "TIFF"),
    "avif": lambda picture: saved(picture, "AVIF", quality=85, speed=10),
    "jpeg2000": lambda picture: saved(picture, "JPEG2000"),
    "ppm": lambda picture: saved(picture, "PPM"),
    "gray jpeg": lambda picture: saved(picture.convert("L"), "JPEG", quality=92),
    "exif 1": exif_jpeg(1),
    "progressive": lambda picture: saved(picture, "JPEG", quality=92, progressive=True),
}

_MAKERS: tuple[Maker, ...] = (
    cmyk_jpeg, cmyk_jpeg_unmarked, palette_png, palette_gif, palette_translucent, one_bit_png,
    one_bit_tiff, gray_alpha_png, lab_tiff, inverted_profile_jpeg, inverted_profile_png,
    inverted_gray_profile, single_channel_profile, gray16_png, gray16_low, gray16_tiff, gray32_tiff,
    float_tiff, gamma_png, alpha_over_white, alpha_over_black, alpha_webp, under_alpha, on_grey,
    exif_png, exif_webp, exif_webp_ignored, exif_avif, gray16_profile,
    gray16_gamma, relative_table_jpeg, saturated_table_png, xmp_ignored, jpeg_gap, avif_foreign,
    *trap_frames.FRAMES, *trap_frames.DAMAGED, *trap_more.MORE,
    *trap_tiles.TILES,
)  # fmt: skip

TRAPS: dict[str, Maker] = (
    {make.__name__: make for make in _MAKERS}
    | {f"exif {turn}": exif_jpeg(turn) for turn in range(2, 9)}
    | {f"bmp head {size}": bmp_head(size) for size in (16, 20, 24, 42, 44, 46, 48, 60)}
    | trap_more.BORDERED
    | trap_more.OVER_PAGES
    | trap_more.HEIC
    | trap_boxes.BOXED
    | trap_coded.CODED
    | trap_hidden.PLACED
    | trap_composed.COMPOSED
    | trap_bitmaps.BITMAPS
)
# Of which too little can be read: never without a reason.
UNREAD: dict[str, Maker] = (
    trap_coded.UNREAD | trap_hidden.UNREAD | trap_composed.UNREAD | trap_bitmaps.UNREAD
)
# What nobody shows as the picture: kept for what Chromium says of it.
ASIDE: dict[str, Maker] = trap_coded.ASIDE | trap_hidden.ASIDE

# Cut off after a share of the bytes: a viewer shows the upper part and grey or nothing below.
CUT: dict[str, Maker] = {
    f"{name} cut at {share:.0%}": cut_off(name.split()[-1].upper(), share, **options)
    for name, options in {
        "jpeg": {"quality": 92},
        "progressive jpeg": {"quality": 92, "progressive": True},
        "png": {},
        "webp": {"quality": 90},
        "gif": {},
        "bmp": {},
    }.items()
    for share in (0.6, 0.8)
}
