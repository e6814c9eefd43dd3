"""`Hash` and `hash_image`: a picture's PDQ, for people who compare or publish."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from doorsill import core
from doorsill.errors import NotHashable
from doorsill.limits import Limits
from doorsill.patience import Patience
from doorsill.reading import read


@dataclass(frozen=True)
class Hash:
    """A perceptual hash.

    Attributes:
        hasher: "pdq".
        profile: "full" or "cpp512": which tool's way of reading the pixels.
        bytes: 32 bytes, in the order of the usual hex.
        quality: 0..100; below 50 a hash says too little to be compared.
    """

    hasher: str
    profile: str
    bytes: bytes
    quality: int

    @property
    def hex(self) -> str:
        """The usual way of writing it: 64 hex digits."""
        return self.bytes.hex()

    def distance(self, other: Hash) -> int:
        """Return in how many of the 256 bits the two differ."""
        return core.distance(self.bytes, other.bytes)


def hash_image(picture: Any, profile: str = "full", *, limits: Limits | None = None) -> Hash:
    """Return the PDQ hash of a picture as a viewer shows it first.

    Args:
        picture: Whatever `Gate.screen` takes.
        profile: "full" (as python-threatexchange) or "cpp512" (as Meta's C++ tool).
        limits: Bounds on what is read.

    Raises:
        NotHashable: It is not a picture or cannot be read.
    """
    found = read(picture, replace(limits or Limits(), seconds=None), Patience(None))
    if not found.views:
        why = "; ".join(found.unread) or "it is not a picture"
        raise NotHashable(f"{_name(picture)}: cannot be hashed ({why}); name a picture that opens")
    pdq = found.views[0].pdq
    return Hash("pdq", profile, pdq.hash(profile), pdq.quality(profile))


def _name(picture: Any) -> str:
    is_path = isinstance(picture, str) or hasattr(picture, "__fspath__")
    return str(picture) if is_path else "the picture"
