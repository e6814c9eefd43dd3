"""From the bytes of a file to its decoded frames, salvaging what a viewer would show.

Imported by `images` alone.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from types import FunctionType
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageFile

from doorsill.images import containers
from doorsill.images.bands import bands
from doorsill.images.memory import or_starved, spare
from doorsill.images.mending import PNG_PROFILE_CAP, ended_otherwise, mended, png_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.images.sitting import Sitting

    Labelled = tuple[str, Image.Image]

# Kind, and the plugin that reads it. Formats that no messenger shows are left out: fewer codecs.
_PLUGINS = {
    "JPEG": ("Jpeg", "JpegImageFile"),
    "PNG": ("Png", "PngImageFile"),
    "GIF": ("Gif", "GifImageFile"),
    "WEBP": ("WebP", "WebPImageFile"),
    "TIFF": ("Tiff", "TiffImageFile"),
    "BMP": ("Bmp", "BmpImageFile"),
    "ICON": ("Ico", "IcoImageFile"),
    "AVIF": ("Avif", "AvifImageFile"),
    "JPEG2000": ("Jpeg2K", "Jpeg2KImageFile"),
    "PPM": ("Ppm", "PpmImageFile"),
    "PSD": ("Psd", "PsdImageFile"),
    "QOI": ("Qoi", "QoiImageFile"),
    "ICNS": ("Icns", "IcnsImageFile"),
    "DDS": ("Dds", "DdsImageFile"),
}
_ANIMATED = frozenset(("GIF", "PNG", "WEBP", "AVIF", "TIFF"))
SECOND = "frame 2"
_SUB_IFDS = 0x014A
# Read through Python in pieces, so that running out of bytes can be noticed here.
_PIECEMEAL = frozenset(("JPEG", "PNG", "GIF", "ICON"))

_LOST = "broken: a part is missing"
_HOPELESS = "broken: it could not be decoded"
_LATER = "broken: later frames could not be decoded"

# The decoders' zero, where data is missing: mid grey, off by one in inverted ink.
_FILLED = ((127, 127), (127, 128), (128, 128))
# Plugins whose own way to load ends in Pillow's loop over tiles, unless this attribute is set.
_LOADED_PLAINLY_UNLESS = {"TIFF": "use_load_libtiff", "JPEG2000": "_reduce"}
# Pillow's own loop over tiles, but blind to a host that tells it, process-wide, to tolerate
# truncated files: it reads that from its globals, so it is given some of its own.
_STRICT = FunctionType(
    ImageFile.ImageFile.load.__code__,
    vars(ImageFile) | {"LOAD_TRUNCATED_IMAGES": False},
    closure=ImageFile.ImageFile.load.__closure__,
)


def load_plugins() -> None:
    """Import what may be needed later, for a process that soon cannot open files any more."""
    for module, _ in _PLUGINS.values():
        importlib.import_module(f"PIL.{module}ImagePlugin")
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_heif")


def of_file(sitting: Sitting, kind: str, data: bytes) -> Iterator[Labelled]:
    """Yield every frame of a file, loaded, the usual one first. An image is good until the next."""
    if kind == "JPEG":
        yield from _jpegs(sitting, data)
    elif kind == "ICO":
        yield from _icons(sitting, data)
    elif kind == "HEIF":
        yield from _heif(sitting, data)
    elif kind not in _PLUGINS:
        sitting.note(f"format: {kind} pictures cannot be read")
    elif _within(sitting, kind, data):
        yield from _frames(sitting, kind, data)


def of_image(sitting: Sitting, image: Image.Image) -> Iterator[Labelled]:
    """Yield an image that the host opened, loaded."""
    if not sitting.spend(image.size):
        return
    shown = image if _load(sitting, image) else _salvaged(sitting, image)
    if shown is not image:
        sitting.note(or_starved(sitting, image.size, _HOPELESS if shown is None else _LOST))
    if shown is not None:
        yield "", shown


def _within(sitting: Sitting, kind: str, data: bytes) -> bool:
    """Check what a plugin would meet too late: it may allocate or walk as soon as it is opened."""
    if kind == "WEBP":
        size = containers.webp_size(data)
        return size is None or sitting.allows(size)
    if kind == "GIF":
        return sitting.allows(containers.gif_extent(data, sitting.limits.frames)[1:])
    if kind == "PNG":
        cap = sitting.limits.png_chunks
        if any(number >= cap for number, _ in enumerate(containers.png_chunks(data))):
            sitting.note(f"chunks: it has more than {cap}")
            return False
        if not containers.png_profile_fits(data, PNG_PROFILE_CAP):
            sitting.note(f"profile: its colour profile takes more than {PNG_PROFILE_CAP} bytes")
    return True


# ---- files of several pictures


def _jpegs(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    """Yield a JPEG and those that follow it: an MPO, a gain map, one appended in secret."""
    pictures = containers.jpeg_pictures(data, sitting.limits.frames + 1)
    scans = 0
    for number, (start, end) in enumerate(pictures):
        one = data if len(pictures) == 1 else data[start:end]
        scans += containers.jpeg_scans(one, sitting.limits.scans)
        if scans > sitting.limits.scans:
            sitting.note(f"scans: it has more than {sitting.limits.scans}")
            return
        yield from _frames(sitting, "JPEG", one, f"picture {number + 1}" if number else "")


def _icons(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    entries = containers.icon_entries(data, sitting.limits.frames + 1)
    if not entries:
        sitting.note("broken: an icon without pictures")
    for number, (entry, body) in enumerate(entries):
        name = f"icon {number + 1}" if number else ""
        if body.startswith(containers.PNG_START):
            if _within(sitting, "PNG", body):
                yield from _frames(sitting, "PNG", body, name)
        elif sitting.allows(containers.bitmap_size(body)):
            # As an icon of one picture, for the plugin takes the largest and leaves the others.
            yield from _frames(
                sitting, "ICON", b"\0\0\1\0\1\0" + entry[:12] + b"\x16\0\0\0" + body, name
            )
        sitting.check()


def _heif(sitting: Sitting, data: bytes) -> Iterator[Labelled]:
    """Yield the pictures of a HEIC file through pillow-heif, which is not registered for that."""
    plugin = sitting.attempt(lambda: importlib.import_module("pillow_heif"))
    if plugin is None:
        sitting.note("format: HEIC pictures need the [heif] extra")
        return
    opened = sitting.attempt(lambda: plugin.open_heif(io.BytesIO(data)))
    if opened is None and (whole := mended("HEIF", data, sitting.limits.bytes)) is not None:
        sitting.note(_LOST)
        opened = sitting.attempt(lambda: plugin.open_heif(io.BytesIO(whole)))
    if opened is None:
        sitting.note(_HOPELESS)
        return
    for number in range(len(opened)):
        page = opened[number]
        if not sitting.spend(page.size):
            return
        frame: Image.Image | None = sitting.attempt(page.to_pillow)
        if frame is None:
            sitting.note(or_starved(sitting, page.size, _HOPELESS))
        else:
            frame.format = "HEIF"
            yield f"picture {number + 1}" if number else "", frame
        sitting.check()


# ---- files that one plugin reads


def _frames(sitting: Sitting, kind: str, data: bytes, name: str = "") -> Iterator[Labelled]:
    source, shown, whole = _first(sitting, kind, data)
    number = 1
    while shown is not None:
        frame = f"frame {number}" if number > 1 else name
        yield frame, shown
        if whole and number == 1:
            yield from _rows_there(sitting, kind, data, (frame, shown))
        if kind == "TIFF":
            yield from _sub_pictures(sitting, source, data, frame)
        sitting.check()
        shown = _next(sitting, source, number) if kind in _ANIMATED else None
        number += 1


def _first(sitting: Sitting, kind: str, data: bytes) -> tuple[Any, Image.Image | None, bool]:
    """Return an open file, its bytes mended if need be, its first frame, and whether it is whole.

    Whole as far as decoders tell: see `_rows_there`.
    """
    strict = _open(sitting, kind, data)
    if strict is not None:
        if not sitting.spend(strict.size):
            return None, None, False
        if _load(sitting, strict):
            return strict, strict, True
    sitting.check()
    source, shown, whole = _mended_first(sitting, kind, data, strict)
    if shown is None:
        source, shown = strict, _salvaged(sitting, strict)
    if not whole:
        # A WebP takes most of its memory as it is opened.
        size = strict.size if strict else containers.webp_size(data) if kind == "WEBP" else None
        sitting.note(or_starved(sitting, size, _HOPELESS if shown is None else _LOST))
    return source, shown, whole


def _rows_there(sitting: Sitting, kind: str, data: bytes, labelled: Labelled) -> Iterator[Labelled]:
    """Yield the rows that the file holds where it has fewer than it says, and note that.

    Decoders fill the rest up in silence where only the end of a JPEG or of a PNG's compressed
    pixels comes too early. Any listed picture could be given a lower part of grey like that.
    """
    name, image = labelled
    rows = sitting.attempt(lambda: _rows(sitting, kind, data, image))
    if rows is None:
        return
    sitting.note(_LOST)
    if rows:
        held = sitting.attempt(lambda: image.crop((0, 0, image.width, rows)))
        if held is not None:
            held.format = image.format
            yield f"{name}, rows that are there" if name else "rows that are there", held


def _rows(sitting: Sitting, kind: str, data: bytes, image: Image.Image) -> int | None:
    """Return how many rows are there, or None if all are, which a look at the last ones tells."""
    width, height = image.size
    if kind == "PNG":
        # One of two rows, for the last pass of an interlaced one has every other row.
        rows = (image.crop((0, at, width, at + 1)) for at in range(max(0, height - 2), height))
        return None if all(any(row.tobytes()) for row in rows) else png_rows(data)
    last = image.crop(((width - 1) // 8 * 8, (height - 1) // 8 * 8, width, height))
    if kind != "JPEG" or any(band.getextrema() not in _FILLED for band in last.split()):
        return None
    there = sitting.attempt(lambda: _rows_told(sitting, data, image)) or 0
    return None if there == height else there


def _rows_told(sitting: Sitting, data: bytes, image: Image.Image) -> int:
    """Return how many rows of a JPEG have all their pixels, 0 if that cannot be told.

    Where pixels are missing, what a decoder makes up depends on how the file ends.
    """
    other = _open(sitting, "JPEG", ended_otherwise(data))
    if other is None or not _load(sitting, other) or other.size != image.size:
        return 0
    same = 0
    for one, two in zip(bands(image), bands(other), strict=True):
        if apart := ImageChops.difference(one, two).getbbox():
            return same + apart[1]
        same += one.height
    return same


def _mended_first(
    sitting: Sitting, kind: str, data: bytes, strict: Any
) -> tuple[Any, Image.Image | None, bool]:
    """Return the mended file, its first frame, and whether no pixel was missing after all."""
    again = mended(kind, data, sitting.limits.bytes)
    image = None if again is None else _open(sitting, kind, again)
    if image is None or not (sitting.allows(image.size) if strict else sitting.spend(image.size)):
        return None, None, False
    if not _load(sitting, image):
        return image, _salvaged(sitting, image), False
    if kind != "JPEG":
        # A PNG that only failed a checksum has every pixel, unless the host hides it if not.
        return image, image, kind == "PNG" and not ImageFile.LOAD_TRUNCATED_IMAGES
    there = sitting.attempt(lambda: _rows_told(sitting, data, image))
    return image, image, there == image.height


def _next(sitting: Sitting, source: Any, number: int) -> Image.Image | None:
    """Return the frame after *number*, None at the end."""
    try:
        source.seek(number)
    except EOFError:
        announced = source.__dict__.get("n_frames")  # where the header says it
        if isinstance(announced, int) and announced > number:
            sitting.note(_LATER)
        return None
    except Exception:  # noqa: BLE001 - as in Sitting.attempt
        sitting.note(_LATER)
        return None
    if not sitting.spend(source.size):
        return None
    if _load(sitting, source):
        return source  # type: ignore[no-any-return]
    sitting.note(_LATER)
    return _salvaged(sitting, source)


def _sub_pictures(sitting: Sitting, page: Any, data: bytes, name: str) -> Iterator[Labelled]:
    """Yield the pictures that a TIFF page keeps beside its chain of pages."""
    offsets = sitting.attempt(lambda: page.tag_v2.get(_SUB_IFDS)) or ()
    for number, offset in enumerate(offsets if isinstance(offsets, tuple) else (offsets,)):
        child = _open_ifd(sitting, data, offset)
        if child is None:
            sitting.note(_LATER)
        elif not sitting.spend(child.size):
            return
        elif not _load(sitting, child):
            sitting.note(_LATER)
        else:
            sub = f"sub-picture {number + 1}"
            yield f"{name}, {sub}" if name else sub, child
        sitting.check()


def _open_ifd(sitting: Sitting, data: bytes, offset: object) -> Any:
    tiff = _open(sitting, "TIFF", data)

    def seek() -> Any:
        tiff._frame_pos = [offset]  # noqa: SLF001 - Pillow offers no other way to a SubIFD
        tiff._seek(0)  # noqa: SLF001
        return tiff

    return sitting.attempt(seek)


def _open(sitting: Sitting, kind: str, data: bytes) -> Any:
    """Return the plugin's image for *data*, header read and nothing decoded, or None."""
    module, name = _PLUGINS[kind]
    plugin = sitting.attempt(lambda: importlib.import_module(f"PIL.{module}ImagePlugin"))
    source = _Bytes(data) if kind in _PIECEMEAL else io.BytesIO(data)
    if isinstance(source, _Bytes):
        source.decoding = kind == "ICON"  # which is decoded as soon as it is opened
    image = sitting.attempt(lambda: getattr(plugin, name)(source))
    if image is not None:
        spare(image)
    return image


class _Bytes(io.BytesIO):
    """A file in memory that refuses to run dry while pixels are decoded.

    Pillow would not mind where a host has told it to tolerate truncated files, process-wide.
    """

    decoding = False

    def read(self, size: int | None = -1, /) -> bytes:
        got = super().read(size)
        if self.decoding and size and not got:
            raise OSError("the file ends too early")
        return got


def _load(sitting: Sitting, image: Any) -> bool:
    source = getattr(image, "fp", None)
    if not isinstance(source, _Bytes):
        return sitting.attempt(lambda: _decode(image)) is not None
    source.decoding = True
    loaded = sitting.attempt(lambda: _decode(image)) is not None
    source.decoding = False
    return loaded


def _decode(image: Any) -> bool:
    """Load *image*, or raise where a part is missing, whatever the host set."""
    own = type(image).load is not ImageFile.ImageFile.load
    if image.format in _LOADED_PLAINLY_UNLESS:
        own = getattr(image, _LOADED_PLAINLY_UNLESS[image.format], True)
    if own:
        image.load()  # a decoder of its own, which asks no global
    else:
        _STRICT(image)
    return True


def _salvaged(sitting: Sitting, image: Any) -> Image.Image | None:
    """Return the pixels that a failed decode left, which is what viewers show, or None."""
    if getattr(image, "_im", None) is None:
        return None
    # A plain image of them: asked for its pixels, the plugin's own would decode and fail again.
    image.tile = []
    kept: Image.Image | None = sitting.attempt(lambda: image._new(image.im))  # noqa: SLF001
    if kept is not None:
        kept.format = image.format
    return kept
