"""Trap files of several pictures, and damaged ones; `traps` names them all."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from drawn import PNG_START, chunk, decoy, saved, with_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    Maker = Callable[[Image.Image], bytes]


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
    return saved(
        decoy(picture.size), "AVIF", save_all=True, append_images=[picture], quality=85, speed=10
    )


def frame40_gif(picture: Image.Image) -> bytes:
    """The picture is the last of forty frames."""
    plain = decoy(picture.size).convert("L")
    frames = [plain.point(lambda level, by=by: (level + by) % 256) for by in range(1, 39)]
    return saved(plain, "GIF", save_all=True, append_images=[*frames, picture.convert("L")])


def default_apng(picture: Image.Image) -> bytes:
    """The picture is the default image, which viewers that animate do not show."""
    return saved(
        picture, "PNG", save_all=True, default_image=True, append_images=[decoy(picture.size)]
    )


def animated_apng(picture: Image.Image) -> bytes:
    """The picture is animated, the default image is not: only viewers that animate show it."""
    return saved(
        decoy(picture.size), "PNG", save_all=True, default_image=True, append_images=[picture]
    )


def mpo_second(picture: Image.Image) -> bytes:
    """The picture is the second of an MPO."""
    return saved(decoy(picture.size), "MPO", save_all=True, append_images=[picture], quality=90)


def trailing_jpeg(picture: Image.Image) -> bytes:
    """A second JPEG behind the end of the first."""
    return saved(decoy(picture.size), "JPEG") + b"\0" * 9 + saved(picture, "JPEG", quality=92)


def tiff_page2(picture: Image.Image) -> bytes:
    """The picture is the second page."""
    return saved(decoy(picture.size), "TIFF", save_all=True, append_images=[picture.copy()])


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
    entries.sort(key=lambda entry: int.from_bytes(entry[:2], "little"))
    joined += struct.pack("<H", count + 1) + b"".join(entries)
    joined += b"\0\0\0\0"
    struct.pack_into("<I", joined, 4, new)
    return bytes(joined)


def _move_ifd(data: bytearray, ifd: int, shift: int) -> None:
    """Add *shift* to every offset that the IFD at *ifd* holds."""
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
    strips = 273
    for at in range(ifd + 2, ifd + 2 + 12 * struct.unpack_from("<H", data, ifd)[0], 12):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at)
        elsewhere = widths.get(kind, 1) * count > 4
        if elsewhere or tag == strips:
            struct.pack_into("<I", data, at + 8, value + shift)
        if elsewhere and tag == strips:
            for place in range(value + shift, value + shift + 4 * count, 4):
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


def cut_off(kind: str, share: float, **options: Any) -> Maker:
    """Return a maker of files that end after a *share* of their bytes."""

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
    row = 3 * picture.width
    pixels = picture.tobytes()
    rows = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))
    body = zlib.compress(rows)[:-4] + b"\0\0\0\0"
    head = struct.pack(">IIBBBBB", *picture.size, 8, 2, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_huge_text(picture: Image.Image) -> bytes:
    """A PNG with a note that unpacks to 2 MB, which Pillow refuses."""
    return with_chunk(saved(picture, "PNG"), b"zTXt", b"note\0\0" + zlib.compress(bytes(2_000_000)))


# ---- damage that decoders do not report


def jpeg_taller(picture: Image.Image) -> bytes:
    """A JPEG whose header asks for twice its rows: viewers show grey below."""
    data = bytearray(saved(picture, "JPEG", quality=92))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = struct.pack(">H", 2 * picture.height)
    return bytes(data)


def jpeg_early_end(share: float, **options: Any) -> Maker:
    """Return a maker of JPEGs with a valid end after a *share* of their bytes."""

    def make(picture: Image.Image) -> bytes:
        return cut_off("JPEG", share, quality=92, **options)(picture) + b"\xff\xd9"

    return make


def jpeg_inner_end(picture: Image.Image) -> bytes:
    """A JPEG with an end amid its pixels, where viewers stop."""
    data = saved(picture, "JPEG", quality=92)
    middle = len(data) * 7 // 10
    return data[:middle] + b"\xff\xd9" + data[middle:]


def png_of_rows(picture: Image.Image, rows: int, height: int) -> bytes:
    """Return a PNG of *height* with fewer *rows*, whose compressed pixels end properly."""
    lines = [line.tobytes() for line in np.asarray(picture)[:rows]]
    return _png_of_lines((picture.width, height), lines, 0)


def png_without_last_pass(picture: Image.Image) -> bytes:
    """An interlaced PNG that holds every other row alone."""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    pixels = np.asarray(picture)
    lines = [line.tobytes() for x, y, wide, high in steps for line in pixels[y::high, x::wide]]
    return _png_of_lines(picture.size, lines, 1)


def _png_of_lines(size: tuple[int, int], lines: list[bytes], passes: int) -> bytes:
    head = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, passes)
    packed = zlib.compress(b"".join(b"\0" + line for line in lines))
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def png_taller(picture: Image.Image) -> bytes:
    """A PNG whose header asks for twice its rows."""
    return png_of_rows(picture, picture.height, 2 * picture.height)


# Fewer pixels than the header says, in a file that is otherwise valid.
SHORT: dict[str, Maker] = {
    "jpeg taller": jpeg_taller,
    "jpeg ends at 50%": jpeg_early_end(0.5),
    "jpeg ends at 65%": jpeg_early_end(0.65),
    "jpeg ends at 80%": jpeg_early_end(0.8),
    "jpeg of full chroma ends at 70%": jpeg_early_end(0.7, subsampling=0),
    "jpeg ends inside": jpeg_inner_end,
    "png taller": png_taller,
    "png of 80% of its rows": lambda picture: png_of_rows(
        picture, picture.height * 8 // 10, picture.height
    ),
    "png without its last pass": png_without_last_pass,
}

FRAMES: tuple[Maker, ...] = (
    frame2_gif, frame2_webp, frame2_apng, frame2_avif, frame40_gif, default_apng, animated_apng,
    mpo_second, trailing_jpeg, tiff_page2, tiff_sub_picture, icon, bitmap_icon, junk_prefix,
)  # fmt: skip
DAMAGED: tuple[Maker, ...] = (
    jpeg_no_end, progressive_no_end, png_bad_crc, png_bad_text, png_bad_adler, png_huge_text,
)  # fmt: skip
