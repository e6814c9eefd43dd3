"""The decode workers of one Gate: more under load, fewer when idle, another for each that ends."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError, IsolationError
from doorsill.limits import cores
from doorsill.worker import START_SECONDS, Died, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorsill.limits import Limits
    from doorsill.listset import ListSet
    from doorsill.patience import Patience
    from doorsill.reading import Reading

_IDLE_SECONDS = 10.0  # how long more workers than one are kept without work
_TRIES = 4  # workers that may turn out to be dead before they had the picture

# The folders come last, so they only help where the host was told of them otherwise than by its
# installation, such as by PYTHONPATH, which -I ignores.
_BOOT = "import sys; sys.path += sys.argv[1:]; from doorsill.caged import main; main()"

# What the keeper is told: start one if it is short, also one that has seen nothing, end.
_GROW, _SPARE, _CLOSE = "grow", "spare", "close"


def usual_command() -> list[str]:
    """Return the command line of a worker where the host runs in a plain Python."""
    folders = [path for path in sys.path if os.path.isdir(path) and os.path.isabs(path)]  # noqa: PTH112, PTH117
    return [sys.executable, "-I", "-B", "-c", _BOOT, *folders]


class Pool:
    """Workers of one Gate: none at first, one with the first picture, more under load.

    A keeper thread starts and retires them. It has to be one thread that lives as long as
    they shall: the kernel kills a worker once the *thread* that started it has ended, which is
    how none outlives its host.
    """

    def __init__(
        self,
        limits: Limits,
        listed: ListSet,
        command: Sequence[str] | None = None,
    ) -> None:
        """Prepare; the first picture starts the first worker."""
        self.listed = listed
        """What pictures are hashed for. Workers that have other models serve no more picture."""
        self._limits = limits
        self._command = list(command) if command is not None else usual_command()
        self._most = cores()
        self._closed = False
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._inbox: SimpleQueue[str] = SimpleQueue()
        self._keeper: threading.Thread | None = None
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._waiting = 0
        self._waiting_fresh = 0
        self._failures = 0
        self._trouble: IsolationError | None = None

    def decode(
        self,
        patience: Patience,
        data: bytes,
        reading: Reading,
        meanwhile: Callable[[], None],
        *,
        canonical: bool = False,
    ) -> None:
        """Add what a picture gives to a reading; *meanwhile* is called while that is done.

        It is called again where the picture had to be given to another worker. `Reading.listed`
        becomes what it was hashed for: the lists of when a worker took it. A canonical picture
        comes from a worker that has seen no other, and sees none after it: one that a picture took
        over could put an earlier one into it.

        Raises:
            IsolationError: There is no cage to decode in.
            TimeUp: It was not decoded in time.
            Cancelled: The host no longer wants to know.
            DoorsillError: The pool was closed.
        """
        for _ in range(_TRIES):
            worker, reading.listed = self._borrow(patience, fresh=canonical)
            within, margins = patience.within(self._limits.seconds), reading.listed.has_sealed
            try:
                retires = worker.ask(
                    data, reading, within, meanwhile, canonical=canonical, margins=margins
                )
            except Died as death:
                self._bury(worker)
                if death.early:
                    continue  # it died before it had the picture, which is not the picture's fault
                break
            except BaseException:
                self._bury(worker)
                raise
            if canonical:
                self._bury(worker)
                self._inbox.put(_SPARE)
            elif retires:
                self._bury(worker)
            else:
                self._give_back(worker)
            return
        if self._closed:
            raise DoorsillError("the gate was closed while a picture was being screened")
        if not reading.digests:
            meanwhile()  # it died before they were made
        reading.unread.append("crash: the decoder died on it")

    def _borrow(self, patience: Patience, *, fresh: bool) -> tuple[Worker, ListSet]:
        with self._changed:
            self._waiting += 1
            self._waiting_fresh += fresh
            failures = self._failures
            try:
                if self._fresh() < self._waiting_fresh or not self._idle:
                    self._call_keeper()
                while True:
                    self._look(failures, fresh=fresh)
                    listed = self.listed
                    if (worker := self._pick(listed, fresh=fresh)) is not None:
                        return worker, listed
                    self._changed.wait(patience.pause())
            finally:
                self._waiting -= 1
                self._waiting_fresh -= fresh
                if self._idle:
                    self._changed.notify_all()  # whoever gave up may have taken another's turn

    def _pick(self, listed: ListSet, *, fresh: bool) -> Worker | None:
        """Return an idle worker for these lists, the one used last if any will do, or None."""
        for worker in sorted(self._idle, key=lambda each: (each.fresh, -each.idle_since)):
            if fresh and not worker.fresh:
                continue
            self._idle.remove(worker)
            if worker.alive and worker.models is listed.models:
                return worker
            self._bury(worker)
        if fresh and self._idle and len(self._all) >= self._most:
            self._bury(self._idle.pop(0))  # to make room
        return None

    def _fresh(self) -> int:
        return sum(worker.fresh for worker in self._idle)

    def _look(self, failures: int, *, fresh: bool) -> None:
        """Raise if there is nothing to wait for: none started, and no other will do later."""
        if self._closed:
            raise DoorsillError("the gate is closed")
        will_do = any(worker.fresh or not fresh for worker in self._all)
        if self._failures != failures and not will_do and self._trouble is not None:
            raise IsolationError(str(self._trouble))

    def _give_back(self, worker: Worker) -> None:
        if self._closed:
            self._bury(worker)
            return
        with self._changed:
            worker.idle_since = time.monotonic()
            self._idle.append(worker)
            self._changed.notify_all()

    def _bury(self, worker: Worker) -> None:
        """End a worker; the keeper may start another in its place."""
        worker.kill()
        worker.close()
        with self._changed:
            self._all.discard(worker)
        self._inbox.put(_GROW)

    # ---- the keeper's side

    def _call_keeper(self) -> None:
        if self._keeper is None and not self._closed:
            keeper = threading.Thread(target=self._keep, name="doorsill-keeper", daemon=True)
            try:
                keeper.start()
            except RuntimeError as error:  # the system has no thread left
                raise _not_started(error) from None
            self._keeper = keeper
        self._inbox.put(_GROW)

    def _keep(self) -> None:
        """Do what the inbox says until it says to close."""
        while True:
            try:
                said = self._inbox.get(timeout=_IDLE_SECONDS if len(self._all) > 1 else None)
            except Empty:
                self._thin_out()
                continue
            if said == _CLOSE:
                self._end()
                return
            if self._is_short(1 if said == _SPARE else 0):
                self._start()

    def _is_short(self, spare: int) -> bool:
        """Tell whether one more is wanted, where *spare* shall be ready that saw nothing yet."""
        with self._changed:
            wanted = self._waiting > len(self._idle)
            fresh_wanted = max(self._waiting_fresh, spare) > self._fresh()
            return (wanted or fresh_wanted) and len(self._all) < self._most

    def _start(self) -> None:
        """Start a worker; one that is killed as it starts, by a lack of memory say, anew."""
        late = time.monotonic() + START_SECONDS
        while True:
            worker = None
            try:
                worker = Worker(self._command, self._limits, self.listed.models)
                worker.await_ready()
            except Exception as error:  # noqa: BLE001 - one that ended the keeper would end all
                why = error if isinstance(error, IsolationError) else _not_started(error)
                again = worker is not None and worker.was_killed and time.monotonic() < late
                if worker is not None:
                    self._bury(worker)
                if not again and self._do_without(worker):
                    continue
                if not again or self._closed:
                    break
            else:
                with self._changed:
                    self._all.add(worker)
                self._give_back(worker)
                return
        with self._changed:
            self._failures += 1
            self._trouble = why
            self._changed.notify_all()

    @staticmethod
    def _do_without(worker: Worker | None) -> bool:
        """Give up the models that a worker could not start with, if it had some."""
        if worker is None or worker.models is None or not worker.models.files:
            return False
        worker.models.give_up("a decode worker did not start with it; see `doorsill doctor`")
        return True

    def _thin_out(self) -> None:
        """End workers that had nothing to do for a while, all but one."""
        with self._changed:
            late = time.monotonic() - _IDLE_SECONDS
            old = [worker for worker in self._idle if worker.idle_since < late]
            surplus = old[: len(self._all) - 1]
            for worker in surplus:
                self._idle.remove(worker)
        for worker in surplus:
            self._bury(worker)

    def _end(self) -> None:
        with self._changed:
            idle, everyone = self._idle, set(self._all)
            self._idle = []
            self._changed.notify_all()
        for worker in everyone:
            worker.kill()
        for worker in idle:
            self._bury(worker)

    def abandon(self) -> None:
        """Close without waiting: safe wherever an object may be collected."""
        self._closed = True
        self._inbox.put(_CLOSE)

    def close(self) -> None:
        """End all workers; pictures being screened get no verdict."""
        self.abandon()
        if self._keeper is not None:
            self._keeper.join()

    def forget(self) -> None:
        """Begin anew in a forked process, which has neither the keeper nor the workers."""
        for worker in self._all:
            worker.disown()
        self._reset()


def _not_started(error: Exception) -> IsolationError:
    kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
    return IsolationError(f"the decode worker could not be started: {kind}{error}. Give the Gate "
                          'its worker_command, or pass isolation="inline"')  # fmt: skip


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _forget_all() -> None:
    for pool in _pools:
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
