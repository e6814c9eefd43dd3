"""What one pass over one picture may still spend, and what it could not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorsill.limits import Limits

T = TypeVar("T")

STARVED = "memory: it is broken, or takes more than a decoder may"
_REASONS = 16  # enough to understand a file; a hostile one could give thousands


class Sitting:
    """One pass over one file."""

    def __init__(self, limits: Limits, unread: list[str], check: Callable[[], None]) -> None:
        """Start with everything that *limits* allow; reasons go to *unread*."""
        self.limits = limits
        self.check = check
        self._unread = unread
        self._frames_left = limits.frames
        self._pixels_left = limits.frame_pixels

    @property
    def noted(self) -> bool:
        """Whether any part was not read."""
        return bool(self._unread)

    def note(self, reason: str) -> None:
        """Keep why a part was not read, once."""
        if reason not in self._unread and len(self._unread) < _REASONS:
            self._unread.append(reason)

    def attempt(self, step: Callable[[], T]) -> T | None:
        """Return what *step* gives, or None if it fails: the one place where codecs may raise.

        They raise nearly everything on bad pixels, IndexError, SyntaxError, struct.error and
        RecursionError among it, so no list of classes would hold.
        """
        try:
            return step()
        except MemoryError:
            self.note(STARVED)
            return None
        except Exception:  # noqa: BLE001 - see above
            return None

    def allows(self, size: tuple[int, int]) -> bool:
        """Tell whether a frame of *size* is within the limits, and note it if not."""
        width, height = size
        if min(size) < 1:
            self.note("broken: it has no pixels")
            return False
        if width * height <= self.limits.pixels and max(size) <= self.limits.side:
            return True
        self.note(f"size: {width} x {height} pixels are over the limit")
        return False

    def spend(self, size: tuple[int, int]) -> bool:
        """Tell whether a frame of *size* may still be decoded, and count it if so."""
        if not self.allows(size):
            return False
        area = size[0] * size[1]
        if area > self._pixels_left or not self._frames_left:
            self.note("frames: it has more than can be looked at")
            return False
        self._pixels_left -= area
        self._frames_left -= 1
        return True

    def pay(self, size: tuple[int, int]) -> bool:
        """Tell whether one more reading of a frame of *size* may be shown, and count it if so."""
        self._pixels_left -= size[0] * size[1]
        if self._pixels_left < 0:
            self.note("frames: it can be read in more ways than can be looked at")
        return self._pixels_left >= 0
