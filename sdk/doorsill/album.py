"""Many pictures at once, on all cores: an album through one gate, originals into rows."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from doorsill.limits import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 1  # items waiting beside those being worked on, so that no core waits for the host


def in_order(
    work: Callable[[Item, threading.Event], Result],
    items: Iterable[Item],
    cancel: threading.Event | None = None,
) -> Iterator[Result]:
    """Yield what *work* makes of each item, in their order; a few are under way at a time.

    Only those, and the results that wait for their turn, are held: one item a core, and one. *work*
    gets an event with its item, set once the host cancels or asks for no more.
    """
    stop, rest = Stop(cancel), iter(items)
    threads = cores()
    with ThreadPoolExecutor(threads, thread_name_prefix="doorsill-album") as executor:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in islice(rest, threads + _AHEAD):
                waiting.append(executor.submit(work, item, stop))
            while waiting:
                result = waiting.popleft().result()
                for item in islice(rest, 1):  # before the host has its turn, which may be long
                    waiting.append(executor.submit(work, item, stop))
                yield result
        finally:
            for each in waiting:  # the host has had enough, or an item raised
                each.cancel()
            stop.set()


class Stop(threading.Event):
    """Set by the host's own event, and once the host asks for no more."""

    def __init__(self, cancel: threading.Event | None) -> None:
        """Listen to the host's event, if it has one."""
        super().__init__()
        self._cancel = cancel

    def is_set(self) -> bool:
        """Return whether either is."""
        return super().is_set() or (self._cancel is not None and self._cancel.is_set())
