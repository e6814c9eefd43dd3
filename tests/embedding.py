"""What the tests of the embeddings share: an ordinary picture, a listed one, and their hooks."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hook import Hook

from doorsill import Gate, HashList, Policy, Trust
from drawn import saved

if TYPE_CHECKING:
    from PIL import Image

ORDINARY = files("doorsill").joinpath("data", "coffee.jpg").read_bytes()
LISTED = files("doorsill").joinpath("data", "lighthouse.jpg").read_bytes()

# What clients make of a photo before they send it: longest side and JPEG quality.
MESSENGERS = ((1280, 87), (1600, 70), (640, 80))


def demo_file() -> Path:
    """Return the file of the list that holds the listed picture."""
    return Path(str(files("doorsill").joinpath("data", "demo.dsl")))


def demo_list() -> HashList:
    """Open it."""
    return HashList.open(demo_file(), Trust.none())


def hook(policy: Policy | None = None, **options: Any) -> Hook:
    """Return a hook before the DEMO list, decoding in this process for speed."""
    return Hook(Gate(demo_list(), policy, isolation="inline"), **options)


def re_encoded(picture: Image.Image, side: int, quality: int) -> bytes:
    """Return a picture as a messenger would send it; none of them enlarges."""
    smaller = picture.convert("RGB").copy()  # convert() may give the same picture
    smaller.thumbnail((side, side))
    return saved(smaller, "JPEG", quality=quality)
