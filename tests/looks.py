"""How tests look at a file: through its views, hashed by the reference, not by our own core."""

from __future__ import annotations

from typing import Any

import numpy as np
import pdqhash
from PIL import Image

from doorsill import images
from doorsill.limits import Limits
from drawn import scene

RADIUS = 31
LIMITS = Limits()
SCENE = scene()


def hashes(image: Image.Image) -> list[Any]:
    """Return PDQ's bits of a view as it stands: over white and over black if it has alpha."""
    if image.mode == "RGBA":
        pages = [Image.new("RGB", image.size, colour) for colour in ("white", "black")]
        for page in pages:
            page.paste(image, mask=image.getchannel("A"))
        return [bits for page in pages for bits in hashes(page)]
    bits, quality = pdqhash.compute(np.asarray(image.convert("RGB")))
    return [bits] if quality >= 50 else []


def look(data: bytes, limits: Limits = LIMITS) -> tuple[list[str], list[str]]:
    """Return the labels of all views of a file, and why parts were not read."""
    unread: list[str] = []
    labels = []
    for view in images.views(data, limits, unread, lambda: None):
        assert view.image.mode in ("L", "RGB", "RGBA")
        labels.append(view.label)
    return labels, unread


def nearest(data: bytes, reference: Image.Image) -> int:
    """Return the smallest distance between *reference* and a view of *data*."""
    wanted = hashes(reference)[0]
    unread: list[str] = []
    return min(
        int(np.count_nonzero(wanted != bits))
        for view in images.views(data, LIMITS, unread, lambda: None)
        for bits in hashes(view.image)
    )
