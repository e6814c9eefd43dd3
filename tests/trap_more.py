"""Trap files with something behind or amid the picture, and odd bitmaps; `traps` names them all."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from drawn import PNG_START, chunk, decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Image.Image], bytes]


def frame300_gif(picture: Image.Image) -> bytes:
    """The picture is the last of 300 frames."""
    plain = decoy((80, 60)).convert("L")
    frames = [plain.point(lambda level, by=by: (level + by) % 256) for by in range(1, 299)]
    small = picture.resize((80, 60)).convert("L")
    return saved(plain, "GIF", save_all=True, append_images=[*frames, small])


def tiled_gif(picture: Image.Image) -> bytes:
    """Each frame adds one quarter; only together they are the picture."""
    whole = picture.convert("L")
    wide, high = whole.width // 2, whole.height // 2
    seen = Image.new("L", whole.size)
    frames = []
    for left, top in ((0, 0), (wide, 0), (0, high), (wide, high)):
        seen = seen.copy()
        seen.paste(whole.crop((left, top, left + wide, top + high)), (left, top))
        frames.append(seen)
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def motion_photo(picture: Image.Image) -> bytes:
    """A JPEG with a video behind its end."""
    return saved(picture, "JPEG", quality=92) + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500)


def jpeg_and_zip(picture: Image.Image) -> bytes:
    """A JPEG that is an archive too."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "nothing")
    return saved(picture, "JPEG", quality=92) + file.getvalue()


def jpeg_two_ends(picture: Image.Image) -> bytes:
    """A JPEG with two end markers."""
    return saved(picture, "JPEG", quality=92) + b"\xff\xd9"


def png_bad_pixels_crc(picture: Image.Image) -> bytes:
    """A PNG whose last chunk of pixels fails its checksum."""
    data = bytearray(saved(picture, "PNG"))
    data[-13] ^= 0x55
    return bytes(data)


def png_bad_middle_crc(picture: Image.Image) -> bytes:
    """The picture, then as much noise, in a PNG whose checksum fails where the noise begins."""
    size = picture.width, 2 * picture.height
    data = Image.frombytes("RGB", size, random.Random(3).randbytes(3 * size[0] * size[1]))  # noqa: S311 - noise
    data.paste(picture)
    lines = b"".join(b"\0" + line.tobytes() for line in np.asarray(data))
    first = zlib.compressobj(1)
    # What a browser drops of the sound part is 32 kB of rows: the noise begins that much later.
    cut = (picture.height + 35) * (3 * picture.width + 1)
    head = first.compress(lines[:cut]) + first.flush(zlib.Z_SYNC_FLUSH)
    rest = first.compress(lines[cut:]) + first.flush()
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    bad = bytearray(chunk(b"IDAT", head))
    bad[-1] ^= 1
    return PNG_START + chunk(b"IHDR", header) + bad + chunk(b"IDAT", rest) + chunk(b"IEND", b"")


def bmp_topdown(picture: Image.Image) -> bytes:
    """A bitmap whose rows begin at the top, said by a negative height."""
    plain = bytearray(saved(ImageOps.flip(picture), "BMP"))
    plain[22:26] = struct.pack("<i", -picture.height)
    return bytes(plain)


def bmp_rle8(picture: Image.Image) -> bytes:
    """A bitmap of runs, one pixel each, and absolute ones."""
    gray = picture.convert("L").tobytes()
    rows = []
    for at in range(len(gray) - picture.width, -1, -picture.width):
        row = gray[at : at + picture.width]
        rows.append(b"".join(b"\1" + row[x : x + 1] for x in range(picture.width)) + b"\0\0")
    body = b"".join(rows) + b"\0\1"
    palette = b"".join(bytes((level, level, level, 0)) for level in range(256))
    start = 54 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, *picture.size, 1, 8, 1, len(body), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + palette + body


def bmp_sixteen(picture: Image.Image) -> bytes:
    """A bitmap of 5, 6 and 5 bits, by its masks."""
    red, green, blue = (band.tobytes() for band in picture.split())
    width, height = picture.size
    words = [r >> 3 << 11 | g >> 2 << 5 | b >> 3 for r, g, b in zip(red, green, blue, strict=True)]
    lines = [words[at : at + width] for at in range(0, len(words), width)]
    body = b"".join(struct.pack(f"<{width}H", *line) for line in reversed(lines))
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 3, len(body), 2835, 2835, 0, 0)
    masks = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
    return b"BM" + struct.pack("<IHHI", 66 + len(body), 0, 0, 66) + head + masks + body


def heic_turn(turn: int) -> Maker:
    """Return a maker of a HEIC that its EXIF and its boxes turn: as stored it is the picture."""

    def make(picture: Image.Image) -> bytes:
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = turn
        pillow_heif.from_pillow(picture).save(file, quality=90, exif=exif.tobytes())
        return file.getvalue()

    return make


HEIC: dict[str, Maker] = {f"heic turn {turn}": heic_turn(turn) for turn in range(2, 9)}


def over_page(page: tuple[int, int, int]) -> Maker:
    """Return a maker of the picture as seen on one page, drowned by another one on the others."""
    luma = (299 * page[0] + 587 * page[1] + 114 * page[2]) / 255_000

    def make(picture: Image.Image) -> bytes:
        veil = np.asarray(decoy(picture.size).convert("L"), float) / 255
        wanted = np.asarray(picture.convert("L"), float) / 255
        seen = 0.6 * veil  # of the page
        free = 1 - seen
        low, high = (seen * luma).max(), (seen * luma + free).min()
        level = low + (high - low) * wanted if high > low else luma + (wanted - 0.5) / 4
        own = np.clip((level - seen * luma) / np.maximum(free, 1e-6), 0, 1)
        flat = [np.rint(255 * own).astype(np.uint8)] * 3
        alpha = np.rint(255 * free).astype(np.uint8)
        return saved(Image.fromarray(np.stack([*flat, alpha], axis=-1)), "PNG")

    return make


OVER_PAGES: dict[str, Maker] = {
    f"on the page #{bytes(page).hex()} alone": over_page(page)
    for page in (
        (0x0B, 0x14, 0x1A), (0x1B, 0x1B, 0x1B), (0x2B, 0x52, 0x78), (0x00, 0x5C, 0x4B),
        (0x2C, 0x6B, 0xED), (0x0A, 0x84, 0xFF), (0xB4, 0xB4, 0xB4), (0xD9, 0xFD, 0xD3),
        (0xEF, 0xEA, 0xE2), (0xE5, 0xE5, 0xEA),
    )
}  # fmt: skip


def on_canvas(kind: str, page: tuple[int, ...], share: float) -> Maker:
    """Return a maker of the picture amid a plain page, of which each side is *share*."""

    def make(picture: Image.Image) -> bytes:
        wide, high = (round(side / share) for side in picture.size)
        mode = "RGBA" if len(page) > 3 else "RGB"
        canvas = Image.new(mode, (wide, high), page)
        canvas.paste(picture, ((wide - picture.width) // 3, (high - picture.height) // 2))
        return saved(canvas, kind, **({"quality": 85} if kind == "JPEG" else {}))

    return make


def letterbox_jpeg(picture: Image.Image) -> bytes:
    """Black bars above and below, as on a telephone's screen."""
    screen = Image.new("RGB", (picture.width, picture.width * 2))
    screen.paste(picture, (0, (screen.height - picture.height) // 2))
    return saved(screen, "JPEG", quality=85)


def specked_canvas(picture: Image.Image) -> bytes:
    """A small picture on a page with noise and a few specks."""
    chance = np.random.default_rng(4)
    page = chance.integers(236, 250, (900, 1200, 3), dtype=np.uint8)
    for y, x in chance.integers(0, 900, (40, 2)):
        page[y, x] = 0
    canvas = Image.fromarray(page)
    canvas.paste(picture, (500, 300))
    return saved(canvas, "PNG")


BORDERED: dict[str, Maker] = {
    f"{kind.lower()} on {name} page, {share:.0%} a side": on_canvas(kind, page, share)
    for kind, name, page in (
        ("JPEG", "white", (255, 255, 255)),
        ("PNG", "black", (0, 0, 0)),
        ("PNG", "clear", (0, 0, 0, 0)),
        ("GIF", "green", (7, 94, 84)),
        ("WEBP", "grey", (128, 128, 128)),
    )
    for share in (0.9, 0.6, 0.15)
}

MORE: tuple[Maker, ...] = (
    frame300_gif, tiled_gif, motion_photo, jpeg_and_zip, jpeg_two_ends, png_bad_pixels_crc,
    bmp_topdown, bmp_rle8, bmp_sixteen, letterbox_jpeg, specked_canvas,
)  # fmt: skip

# Only the upper half is shown, and decoders do not agree on it.
STOPPED: dict[str, Maker] = {
    "png stopped by a checksum": png_bad_middle_crc,
}
