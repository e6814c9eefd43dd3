"""`Patience`: how long one screening may take, and whether the host still wants it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doorsill.errors import Cancelled

if TYPE_CHECKING:
    import threading

_MOST_SECONDS = 1e9  # 30 years; infinity among what is cut to it
_PAUSE_SECONDS = 3600.0  # what any system can be told to wait
_CANCEL_SECONDS = 0.02  # how late a cancel may be noticed while waiting for another process


class TimeUp(Exception):  # noqa: N818 - not an error: it ends as UNREADABLE('time')
    """The deadline passed between two views."""


class Patience:
    """How long one screening may take, and whether the host still wants it."""

    def __init__(self, seconds: float | None, cancel: threading.Event | None = None) -> None:
        """Begin to wait now: for so many seconds, for ever if None."""
        if seconds is not None and not seconds >= 0:  # NaN among what is refused
            raise ValueError(f"{seconds} seconds are no deadline; pass 0 or more, or None")
        self._end = None if seconds is None else time.monotonic() + min(seconds, _MOST_SECONDS)
        self._cancel = cancel

    def within(self, seconds: float | None) -> Patience:
        """Return it with an end in so many seconds, if it had none."""
        return self if self._end is not None else Patience(seconds, self._cancel)

    @property
    def left(self) -> float | None:
        """Seconds left, None if there is no end."""
        return None if self._end is None else self._end - time.monotonic()

    def check(self) -> None:
        """Raise `Cancelled` or `TimeUp` once it is so."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("the screening was cancelled; the picture has no verdict")
        if self._end is not None and time.monotonic() >= self._end:
            raise TimeUp

    def pause(self) -> float:
        """Return how many seconds may be waited until the next check."""
        self.check()
        left = self.left
        most = _PAUSE_SECONDS if self._cancel is None else _CANCEL_SECONDS
        return most if left is None else min(left, most)
