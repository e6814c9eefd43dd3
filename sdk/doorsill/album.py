"""Many pictures at once: an album through one gate, on all cores."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doorsill.verdict import Verdict

_AHEAD = 1  # pictures waiting beside those being read, so that no core waits for the host


def in_order(
    screen: Callable[..., Verdict],
    pictures: Iterable[Any],
    cancel: threading.Event | None,
    options: dict[str, Any],
) -> Iterator[Verdict]:
    """Yield what *screen* says of each picture, in their order; a few are under way at a time.

    Only those, and the verdicts that wait for their turn, are held: about one picture a core.
    """
    stop = _Stop(cancel)
    threads = _cores()
    with ThreadPoolExecutor(threads, thread_name_prefix="doorsill-album") as executor:
        waiting: deque[Future[Verdict]] = deque()
        try:
            for picture in pictures:
                waiting.append(executor.submit(screen, picture, cancel=stop, **options))
                if len(waiting) > threads + _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:  # the host has had enough, or a picture raised
                each.cancel()
            stop.set()


class _Stop(threading.Event):
    """Set by the host's own event, and once the host asks for no more."""

    def __init__(self, cancel: threading.Event | None) -> None:
        super().__init__()
        self._cancel = cancel

    def is_set(self) -> bool:
        return super().is_set() or (self._cancel is not None and self._cancel.is_set())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
