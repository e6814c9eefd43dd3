"""Views of a query beside the whole: what turning it and cutting it up undo."""

from __future__ import annotations

from PIL import Image

from doorsill.images import borders, seams

MOST = {"flip": 1, "parts": 5, "centre": 1}
"""How many views each name gives at most."""


def parts(photo: Image.Image) -> list[Image.Image]:
    """Return what the SDK finds in a photo: the inside of its border, and the parts of a page."""
    inside = borders.content(photo)
    return [photo.crop(box) for box in ([inside] if inside else []) + seams.parts(photo)]


def views(photo: Image.Image, names: list[str]) -> list[Image.Image]:
    """Return the whole, then those of `flip`, `parts` and `centre` that are asked for and exist."""
    found = [photo]
    w, h = photo.size
    for name in names:
        if name == "flip":
            found.append(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        elif name == "parts":
            found += parts(photo)
        elif name == "centre":
            found.append(photo.crop((w // 8, h // 8, w - w // 8, h - h // 8)))
        else:
            raise SystemExit(f"{name}: no such view; there are flip, parts and centre")
    return found
