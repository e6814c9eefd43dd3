"""Trap files: each shows a picture to a receiver and hides it from a plain matcher.

Every function takes a benign picture (mode RGB) and returns the bytes of one file. `TRAPS` hides
the picture itself, `BROKEN` damages it, `PLAIN` are controls that every matcher reads.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import TYPE_CHECKING, Any

import icc
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, PngImagePlugin

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


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return *picture* as a file of *kind*."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decoy(size: tuple[int, int]) -> Image.Image:
    """Return a picture of stripes that has nothing to do with any other."""
    wide, high = size
    across = Image.linear_gradient("L").resize(size)
    stripes = Image.frombytes("L", (wide, 1), bytes(255 * (x * 7 // wide % 2) for x in range(wide)))
    return Image.merge("RGB", (across, stripes.resize((wide, high)), ImageOps.flip(across)))


def scene(size: tuple[int, int] = (320, 240), seed: int = 5) -> Image.Image:
    """Draw a benign picture with as much detail as a photograph: hills of light, and shapes."""
    chance = random.Random(seed)  # noqa: S311 - a drawing
    bands = []
    for _ in range(3):
        light = Image.new("L", size)
        for cells, share in ((4, 1.0), (9, 0.5), (20, 0.35)):
            coarse = Image.frombytes("L", (cells, cells), chance.randbytes(cells * cells))
            light = Image.blend(light, coarse.resize(size, Image.Resampling.BICUBIC), share)
        bands.append(light)
    # The bands share most of their light, as those of photographs do.
    picture = Image.merge("RGB", [Image.blend(bands[0], band, 0.3) for band in bands])
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        reach = chance.randrange(size[0] // 30, size[0] // 8)
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=tuple(chance.randbytes(3)))
    return ImageOps.autocontrast(picture)


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
    return saved(flat, "PNG", transparency=bytes(255 - level for level in range(256)))


def one_bit_png(picture: Image.Image) -> bytes:
    """Black and white dots."""
    return saved(picture.convert("1"), "PNG")


def one_bit_tiff(picture: Image.Image) -> bytes:
    """A fax."""
    return saved(picture.convert("1"), "TIFF", compression="group4")


def gray_alpha_png(picture: Image.Image) -> bytes:
    """Gray with alpha, the picture in the gray."""
    return saved(Image.merge("LA", (picture.convert("L"), Image.new("L", picture.size, 254))), "PNG")


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
    negative.putalpha(Image.linear_gradient("L").resize(picture.size).point(lambda level: 255 - level // 64))
    return saved(negative, "PNG", icc_profile=icc.inverted())


def inverted_gray_profile(picture: Image.Image) -> bytes:
    """A gray negative with a gray profile."""
    profile = icc.gray(icc.inverted_curve())
    return saved(_negative(picture).convert("L"), "JPEG", quality=92, icc_profile=profile)


def _negative(picture: Image.Image) -> Image.Image:
    return ImageOps.invert(picture)


def single_channel_profile(picture: Image.Image) -> bytes:
    """The picture in blue, which a plain matcher weighs 11 %; the profile makes blue white."""
    stripes = scene(picture.size, seed=9).convert("L")
    pixels = Image.merge("RGB", (stripes, stripes, picture.convert("L")))
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


def gamma_png(picture: Image.Image) -> bytes:
    """Nearly black, and a gAMA chunk that brings the picture back."""
    dark = picture.point([round(255 * (level / 255) ** 6) for level in range(256)] * 3)
    return _with_chunk(saved(dark, "PNG"), b"gAMA", struct.pack(">I", round(45455 * 6)))


def _with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """Put a chunk behind the IHDR."""
    return png[:33] + chunk(name, body) + png[33:]


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its checksum."""
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


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


def _in_alpha(picture: Image.Image, colour: tuple[int, int, int], alpha: Image.Image) -> Image.Image:
    flat = Image.new("RGB", picture.size, colour)
    flat.putalpha(alpha.convert("L"))
    return flat


def under_alpha(picture: Image.Image) -> bytes:
    """All transparent: what is beneath shows once an encoder drops the alpha."""
    hidden = picture.copy()
    hidden.putalpha(Image.linear_gradient("L").resize(picture.size).point(lambda level: level // 200))
    return saved(hidden, "PNG")


def on_grey(picture: Image.Image) -> bytes:
    """Stripes on a white page, their opposite on a black one; on grey they cancel out."""
    stripes, gray = decoy(picture.size).convert("L").tobytes(), picture.convert("L").tobytes()
    pixels = bytearray()
    for stripe, level in zip(stripes, gray, strict=True):
        # Over grey: (over white + over black) / 2 = the picture, whatever the stripes add.
        swing = 40 + stripe * 160 // 255
        half = 110 + level * 30 // 255
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


# ---- frames


def frame2_gif(picture: Image.Image) -> bytes:
    """The picture is the second frame of a GIF."""
    return saved(decoy(picture.size), "GIF", save_all=True, append_images=[picture])


def frame2_webp(picture: Image.Image) -> bytes:
    """The picture is the second frame of a WebP."""
    return saved(decoy(picture.size), "WEBP", save_all=True, append_images=[picture], quality=90)


def frame2_apng(picture: Image.Image) -> bytes:
    """The picture is the second frame of an APNG."""
    return saved(decoy(picture.size), "PNG", save_all=True, append_images=[picture])


def frame2_avif(picture: Image.Image) -> bytes:
    """The picture is the second frame of an AVIF."""
    return saved(decoy(picture.size), "AVIF", save_all=True, append_images=[picture], quality=85, speed=10)


def frame40_gif(picture: Image.Image) -> bytes:
    """The picture is the last of forty frames."""
    plain = decoy(picture.size).convert("L")
    frames = [plain.point(lambda level, by=by: (level + by) % 256) for by in range(1, 39)]
    return saved(plain, "GIF", save_all=True, append_images=[*frames, picture.convert("L")])


def default_apng(picture: Image.Image) -> bytes:
    """The picture is the default image, which viewers that animate do not show."""
    return saved(picture, "PNG", save_all=True, default_image=True, append_images=[decoy(picture.size)])


def animated_apng(picture: Image.Image) -> bytes:
    """The picture is animated, the default image is not: only viewers that animate show it."""
    return saved(decoy(picture.size), "PNG", save_all=True, default_image=True, append_images=[picture])


def mpo_second(picture: Image.Image) -> bytes:
    """The picture is the second of an MPO."""
    return saved(decoy(picture.size), "MPO", save_all=True, append_images=[picture], quality=90)


def trailing_jpeg(picture: Image.Image) -> bytes:
    """A second JPEG behind the end of the first."""
    return saved(decoy(picture.size), "JPEG") + b"\0" * 9 + saved(picture, "JPEG", quality=92)


def tiff_page2(picture: Image.Image) -> bytes:
    """The picture is the second page."""
    return saved(decoy(picture.size), "TIFF", save_all=True, append_images=[picture])


def tiff_sub_picture(picture: Image.Image) -> bytes:
    """The picture is a SubIFD of the only page."""
    first, second = saved(decoy(picture.size), "TIFF"), saved(picture, "TIFF")
    # Both are little-endian with one IFD: the second one's offsets are moved behind the first.
    shift = len(first)
    ifd = shift + struct.unpack_from("<I", second, 4)[0]
    joined = bytearray(first + second)
    _move_ifd(joined, ifd, shift)
    page = struct.unpack_from("<I", first, 4)[0]
    count = struct.unpack_from("<H", first, page)[0]
    entries = [first[page + 2 + 12 * at : page + 14 + 12 * at] for at in range(count)]
    entries.append(struct.pack("<HHII", 330, 4, 1, ifd))
    new = len(joined)
    joined += struct.pack("<H", count + 1) + b"".join(sorted(entries, key=lambda e: struct.unpack("<H", e[:2])))
    joined += b"\0\0\0\0"
    struct.pack_into("<I", joined, 4, new)
    return bytes(joined)


def _move_ifd(data: bytearray, ifd: int, shift: int) -> None:
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
    for at in range(ifd + 2, ifd + 2 + 12 * struct.unpack_from("<H", data, ifd)[0], 12):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at)
        if tag == 273 and count == 1 or widths.get(kind, 1) * count > 4:  # noqa: PLR2004
            struct.pack_into("<I", data, at + 8, value + shift)
            if tag == 273 and count > 1:  # noqa: PLR2004 - StripOffsets, kept elsewhere
                for slot in range(count):
                    place = value + shift + 4 * slot
                    strip = struct.unpack_from("<I", data, place)[0]
                    struct.pack_into("<I", data, place, strip + shift)


def icon(picture: Image.Image) -> bytes:
    """The picture is the second, smaller one of an icon."""
    small = picture.resize((128, 128))
    pictures = [saved(decoy((256, 256)), "PNG"), saved(small, "PNG")]
    head, at = struct.pack("<HHH", 0, 1, 2), 6 + 32
    for side, body in zip((0, 128), pictures, strict=True):
        head += struct.pack("<4B2H2I", side, side, 0, 0, 1, 32, len(body), at)
        at += len(body)
    return head + b"".join(pictures)


def bitmap_icon(picture: Image.Image) -> bytes:
    """An icon that holds a bitmap, not a PNG."""
    return saved(picture.resize((128, 128)), "ICO", sizes=[(128, 128)], bitmap_format="bmp")


def junk_prefix(picture: Image.Image) -> bytes:
    """A few bytes in front of the signature."""
    return b"\r\n  " + saved(picture, "JPEG", quality=92)


# ---- damage


def jpeg_no_end(picture: Image.Image) -> bytes:
    """A JPEG without its end marker."""
    return saved(picture, "JPEG", quality=92)[:-2]


def progressive_no_end(picture: Image.Image) -> bytes:
    """A progressive JPEG without its end marker."""
    return saved(picture, "JPEG", quality=92, progressive=True)[:-2]


def _cut(kind: str, share: float, **options: Any) -> Maker:
    def make(picture: Image.Image) -> bytes:
        data = saved(picture, kind, **options)
        return data[: int(len(data) * share)]

    return make


def png_bad_crc(picture: Image.Image) -> bytes:
    """A PNG whose header fails its checksum."""
    data = bytearray(saved(picture, "PNG"))
    data[29] ^= 0x55
    return bytes(data)


def png_bad_text(picture: Image.Image) -> bytes:
    """A PNG in which a note fails its checksum, before the pixels."""
    note = chunk(b"tEXt", b"Comment\0nothing")
    data = saved(picture, "PNG")
    return data[:33] + note[:-1] + b"\0" + data[33:]


def png_bad_adler(picture: Image.Image) -> bytes:
    """A PNG whose compressed pixels fail their own checksum."""
    rows = b"".join(
        b"\0" + picture.crop((0, y, picture.width, y + 1)).tobytes() for y in range(picture.height)
    )
    body = zlib.compress(rows)[:-4] + b"\0\0\0\0"
    head = struct.pack(">IIBBBBB", *picture.size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_huge_text(picture: Image.Image) -> bytes:
    """A PNG with a note that unpacks to 2 MB, which Pillow refuses."""
    info = PngImagePlugin.PngInfo()
    data = saved(picture, "PNG", pnginfo=info)
    return _with_chunk(data, b"zTXt", b"note\0\0" + zlib.compress(bytes(2_000_000)))


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
}

_MAKERS: tuple[Maker, ...] = (
    cmyk_jpeg, cmyk_jpeg_unmarked, palette_png, palette_gif, palette_translucent, one_bit_png,
    one_bit_tiff, gray_alpha_png, lab_tiff, inverted_profile_jpeg, inverted_profile_png,
    inverted_gray_profile, single_channel_profile, gray16_png, gray16_low, gray16_tiff, gray32_tiff,
    float_tiff, gamma_png, alpha_over_white, alpha_over_black, alpha_webp, under_alpha, on_grey,
    exif_png, exif_webp, exif_webp_ignored, exif_avif, frame2_gif, frame2_webp, frame2_apng,
    frame2_avif, frame40_gif, default_apng, animated_apng, mpo_second, trailing_jpeg, tiff_page2,
    tiff_sub_picture, icon, bitmap_icon, junk_prefix, jpeg_no_end, progressive_no_end, png_bad_crc,
    png_bad_text, png_bad_adler, png_huge_text,
)  # fmt: skip

TRAPS: dict[str, Maker] = {make.__name__: make for make in _MAKERS} | {
    f"exif {turn}": exif_jpeg(turn) for turn in range(2, 9)
}

# Cut off after a share of the bytes: a viewer shows the upper part and grey or nothing below.
CUT: dict[str, Maker] = {
    f"{name} cut at {share:.0%}": _cut(name.split()[-1].upper(), share, **options)
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
