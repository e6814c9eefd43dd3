"""What is to be sent: a snapshot of a file or of a pasted picture, and a small preview of it.

All of this runs in threads. Pillow makes the previews, because it lets other threads go on while it
decodes; QImage's decoder does not, and the window would stand still for it.
"""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

MOST_BYTES = 50 << 20  # what Synapse takes, unless told otherwise
PREVIEW_SIDE = 576  # pixels; twice what is shown, for dense screens
_PREVIEW_PIXELS = 50_000_000  # 200 MB while it is made; larger ones are sent without a preview
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
numbers = itertools.count(1)


class TooLarge(Exception):  # noqa: N818 - the name says what happened
    """It has more than MOST_BYTES."""


@dataclass(frozen=True)
class Preview:
    """A small picture, as decoded.

    Attributes:
        width: Pixels.
        height: Pixels.
        pixels: Four bytes each: red, green, blue, alpha.
    """

    width: int
    height: int
    pixels: bytes

    def image(self) -> QImage:
        """Return it for Qt."""
        form = QImage.Format.Format_RGBA8888
        return QImage(self.pixels, self.width, self.height, 4 * self.width, form).copy()


@dataclass(frozen=True)
class Attachment:
    """Exactly the bytes that will be screened and sent, whatever becomes of the file.

    Attributes:
        number: Its own, in this window.
        name: Of the file, one line.
        data: All of it.
        preview: None where there is none to show, as of files that are no pictures.
    """

    number: int
    name: str
    data: bytes
    preview: Preview | None


def load(source: Path | QImage | bytes, name: str) -> Attachment:
    """Take a snapshot of a file, of a pasted picture, or of the bytes of one.

    Raises:
        TooLarge: It has more than MOST_BYTES.
        OSError: It cannot be read, or is no ordinary file.
    """
    if isinstance(source, QImage):
        data = _as_png(source)
    elif isinstance(source, Path):
        if not source.is_file():  # reading a pipe could take for ever
            raise OSError(f"{source}: not a file")
        with source.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    else:
        data = source
    if len(data) > MOST_BYTES:
        raise TooLarge(name)
    return Attachment(next(numbers), one_line(name), data, preview_of(data))


def _as_png(picture: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.save(buffer, "PNG", 80):  # type: ignore[call-overload,unused-ignore]
        raise OSError("the pasted picture has no pixels")
    return bytes(buffer.data().data())


def preview_of(data: bytes) -> Preview | None:
    """Return a preview of a picture, None of anything else."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB", (PREVIEW_SIDE, PREVIEW_SIDE))
            if picture.width * picture.height > _PREVIEW_PIXELS:
                return None
            picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
            small = ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception:  # noqa: BLE001 - Pillow raises a dozen classes on what it cannot read
        return None
    return Preview(*small.size, small.tobytes())


def one_line(text: str, most: int = 80) -> str:
    """Return a name or a text of others without what could reorder or hide it, and not too long."""
    shown = _UNSEEN.sub("", text).strip()
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
