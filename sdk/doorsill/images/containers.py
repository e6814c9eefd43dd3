"""Facts about picture files, read from their bytes alone: no pixel is decoded here."""

from __future__ import annotations

import re
import zlib
from struct import pack, unpack_from
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START = b"\x89PNG\r\n\x1a\n"

# How a file begins, and the name of what it claims to be. A claim that `images` has no reader
# for ends as UNREADABLE, which is honest: some viewer may show it.
_STARTS = (
    (b"\xff\xd8", "JPEG"),
    (PNG_START, "PNG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"II\0*", "TIFF"),
    (b"MM*\0", "TIFF"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"DDS ", "DDS"),
    (b"\0\0\0\x0cjP  ", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"II\xbc\1", "JPEG XR"),
    (b"IIRO", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"\x8bJNG", "JNG"),
    (b"\x8aMNG", "MNG"),
    (b"BPG\xfb", "BPG"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"FLIF", "FLIF"),
    (b"gimp xcf ", "XCF"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance"),
    (b"#?RGBE", "Radiance"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"\xb1\x68\xde\x3a", "DCX"),
    (b"/* XPM */", "XPM"),
    (b"SIMPLE  =", "FITS"),
)
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"crx ": "camera raw"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"),
    "HEIF",
)
_PATTERNS = (
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    # With a header size that bitmaps have, odd ones included: "BM" alone also begins prose.
    ("BMP", re.compile(rb"BM.{12}[\x0c-\x7c]\0\0\0", re.DOTALL)),
    ("EMF", re.compile(rb"\x01\0\0\0.{36} EMF", re.DOTALL)),
    ("PPM", re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s")),
    ("PAM", re.compile(rb"P7\s+(?:#|[A-Z]|\d+\s)")),
    ("PFM", re.compile(rb"P[Ff]\s+\d+\s+\d+\s")),
    ("PCX", re.compile(rb"\n[\x00\x02-\x05]\x01[\x01\x02\x04\x08]")),
    ("SGI", re.compile(rb"\x01\xda[\x00\x01][\x01\x02]\x00[\x01-\x03]")),
    ("XBM", re.compile(rb"\s*#define\s+\S+_width\s+\d+\s+#define\s+\S+_height\s")),
)
_STILL = frozenset((b"mif1", b"msf1", b"miaf", b"mif2"))
_SVG_ROOT = re.compile(rb"<(?:[^\s<>:/]+:)?svg\b", re.IGNORECASE)
_ASIDE = re.compile(rb"\s*<(!--|\?)")
# A web page may hold drawings; one whose root is a drawing is itself one.
_PAGE = re.compile(
    rb"\s*<(?:html\b|!doctype\s+html\b[^>]*>(?!\s*<(?:[^\s<>:/]+:)?svg\b))", re.IGNORECASE
)
_GZIP = b"\x1f\x8b\x08"
_HEAD, _DRAWN, _PACKED = 4096, 1 << 20, 1 << 16
# Bitmap headers that Pillow takes, and the bounds of those that browsers take.
_BITMAP_HEADS, _LEAST_HEAD, _MOST_HEAD, _WITH_MASKS = (40, 52, 56), 16, 60, 52
# A few bytes of junk before the signature do not stop every viewer.
_JUNK = 1024

# Over megabytes, `re` is twice as fast as bytes.find and bytes.count.
_SCAN, _JPEG = re.compile(rb"\xff\xda"), re.compile(rb"\xff\xd8\xff")
_SCAN_OR_SOI = re.compile(rb"\xff[\xda\xd8]")
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOI, _EOI, _SOS, _TEM, _APP2 = 0xD8, 0xD9, 0xDA, 0x01, 0xE2
_PROFILE, _MOST_EXTRA = b"ICC_PROFILE\0", 64


def claim(data: bytes) -> str | None:
    """Name the kind of picture that *data* claims to be by its first bytes, or None."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data[4:8] == b"ftyp":
        return _brand(data)
    head = data[:_HEAD]
    return next((kind for kind, pattern in _PATTERNS if pattern.match(head)), None) or _drawing(
        data
    )


def _brand(data: bytes) -> str | None:
    """Tell still pictures from video: both are ISO boxes that begin with their brands."""
    size = min(int.from_bytes(data[:4], "big"), _HEAD)
    # The major brand binds no viewer: one that finds its own among the others shows the picture.
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    known = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    return known or ("HEIF" if _STILL & set(brands) else None)


def _drawing(data: bytes) -> str | None:
    """Tell a drawing by its root, whatever prologue, encoding or packing comes before that."""
    text = data[:_DRAWN]
    if text.startswith(_GZIP):
        try:
            text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(text[:_PACKED], _PACKED)
        except zlib.error:
            return None
    text = text.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\f")
    if not text.startswith(b"<"):
        return None
    text = text.replace(b"\0", b"")  # UTF-16, with a mark that says so or without
    return "SVG" if _SVG_ROOT.search(text) and not _PAGE.match(text, _prologue(text)) else None


def _prologue(text: bytes) -> int:
    """Return where the comments and instructions end that begin *text*."""
    at = 0
    while (found := _ASIDE.match(text, at)) is not None:
        end = text.find(b"-->" if found[1] == b"!--" else b"?>", found.end())
        if end < 0:
            return at
        at = end + 2
        at += text.startswith(b">", at)
    return at


def past_junk(data: bytes) -> int:
    """Return where a JPEG or PNG begins behind a little junk, or 0."""
    found = (data.find(start, 1, _JUNK) for start in (JPEG_START, PNG_START))
    return min((at for at in found if at > 0), default=0)


def straightened(kind: str, data: bytes) -> bytes:
    """Return *data* with a beginning that viewers take made one that Pillow takes too."""
    if kind == "BMP":
        return _usual_bitmap(data)
    if kind == "JPEG" and not data.startswith(JPEG_START):
        # Decoders skip what is not a marker behind the first one.
        found = _MARKER.search(data, 2)
        data = data[:2] + data[found.start() :] if found else data
    return _profiled_once(data) if kind == "JPEG" else data


def _profiled_once(data: bytes) -> bytes:
    """Return a JPEG without the pieces of a profile that follow its last one.

    Browsers read no further once they have all pieces; Pillow takes none if there are too many.
    """
    parts: set[int] = set()
    total, extra = 0, []
    for code, at in jpeg_markers(data):
        if code == _SOS:
            break
        if code != _APP2 or not data.startswith(_PROFILE, at + 4) or at + 18 > len(data):
            continue
        if parts and len(parts) >= total:
            extra.append((at, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")))
            if len(extra) > _MOST_EXTRA:
                return data
            continue
        if not parts:
            total = data[at + 17]
        parts.add(data[at + 16])
    for start, end in reversed(extra):
        data = data[:start] + data[end:]
    return data


def _usual_bitmap(data: bytes) -> bytes:
    """Return a bitmap whose header has a size between the usual ones with one of 40 bytes."""
    (pixels,), size = unpack_from("<I", data, 10), data[14]
    if size in _BITMAP_HEADS or not _LEAST_HEAD <= size <= _MOST_HEAD:
        return data
    end = 14 + size
    masks = data[30:34] == b"\3\0\0\0" and size >= _WITH_MASKS
    rest = data[54:] if masks else data[end:]  # the masks stay, behind the header
    moved = 0 if masks or not pixels else 40 - size
    head = data[18 : min(end, 54)].ljust(36, b"\0")
    return data[:10] + pack("<II", max(0, pixels + moved), 40) + head + rest


# ---- JPEG


def jpeg_markers(data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Walk the markers of the JPEG at *start*: (code, offset), up to and with its EOI."""
    at = start + 2
    while (found := _MARKER.search(data, at)) is not None:
        at, code = found.end(), data[found.end() - 1]
        yield code, found.start()
        if code == _EOI:
            return
        if code not in (_SOI, _TEM) and at + 2 <= len(data):
            at += max(2, int.from_bytes(data[at : at + 2], "big"))


def jpeg_alone(data: bytes) -> int | None:
    """Return how many scans the JPEG at 0 may have, at most, None if another one may follow it."""
    # What `jpeg_pictures` and `jpeg_scans` find of nearly every file, in one pass over it.
    count = 0
    for found in _SCAN_OR_SOI.finditer(data, 2):
        scan = data[found.end() - 1] == _SOS
        if not scan and data.startswith(b"\xff", found.end()):
            return None
        count += scan
    return count


def jpeg_scans(data: bytes, cap: int) -> int:
    """Count the scans of the JPEG at 0; past *cap* the count stops."""
    # Entropy-coded bytes cannot hold a marker, so this is never too low, and it is almost free.
    if (count := sum(1 for _ in _SCAN.finditer(data))) <= cap:
        return count
    count = 0
    for code, _ in jpeg_markers(data):
        count += code == _SOS
        if count > cap:
            break
    return count


def jpeg_begun_anew(data: bytes, cap: int) -> list[int]:
    """Return where a scan begins to paint the JPEG at 0 anew, which no encoder lets one do.

    A slow line shows what came before.
    """
    found: list[int] = []
    painted: set[int] = set()
    for code, at in jpeg_markers(data):
        if code != _SOS or at + 5 > len(data):
            continue
        end = at + 5 + 2 * data[at + 4]
        names, last = set(data[at + 5 : end : 2]), data[end : end + 3]
        if len(last) < 3 or last[0] or last[2] >> 4:  # noqa: PLR2004
            continue  # a finer part, or finer bits
        if names & painted:
            found.append(at)
            painted = set()
            if len(found) >= cap:
                break
        painted |= names
    return found


def _jpeg_end(data: bytes, start: int) -> int:
    """Return where the JPEG at *start* ends: behind its EOI, or where another one cuts in."""
    for code, at in jpeg_markers(data, start):
        if code == _EOI:
            return at + 2
        if code == _SOI:
            return at
    return len(data)


def jpeg_pictures(data: bytes, cap: int) -> list[tuple[int, int]]:
    """Return (start, end) of each JPEG in a row: an MPO, a gain map, a second one appended."""
    found: list[tuple[int, int]] = []
    start = 0
    while len(found) < cap:
        if not _JPEG.search(data, start + 2):
            return [*found, (start, len(data))]
        end = _jpeg_end(data, start)
        found.append((start, end))
        start = data.find(JPEG_START, end)
        if start < 0:
            return found
    return found


# ---- PNG


class Chunk(NamedTuple):
    """One PNG chunk: its name and where its body lies (the end is clipped to the file)."""

    name: bytes
    start: int
    end: int


def png_chunks(data: bytes) -> Iterator[Chunk]:
    """Walk the chunks of a PNG, checksums unasked."""
    at = len(PNG_START)
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        yield Chunk(name, at + 8, min(at + 8 + length, len(data)))
        if name == b"IEND":
            return
        at += 12 + length


def png_profile_fits(data: bytes, cap: int) -> bool:
    """Tell whether the packed colour profile of a PNG unpacks to at most *cap* bytes."""
    for name, start, end in png_chunks(data):
        if name == b"iCCP":
            packed = data[start:end].partition(b"\0")[2][1:]
            try:
                return len(zlib.decompressobj().decompress(packed, cap + 1)) <= cap
            except zlib.error:
                return True  # broken: viewers ignore it
        if name == b"IDAT":
            break
    return True


# ---- others


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Read the canvas of a WebP, which its decoder allocates as soon as it is opened."""
    kind, body = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return webp_chunk_size(kind, body) if kind in (b"VP8L", b"VP8 ") else None


def webp_chunk_size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Read the size of a WebP's pixels, lossless (`VP8L`) or lossy."""
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = unpack_from("<HH", body[:10].ljust(10, b"\0"), 6)
    return width & 0x3FFF, height & 0x3FFF


def icon_entries(data: bytes, cap: int) -> list[tuple[bytes, bytes]]:
    """Return (directory entry, body) of each picture in an icon or cursor file.

    Bodies are as long as they need to be, whatever the directory says: browsers do not ask it.
    """
    count = min(int.from_bytes(data[4:6], "little"), cap)
    entries, spare = [], 4 * len(data)
    for at in range(6, min(6 + 16 * count, len(data) - 15), 16):
        said, offset = unpack_from("<II", data, at + 8)
        size = _icon_length(data, offset, said)
        if size > said and (spare := spare - min(size, len(data))) < 0:
            size = said  # one of many that claim the same bytes
        entry = data[at : at + 8] + pack("<II", size, offset)
        entries.append((entry, data[offset : offset + size]))
    return entries


def _icon_length(data: bytes, at: int, said: int) -> int:
    """Return how long a picture in an icon is by its own account, or what its directory *said*."""
    if data.startswith(PNG_START, at):
        end = data.find(b"IEND", min(at + said, len(data)) - 8)
        return said if end < 0 else end + 8 - at
    head = data[at : at + 40].ljust(40, b"\0")
    start, _, _, _, bits, packing = unpack_from("<IiiHHI", head)
    if packing or bits not in (1, 4, 8, 24, 32):
        return said
    colours = unpack_from("<I", head, 32)[0] or 1 << bits
    width, height = bitmap_size(head)
    rows = height // 2
    size: int = start + (4 * min(colours, 1 << bits) if bits <= 8 else 0)  # noqa: PLR2004
    size += (width * bits + 31) // 32 * 4 * rows
    size += (width + 31) // 32 * 4 * rows if bits < 32 else 0  # noqa: PLR2004 - the mask
    return min(size, (1 << 32) - 1)


def bitmap_size(body: bytes) -> tuple[int, int]:
    """Read the size in a bitmap header, where an icon's height counts its mask too."""
    width, height = unpack_from("<ii", body[4:12].ljust(8, b"\0"))
    return abs(width), abs(height)
