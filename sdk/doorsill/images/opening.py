"""Open one picture with one of Pillow's plugins, and decode it strictly, whatever the host set.

Imported by `frames` and `salvage` alone.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from types import FunctionType
from typing import TYPE_CHECKING, Any

from PIL import ImageFile

from doorsill.images.memory import spare

if TYPE_CHECKING:
    from PIL import Image

    from doorsill.images.sitting import Sitting

# Kind, and the plugin that reads it. Formats that no messenger shows are left out: fewer codecs.
PLUGINS = {
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
# Read through Python in pieces, so that running out of bytes can be noticed here.
_PIECEMEAL = frozenset(("JPEG", "PNG", "GIF", "ICON"))

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
    for module, _ in PLUGINS.values():
        importlib.import_module(f"PIL.{module}ImagePlugin")
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_heif")


def open_picture(sitting: Sitting, kind: str, data: bytes) -> Any:
    """Return the plugin's image for *data*, header read and nothing decoded, or None."""
    module, name = PLUGINS[kind]
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


def load(sitting: Sitting, image: Any) -> bool:
    """Decode *image* whole, or tell that a part of it could not be read."""
    source = getattr(image, "fp", None)
    if not isinstance(source, _Bytes):
        return sitting.attempt(lambda: _decode(image)) is not None
    source.decoding = True
    done = sitting.attempt(lambda: _decode(image)) is not None
    source.decoding = False
    return done


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


def left_behind(sitting: Sitting, image: Any) -> Image.Image | None:
    """Return the pixels that a failed decode left, which is what viewers show, or None."""
    if getattr(image, "_im", None) is None:
        return None
    # A plain image of them: asked for its pixels, the plugin's own would decode and fail again.
    image.tile = []
    kept: Image.Image | None = sitting.attempt(lambda: image._new(image.im))  # noqa: SLF001
    if kept is not None:
        kept.format = image.format
    return kept
