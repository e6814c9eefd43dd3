"""Traps by where a file keeps the picture: XMP turns, scans, prefixes, thumbnails, documents."""

from __future__ import annotations

import base64
import io
import itertools
import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin

from drawn import decoy, saved

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Image.Image], bytes]

_FORM = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
_ATTRIBUTE = _FORM.format('tiff:Orientation="6">')
_ELEMENT = _FORM.format("><tiff:Orientation>6</tiff:Orientation>")
_QUOTED = _FORM.format("tiff:Orientation = '6'>")


# ---- turned by XMP


def turned_by_xmp(kind: str, packet: str, *, turned: bool, exif: bool = False) -> Maker:
    """Return a maker of a file whose XMP alone names a turn: some viewers follow it."""

    def make(picture: Image.Image) -> bytes:
        stored = picture.transpose(Image.Transpose.ROTATE_90) if turned else picture
        options = {} if kind == "PNG" else {"quality": 92, "xmp": packet.encode()}
        if exif:
            upright = Image.Exif()
            upright[0x0112] = 1
            options["exif"] = upright
        if kind == "PNG":
            notes = PngImagePlugin.PngInfo()
            notes.add_itxt("XML:com.adobe.xmp", packet)
            options["pnginfo"] = notes
        return saved(stored, kind, **options)

    return make


BY_XMP: dict[str, Maker] = {
    f"{kind.lower()} {'turned' if turned else 'upright'} by xmp": turned_by_xmp(
        kind, _ATTRIBUTE, turned=turned
    )
    for kind in ("JPEG", "PNG", "WEBP")
    for turned in (True, False)
} | {
    "jpeg turned by an element of xmp": turned_by_xmp("JPEG", _ELEMENT, turned=True),
    "jpeg turned by xmp in other quotes": turned_by_xmp("JPEG", _QUOTED, turned=True),
    "jpeg turned by xmp and not by exif": turned_by_xmp("JPEG", _ATTRIBUTE, turned=True, exif=True),
}


# ---- scans that disagree


def _scans(data: bytes) -> tuple[bytes, list[bytes]]:
    """Return what comes before a progressive JPEG's scans, and each scan with its tables."""
    starts, at = [], 2
    head = 0
    while at < len(data) - 2:
        if data[at] == 0xFF and data[at + 1] not in (0, *range(0xD0, 0xD8)):
            if data[at + 1] == 0xC2:
                head = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if head and data[at + 1] == 0xDA:
                starts.append(at)
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        else:
            at += 1
    # The tables of a scan stand before it, behind the bytes of the one before.
    cuts = [head]
    for scan in starts[1:]:
        table = data.rfind(b"\xff\xc4", 0, scan)
        while (before := data.rfind(b"\xff\xc4", cuts[-1], table)) > 0 and _is_next(
            data, before, table
        ):
            table = before
        cuts.append(table)
    cuts.append(len(data) - 2)
    return data[:head], [data[a:b] for a, b in itertools.pairwise(cuts)]


def _is_next(data: bytes, at: int, table: int) -> bool:
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") == table


def _progressive(picture: Image.Image) -> tuple[bytes, list[bytes]]:
    return _scans(saved(picture, "JPEG", quality=92, progressive=True))


def scans_of_two(picture: Image.Image) -> bytes:
    """The coarse scan is of the picture, all finer ones of another."""
    (head, mine), (_, others) = _progressive(picture), _progressive(decoy(picture.size))
    return head + mine[0] + b"".join(others[1:]) + b"\xff\xd9"


def coarse_scan_replaced(picture: Image.Image) -> bytes:
    """The coarse scan of another picture, then the scans of the picture."""
    (head, mine), (_, others) = _progressive(picture), _progressive(decoy(picture.size))
    return head + others[0] + b"".join(mine) + b"\xff\xd9"


def coarse_scan_spoilt(picture: Image.Image) -> bytes:
    """The scans of the picture, then the coarse scan of another."""
    (head, mine), (_, others) = _progressive(picture), _progressive(decoy(picture.size))
    return head + b"".join(mine) + others[0] + b"\xff\xd9"


def scans_replaced(picture: Image.Image) -> bytes:
    """All scans of another picture, then all of the picture."""
    (head, mine), (_, others) = _progressive(picture), _progressive(decoy(picture.size))
    return head + b"".join(others) + b"".join(mine) + b"\xff\xd9"


def scans_spoilt(picture: Image.Image) -> bytes:
    """All scans of the picture, which a slow line shows first, then all of another."""
    (head, mine), (_, others) = _progressive(picture), _progressive(decoy(picture.size))
    return head + b"".join(mine) + b"".join(others) + b"\xff\xd9"


def coarse_scan_alone(picture: Image.Image) -> bytes:
    """The coarse scan and no other."""
    head, mine = _progressive(picture)
    return head + mine[0] + b"\xff\xd9"


# ---- in front, inside, behind


def behind_junk(size: int) -> Maker:
    """Return a maker of a JPEG behind that many bytes of nothing."""
    return lambda picture: b"\n" * size + saved(picture, "JPEG", quality=92)


def pdf_in_comment(picture: Image.Image) -> bytes:
    """A JPEG that is a document too: its beginning stands in a comment."""
    plain = saved(picture, "JPEG", quality=92)
    words = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"
    return plain[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(words)) + words + plain[2:]


def _pdf(picture: Image.Image, notes: int) -> bytes:
    body = saved(picture, "JPEG", quality=92)
    wide, high = picture.size
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 5 0 R/Resources"
        b"<</XObject<</I 4 0 R>>>>>>" % (wide, high),
        b"<</Subtype/Image/Filter/DCTDecode/ColorSpace/DeviceRGB/BitsPerComponent 8/Width %d"
        b"/Height %d/Length %d>>stream\n%b\nendstream" % (wide, high, len(body), body),
        b"<</Length 30>>stream\n%b\nendstream" % (b"%d 0 0 %d 0 0 cm /I Do" % (wide, high)),
    ]
    file = b"%PDF-1.4\n" + b"% nothing\n" * notes
    for number in (4, 1, 2, 3, 5):
        file += b"%d 0 obj\n%b\nendobj\n" % (number, parts[number - 1])
    return file + b"trailer<</Root 1 0 R>>\n"


def pdf_of_picture(picture: Image.Image) -> bytes:
    """A document whose picture begins within its first bytes."""
    return _pdf(picture, 0)


def pdf_with_picture_inside(picture: Image.Image) -> bytes:
    """A document whose picture begins further inside."""
    return _pdf(picture, 200)


def svg_of_picture(picture: Image.Image) -> bytes:
    """A drawing that shows a picture."""
    inner = base64.b64encode(saved(picture, "JPEG", quality=92))
    return (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"><image width="100%%" '
        b'height="100%%" href="data:image/jpeg;base64,%b"/></svg>' % (*picture.size, inner)
    )


def thumbnail(picture: Image.Image) -> bytes:
    """Another picture, whose EXIF holds the picture as its thumbnail."""
    small = saved(picture.resize((160, 120)), "JPEG", quality=85)
    return with_thumbnail(decoy(picture.size), small)


def with_thumbnail(picture: Image.Image, small: bytes, turn: int = 1) -> bytes:
    """Return a JPEG of *picture* with *small* and a *turn* in its EXIF."""
    first = struct.pack("<HHHIII", 1, 0x0112, 3, 1, turn, 26)
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(small), 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + first + second
    return saved(picture, "JPEG", quality=92, exif=exif + small)


def plain_thumbnail(picture: Image.Image, turn: int = 1) -> bytes:
    """As cameras write, upright or not: the thumbnail shows the picture."""
    small = saved(picture.resize((160, 120)), "JPEG", quality=75)
    return with_thumbnail(picture, small, turn)


def icon_of_many(picture: Image.Image) -> bytes:
    """The picture is the largest of three, and comes last."""
    sides = (32, 64, 256)
    others = [saved(decoy((side, side)), "PNG") for side in sides[:-1]]
    pictures = [*others, saved(picture.resize((256, 256)), "PNG")]
    head, at = struct.pack("<HHH", 0, 1, 3), 6 + 48
    for side, body in zip(sides, pictures, strict=True):
        head += struct.pack("<4B2H2I", side % 256, side % 256, 0, 0, 1, 32, len(body), at)
        at += len(body)
    return head + b"".join(pictures)


# ---- shapes, and samples out of range


def strip(columns: int) -> Maker:
    """Return a maker of the picture squeezed into a few columns."""
    return lambda picture: saved(picture.resize((columns, picture.height)), "PNG")


def huge_canvas(page: int | None) -> Maker:
    """Return a maker of the picture in 16 million pixels of one colour (None: clear)."""

    def make(picture: Image.Image) -> bytes:
        small = picture.resize((256, 192)).convert("L")
        canvas = Image.new("L" if page is not None else "LA", (4000, 4000), page or 0)
        canvas.paste(small if page is not None else small.convert("LA"), (3100, 700))
        return saved(canvas, "PNG", compress_level=1)

    return make


def _framed(picture: Image.Image, colour: float) -> Image.Image:
    canvas = Image.new(picture.mode, (picture.width * 2, picture.height * 2), colour)
    canvas.paste(picture, (picture.width // 3, picture.height // 2))
    return canvas


def border16_png(picture: Image.Image) -> bytes:
    """16 bits of gray within a border."""
    gray = picture.convert("L").tobytes()
    words = struct.pack(f"<{len(gray)}H", *(level * 257 for level in gray))
    small = np.frombuffer(words, np.uint16).reshape(picture.height, picture.width)
    return saved(Image.fromarray(np.pad(small, 70, constant_values=65535)), "PNG")


def border12_tiff(picture: Image.Image) -> bytes:
    """12 bits of gray within a border."""
    gray = np.asarray(picture.convert("L"), np.uint16) * 16
    return saved(Image.fromarray(np.pad(gray, 90)), "TIFF")


def border_float_tiff(picture: Image.Image) -> bytes:
    """Fractions within a border."""
    return saved(_framed(picture.convert("F").point(lambda level: level / 255), 0.5), "TIFF")


def border_lab_tiff(picture: Image.Image) -> bytes:
    """Lightness and two colour axes within a border."""
    light = _framed(picture.convert("L"), 255)
    framed = Image.merge(
        "LAB",
        (light, *[Image.new("L", light.size, 128)] * 2),
    )
    return saved(framed, "TIFF")


def _float(picture: Image.Image, scale: float, odd: float) -> bytes:
    samples = np.asarray(picture.convert("L"), np.float32) * scale
    samples = samples.copy()
    samples[7, 9] = odd
    return saved(Image.fromarray(samples), "TIFF")


def float_one_far(picture: Image.Image) -> bytes:
    """Fractions from 0 to 1, and one that is a billion."""
    return _float(picture, 1 / 255, 1e9)


def float_one_undefined(picture: Image.Image) -> bytes:
    """Levels from 0 to 255, and one that is no number."""
    return _float(picture, 1, float("nan"))


def float_one_endless(picture: Image.Image) -> bytes:
    """Levels from 0 to 30,000, and one that is infinite."""
    return _float(picture, 117.6, float("inf"))


def gray32_one_far(picture: Image.Image) -> bytes:
    """12 bits in 32, and one sample of two billion."""
    samples = np.asarray(picture.convert("L"), np.int32) * 16
    samples = samples.copy()
    samples[7, 9] = 2_000_000_000
    return saved(Image.fromarray(samples), "TIFF")


def turned_tiff(picture: Image.Image) -> bytes:
    """A TIFF turned by its own tag."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = 6
    file = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(file, "TIFF", tiffinfo=tags)
    return file.getvalue()


HIDDEN: tuple[Maker, ...] = (
    scans_of_two, coarse_scan_replaced, coarse_scan_spoilt, scans_replaced, scans_spoilt,
    coarse_scan_alone, pdf_in_comment, pdf_of_picture, thumbnail, icon_of_many,
    border16_png, border12_tiff, border_float_tiff,
    border_lab_tiff, float_one_far, float_one_undefined, float_one_endless, gray32_one_far,
    turned_tiff,
)  # fmt: skip
PLACED: dict[str, Maker] = (
    {one.__name__: one for one in HIDDEN}
    | {f"jpeg behind {size} bytes": behind_junk(size) for size in (200, 1000)}
    | {"in a huge white canvas": huge_canvas(255), "in a huge clear canvas": huge_canvas(None)}
    | {"strip of 24 columns": strip(24)}
    | BY_XMP
)
UNREAD: dict[str, Maker] = {"svg of a picture": svg_of_picture}
# Of which no viewer shows the picture, and that are not called clear either.
ASIDE: dict[str, Maker] = {
    "pdf with a picture inside": pdf_with_picture_inside,
    "jpeg behind 1100 bytes": behind_junk(1100),
    "jpeg behind 2048 bytes": behind_junk(2048),
    "strip of 1 column": strip(1),
    "strip of 4 columns": strip(4),
}
