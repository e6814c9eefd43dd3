"""The demo's pictures: one listed drawing, sent in the ways in which pictures are sent."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from PIL import Image

_MESSENGER = (1280, 87)  # longest side, JPEG quality: what a common messenger does
_SIDEWAYS = 6  # EXIF orientation: stored on its left side
_KEPT = 0.8


@dataclass(frozen=True)
class Picture:
    """One file of the demo.

    Attributes:
        key: Its name in `demo_peers.json` and `--json`.
        title: What it is, in a few words.
        about: Why it stands here.
        expected: The outcome that the demo promises; a test holds it to that.
        kind: Its media type.
        data: The file.
    """

    key: str
    title: str
    about: str
    expected: str
    kind: str
    data: bytes


def bundled(name: str) -> bytes:
    """Return a file of the package's data."""
    return files("doorsill").joinpath("data", name).read_bytes()


def pictures() -> list[Picture]:
    """Return the demo's pictures, made in memory."""
    photo, drawing = bundled("coffee.jpg"), bundled("lighthouse.jpg")
    listed, other = _opened(drawing), _opened(photo)
    return [
        Picture(
            "ordinary",
            "an ordinary photo",
            "On no list, so it is sent.",
            "clear",
            "image/jpeg",
            photo,
        ),
        Picture(
            "listed",
            "the listed picture",
            "The same file as an entry of the list.",
            "match",
            "image/jpeg",
            drawing,
        ),
        Picture(
            "messenger",
            "after a messenger",
            "Reduced to 1280 pixels, JPEG quality 87.",
            "match",
            "image/jpeg",
            _messenger(listed),
        ),
        Picture(
            "palette",
            "as a palette GIF",
            "256 colours, dithered.",
            "match",
            "image/gif",
            _palette(listed),
        ),
        Picture(
            "exif",
            "turned by its EXIF tag",
            "Stored sideways; a viewer turns it upright.",
            "match",
            "image/jpeg",
            _sideways(listed),
        ),
        Picture(
            "frame",
            "as frame 2 of a WebP",
            "The first frame is a cup of coffee.",
            "match",
            "image/webp",
            _second_frame(other, listed),
        ),
        Picture(
            "cropped",
            "cropped by 20 %",
            "Missed today: out of PDQ's reach. A second hasher would catch it.",
            "clear",
            "image/jpeg",
            _cropped(listed),
        ),
        Picture(
            "broken",
            "a broken file",
            "Half of an ordinary photo: the rest cannot be told.",
            "unreadable",
            "image/jpeg",
            photo[: len(photo) // 2],
        ),
    ]


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _reduced(image: Image.Image, side: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _messenger(image: Image.Image) -> bytes:
    side, quality = _MESSENGER
    return _saved(_reduced(image, side), "JPEG", quality=quality)


def _palette(image: Image.Image) -> bytes:
    return _saved(_reduced(image, 800).quantize(256), "GIF")


def _sideways(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = _SIDEWAYS
    stored = _reduced(image, 1200).transpose(Image.Transpose.ROTATE_90)
    return _saved(stored, "JPEG", quality=90, exif=exif)


def _second_frame(first: Image.Image, second: Image.Image) -> bytes:
    shown = _reduced(second, 600)
    frames = {"save_all": True, "append_images": [shown], "duration": 500, "method": 0}
    return _saved(first.resize(shown.size), "WEBP", quality=80, **frames)


def _cropped(image: Image.Image) -> bytes:
    """Return what is left when a fifth of each side is cut away, off the right and the bottom."""
    edges = (0, 0, round(image.width * _KEPT), round(image.height * _KEPT))
    return _saved(image.crop(edges), "JPEG", quality=90)
