"""Small files that would cost much: sizes that lie, repetitions, loops, nesting, packed zeros."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import pillow_heif
import pytest
from PIL import Image

from drawn import PNG_START, chunk, saved, scene, with_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

HUGE = 13_300  # pixels a side: 177 megapixels, 0.7 GB
WIDEST = 10_000  # a side that is just within the limit
MANY = 50_000  # frames
_XMP = b"http://ns.adobe.com/xap/1.0/\0"


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """Return a PNG of 8-bit grey with that as its compressed pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _webp_of_34_bytes(side: int) -> bytes:
    bits = (side - 1 | side - 1 << 14).to_bytes(4, "little")
    return b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f" + bits + bytes(9)


def gif(width: int, height: int, count: int = 1) -> bytes:
    """Return a GIF of that many frames, of one pixel each, on a canvas of that size."""
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    screen = b"GIF89a" + struct.pack("<2H3B", width, height, 0x80, 0, 0)
    return screen + b"\0\0\0\xff\xff\xff" + frame * count + b";"


def _gif_of_425_bytes() -> bytes:
    frames = gif(WIDEST, WIDEST, 26)[:-1]
    comment = 425 - len(frames) - 5
    return frames + b"!\xfe" + bytes((comment,)) + b"c" * comment + b"\0;"


def _far_gif() -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 65000, 65000, 500, 500, 0) + b"\x02\x02\x44\x01\0"
    return gif(10, 10, 0)[:-1] + frame + b";"


def _jpeg(width: int, height: int) -> bytes:
    data = saved(Image.new("L", (8, 8)), "JPEG")
    return data.replace(b"\0\x08\0\x08\1", struct.pack(">2HB", height, width, 1))


def _tiff(side: int) -> bytes:
    return saved(Image.new("1", (side, side)), "TIFF", compression="group4")


def _bitmap_head(width: int, height: int, depth: int) -> bytes:
    return struct.pack("<IiiHHI", 40, width, height, 1, depth, 0) + bytes(24)


def _bmp(side: int) -> bytes:
    return b"BM" + struct.pack("<3I", 54, 0, 54) + _bitmap_head(side, side, 24)


def _icon() -> bytes:
    entry = struct.pack("<4B2H2I", 0, 0, 0, 0, 1, 32, 48, 22)
    return b"\0\0\1\0\1\0" + entry + _bitmap_head(40_000, 80_000, 32)


def _avif(side: int) -> bytes:
    data = saved(scene((64, 64)), "AVIF", speed=10)
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">2I", side, side) + data[at + 8 :]


def scans(count: int) -> bytes:
    """Return a JPEG whose last scan is there that many times more."""
    data = saved(scene((256, 256)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def chunks(count: int) -> bytes:
    """Return a PNG with that many empty texts."""
    data = png(8, 8, zlib.compress(bytes(72)))
    return data[:33] + chunk(b"tEXt", b"") * count + data[33:]


def _apng(count: int) -> bytes:
    """Return an animation whose frames are one pixel each: two chunks a frame."""
    pixel = zlib.compress(bytes(2))
    frames = bytearray()
    for number in range(1, count):
        control = struct.pack(">5I2H2B", 2 * number - 1, 1, 1, 0, 0, 1, 100, 0, 0)
        frames += chunk(b"fcTL", control)
        frames += chunk(b"fdAT", struct.pack(">I", 2 * number) + pixel)
    first = struct.pack(">5I2H2B", 0, 64, 64, 0, 0, 1, 100, 0, 0)
    plain = saved(scene((64, 64)), "PNG")
    started = with_chunk(plain, b"fcTL", first)
    started = with_chunk(started, b"acTL", struct.pack(">2I", count, 0))
    return started[:-12] + bytes(frames) + started[-12:]


def _webp_frames(count: int) -> bytes:
    pixel = saved(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    frame = bytes(6) + bytes(6) + b"\x64\0\0\0" + pixel
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\x3f\0\0" * 2
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


# ---- loops and nesting


def _tiff_loop(length: int) -> bytes:
    """Return a TIFF whose chain of pages leads back to its beginning."""
    pages = [scene((16, 16), seed=seed) for seed in range(length)]
    data = bytearray(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    first = at = int.from_bytes(data[4:8], "little")
    while True:
        end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
        at = int.from_bytes(data[end : end + 4], "little")
        if at == 0:
            data[end : end + 4] = first.to_bytes(4, "little")
            return bytes(data)


def _sub_loop(count: int) -> bytes:
    """Return a TIFF whose page is its own SubIFD, that many times over."""
    data = saved(scene((16, 16)), "TIFF", tiffinfo={330: (8,) * count})
    at = int.from_bytes(data[4:8], "little")
    return data.replace(struct.pack("<I", 8) * count, struct.pack("<I", at) * count)


def _exif_loop() -> bytes:
    """Return EXIF whose IFDs, of EXIF, GPS and interoperability, are all the first one."""
    entries = [struct.pack("<HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005)]
    turned = struct.pack("<HHII", 0x0112, 3, 1, 1)
    ifd = struct.pack("<H", 4) + turned + b"".join(entries) + struct.pack("<I", 8)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd


def _with_exif_loop(kind: str) -> bytes:
    return saved(scene(), kind, exif=_exif_loop())


def _mpo_loop() -> bytes:
    """Return an MPO all of whose pictures are said to begin where the first one does."""
    data = saved(scene(), "MPO", save_all=True, append_images=[scene(seed=8)])
    at = data.index(b"MPF\0") + 4
    entries = data.index(struct.pack("<HHI", 0xB002, 7, 32), at)
    start = at + int.from_bytes(data[entries + 8 : entries + 12], "little")
    return data[: start + 24] + bytes(4) + data[start + 28 :]


def _nested(brand: bytes, name: bytes, depth: int) -> bytes:
    head = struct.pack(">I", 20) + b"ftyp" + brand + bytes(4) + brand
    extra = 4 if name == b"meta" else 0
    boxes = (
        struct.pack(">I", (8 + extra) * (depth - level)) + name + bytes(extra)
        for level in range(depth)
    )
    return head + b"".join(boxes)


def _grid_of_itself() -> bytes:
    """Return a HEIC whose picture is put together from tiles that are that picture."""
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as change:
        change.setattr(pillow_heif.options, "GRID_TILE_SIZE", 64)
        pillow_heif.from_pillow(scene((128, 128))).save(file)
    data = file.getvalue()
    at = data.index(b"dimg") + 4
    whole, count = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4], "big")
    return data[: at + 4] + whole * count + data[at + 4 + 2 * count :]


# ---- packed zeros, and segments without end


def _zeros(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def _texts(name: bytes, count: int) -> bytes:
    """Return a PNG of the scene with texts that unpack to 200 MB in all."""
    head = b"key\0\0" if name == b"zTXt" else b"key\0\1\0\0\0"
    return _several(name, head + _zeros(200_000_000 // count), count)


def _several(name: bytes, body: bytes, count: int) -> bytes:
    data = saved(scene(), "PNG")
    return data[:33] + chunk(name, body) * count + data[33:]


def _segments(count: int, body: bytes) -> bytes:
    """Return a JPEG of the scene with that many application segments."""
    data = saved(scene(), "JPEG", quality=95)
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body
    return data[:2] + segment * count + data[2:]


def _profile_in_pieces() -> bytes:
    data = saved(scene(), "JPEG", quality=95)
    pieces = b"".join(
        b"\xff\xe2\xff\xffICC_PROFILE\0" + bytes((number, 255)) + bytes(65519)
        for number in range(1, 256)
    )  # fmt: skip
    return data[:2] + pieces + data[2:]


def _pages(count: int) -> bytes:
    """Return a TIFF of that many pages, all of the same pixels."""
    strip = 8
    data = bytearray(b"II*\0" + struct.pack("<I", strip + 64) + bytes(64))
    for number in range(count):
        tags = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: strip, 277: 1, 278: 8, 279: 64}
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        end = len(data) + 2 + len(entries) + 4
        data += struct.pack("<H", len(tags)) + entries
        data += struct.pack("<I", end if number < count - 1 else 0)
    return bytes(data)


# What must not be read, and the reasons that may be given for that.
REFUSED: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "JPEG 13300": (lambda: _jpeg(HUGE, HUGE), ("size",)),
    "PNG 13300": (lambda: png(HUGE, HUGE, _zeros(HUGE * (HUGE + 1))), ("size",)),
    "GIF 13300": (lambda: gif(HUGE, HUGE), ("size",)),
    "WebP 13300": (lambda: _webp_of_34_bytes(HUGE), ("size",)),
    "TIFF 13300": (lambda: _tiff(HUGE), ("size",)),
    "BMP 13300": (lambda: _bmp(HUGE), ("size",)),
    "AVIF 13300": (lambda: _avif(HUGE), ("size", "broken")),
    "WebP of 34 bytes": (lambda: _webp_of_34_bytes(16_384), ("size",)),
    "GIF 65535": (lambda: gif(65_535, 65_535), ("size",)),
    "GIF beyond its screen": (_far_gif, ("size",)),
    "BMP 40000": (lambda: _bmp(40_000), ("size",)),
    "icon": (_icon, ("size",)),
    "JPEG 65535": (lambda: _jpeg(65_535, 65_535), ("size",)),
    "strip": (lambda: png(1_000_000, 1), ("size",)),
    "1000 scans": (lambda: scans(1000), ("scans",)),
    "5000 scans": (lambda: scans(5000), ("scans",)),
    "2^20 chunks": (lambda: chunks(2**20), ("chunks",)),
    "50,000 frames, APNG": (lambda: _apng(MANY), ("chunks",)),
}
# What may be read in part only, or not, while memory and time last.
UNREAD: dict[str, Callable[[], bytes]] = {
    "GIF of 425 bytes": _gif_of_425_bytes,
    "WebP of 34 bytes within the limit": lambda: _webp_of_34_bytes(WIDEST),
    "50,000 frames, GIF": lambda: gif(10, 10, MANY),
    "30,000 frames, APNG": lambda: _apng(30_000),
    "50,000 frames, WebP": lambda: _webp_frames(MANY),
    "5,000 pages, TIFF": lambda: _pages(5_000),
    "10,000 pictures, JPEG": lambda: saved(scene((16, 16)), "JPEG") * 10_000,
    "HEIC boxes, 100,000 deep": lambda: _nested(b"heic", b"meta", 100_000),
    "AVIF boxes, 100,000 deep": lambda: _nested(b"avif", b"meta", 100_000),
    "AVIF films, 100,000 deep": lambda: _nested(b"avis", b"moov", 100_000),
    "HEIC grid of itself": _grid_of_itself,
    "profile of zeros": lambda: _several(b"iCCP", b"p\0\0" + _zeros(10**8), 1),
    "profile of 16 MB": _profile_in_pieces,
    "5 million segments": lambda: _segments(5_000_000, b""),
}  # fmt: skip
# What costs nothing once what is beside the pixels is left alone: the scene is found in these.
READ: dict[str, Callable[[], bytes]] = {
    "EXIF loop, JPEG": lambda: _with_exif_loop("JPEG"),
    "EXIF loop, PNG": lambda: _with_exif_loop("PNG"),
    "EXIF loop, WebP": lambda: _with_exif_loop("WEBP"),
    "EXIF loop, AVIF": lambda: _with_exif_loop("AVIF"),
    "MPO loop": _mpo_loop,
    "zTXt of 200 MB": lambda: _texts(b"zTXt", 1),
    "iTXt of 200 MB": lambda: _texts(b"iTXt", 1),
    "400 zTXt of 500 KB": lambda: _texts(b"zTXt", 400),
    "500 segments of 64 KB": lambda: _segments(500, _XMP + bytes(65_000)),
}  # fmt: skip
# What ends, whatever is said of it.
ENDED: dict[str, Callable[[], bytes]] = {
    "PNG of 100 MP, one colour": lambda: png(WIDEST, WIDEST, _zeros(WIDEST * (WIDEST + 1))),
    "TIFF of 100 MP, one colour": lambda: _tiff(WIDEST),
    "TIFF loop of 1": lambda: _tiff_loop(1),
    "TIFF loop of 3": lambda: _tiff_loop(3),
    "SubIFD loop": lambda: _sub_loop(2),
    "1000 SubIFDs": lambda: _sub_loop(1000),
}
