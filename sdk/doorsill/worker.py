"""Decode workers, seen from the host: a pool of caged processes, deadlines, kills, respawns."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from doorsill import wire
from doorsill.errors import DoorsillError, IsolationError
from doorsill.reading import Patience, TimeUp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorsill.limits import Limits
    from doorsill.reading import Reading

_PIPE_BYTES = 1 << 20  # what Linux lets anyone ask for; a whole photo goes in few steps
_START_SECONDS = 30.0  # a start takes 0.2 s; a phone under load may need many times that
_IDLE_SECONDS = 10.0  # how long more workers than one are kept without work
_TRIES = 4  # workers that may turn out to be dead before they had the picture
_DEATH_SECONDS = 0.1  # how long after its pipes a process ends, at most
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DOORSILL_KERNEL")

# The folders come last, so they only help where the host was told of them otherwise than by its
# installation, such as by PYTHONPATH, which -I ignores.
_BOOT = "import sys; sys.path += sys.argv[1:]; from doorsill.caged import main; main()"

_GROW, _CLOSE = "grow", "close"  # what the keeper is told


class _Died(Exception):  # noqa: N818 - not an error: it ends as UNREADABLE
    """The worker is gone, or talks nonsense; `early` if it had not the whole picture yet."""

    def __init__(self, *, early: bool = False) -> None:
        super().__init__()
        self.early = early


def usual_command() -> list[str]:
    """Return the command line of a worker where the host runs in a plain Python."""
    folders = [path for path in sys.path if os.path.isdir(path) and os.path.isabs(path)]  # noqa: PTH112, PTH117
    return [sys.executable, "-I", "-B", "-c", _BOOT, *folders]


class Worker:
    """One caged process. Used by one thread at a time."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        """Start the process; `await_ready` tells when it can work."""
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # One arena: each further one takes 64 MB out of the address space that a picture may use.
        environment["MALLOC_ARENA_MAX"] = "1"
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, or what the host named
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd="/", env=environment,
        )  # fmt: skip
        self._to = _impatient(self.process.stdin)
        self._from = _impatient(self.process.stdout)
        self.idle_since = 0.0
        self._widen()
        self._limits = limits

    def _widen(self) -> None:
        import fcntl  # noqa: PLC0415 - exists on Unix only

        with suppress(OSError):  # the user has too many pipes: a picture then goes in more steps
            fcntl.fcntl(self._to, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def await_ready(self) -> None:
        """Wait until it has proven its cage.

        Raises:
            IsolationError: It has none, or did not start.
        """
        patience = Patience(_START_SECONDS)
        try:
            self._send(wire.pack_limits(self._limits), patience)
            trouble = wire.unpack_ready(lambda size: self._take(size, patience))
        except (_Died, wire.Nonsense, TimeUp) as error:
            how = "did not start in time" if isinstance(error, TimeUp) else "ended as it started"
            trouble = f"the decode worker {how}"
        if trouble:
            raise IsolationError(f'{trouble}. Pass isolation="inline" to decode in your own '
                                 "process, or hand over decoded pixels")  # fmt: skip

    def ask(
        self, data: bytes, reading: Reading, patience: Patience, meanwhile: Callable[[], None]
    ) -> bool:
        """Have a picture decoded; *meanwhile* is called while it is. Tell if the worker retires."""
        left = patience.left
        milliseconds = 0 if left is None else max(1, int(1000 * left))
        try:
            self._send(wire.REQUEST.pack(len(data), milliseconds), patience)
            self._send(data, patience)
            meanwhile()
            taken = self._take(len(wire.TAKEN), patience)
        except _Died:
            raise _Died(early=True) from None
        try:
            if taken != wire.TAKEN:
                raise wire.Nonsense  # noqa: TRY301 - one place says what follows from it
            return wire.unpack_answer(lambda size: self._take(size, patience), reading)
        except wire.Nonsense:
            raise _Died from None

    def _send(self, data: bytes, patience: Patience) -> None:
        rest = memoryview(data)
        while rest:
            try:
                sent = self._to.write(rest)
            except OSError:
                raise _Died from None
            if sent is None:
                self._wait(self._to, select.POLLOUT, patience)
            else:
                rest = rest[sent:]

    def _take(self, size: int, patience: Patience) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            try:
                piece = self._from.read(size - len(taken))
            except OSError:
                raise _Died from None
            if piece == b"":
                raise _Died
            if piece is None:
                self._wait(self._from, select.POLLIN, patience)
            else:
                taken += piece
        return bytes(taken)

    def _wait(self, pipe: Any, event: int, patience: Patience) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        while True:
            pause = patience.pause()
            if poll.poll(None if pause is None else 1000 * pause):
                return

    @property
    def alive(self) -> bool:
        """Whether it still runs, as far as can be told."""
        return self.process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether somebody else has just ended it by SIGKILL."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(_DEATH_SECONDS) == -signal.SIGKILL
        return False

    def kill(self) -> None:
        """End the process at once, for it has nothing to tidy up; its pipes stay open."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Let go of the pipes."""
        self._to.close()
        self._from.close()

    def disown(self) -> None:
        """Forget it in a forked process: it is the other process's worker."""
        self.process.returncode = 0
        self.close()


def _impatient(pipe: Any) -> Any:
    """Return a pipe that says None rather than wait."""
    os.set_blocking(pipe.fileno(), False)
    return pipe


class Pool:
    """Workers of one Gate: none at first, one with the first picture, more under load.

    A keeper thread starts and retires them. It has to be one thread that lives as long as
    they shall: the kernel kills a worker once the *thread* that started it has ended, which is
    how none outlives its host.
    """

    def __init__(self, limits: Limits, command: Sequence[str] | None = None) -> None:
        """Prepare; the first picture starts the first worker."""
        self._limits = limits
        self._command = list(command) if command is not None else usual_command()
        self._most = len(os.sched_getaffinity(0))
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
        self._failures = 0
        self._trouble: IsolationError | None = None

    def decode(
        self, patience: Patience, data: bytes, reading: Reading, meanwhile: Callable[[], None]
    ) -> None:
        """Add what a picture gives to a reading; *meanwhile* is called while that is done.

        It is called again where the picture had to be given to another worker.

        Raises:
            IsolationError: There is no cage to decode in.
            TimeUp: It was not decoded in time.
            Cancelled: The host no longer wants to know.
            DoorsillError: The pool was closed.
        """
        for _ in range(_TRIES):
            worker = self._borrow(patience)
            try:
                retires = worker.ask(
                    data, reading, patience.within(self._limits.seconds), meanwhile
                )
            except _Died as death:
                self._bury(worker)
                if death.early:
                    continue  # it died before it had the picture, which is not the picture's fault
                break
            except BaseException:
                self._bury(worker)
                raise
            if retires:
                self._bury(worker)
            else:
                self._give_back(worker)
            return
        if self._closed:
            raise DoorsillError("the gate was closed while a picture was being screened")
        reading.unread.append("crash: the decoder died on it")

    def _borrow(self, patience: Patience) -> Worker:
        with self._changed:
            self._waiting += 1
            failures = self._failures
            if not self._idle:
                self._call_keeper()
            try:
                while True:
                    self._look(failures)
                    if not self._idle:
                        self._changed.wait(patience.pause())
                    elif (worker := self._idle.pop()).alive:
                        return worker
                    else:
                        self._bury(worker)
            finally:
                self._waiting -= 1
                if self._idle:
                    self._changed.notify()  # whoever gave up may have taken another's turn

    def _look(self, failures: int) -> None:
        """Raise if there is nothing to wait for."""
        if self._closed:
            raise DoorsillError("the gate is closed")
        if self._failures != failures and not self._all and self._trouble is not None:
            raise IsolationError(str(self._trouble))

    def _give_back(self, worker: Worker) -> None:
        if self._closed:
            self._bury(worker)
            return
        with self._changed:
            worker.idle_since = time.monotonic()
            self._idle.append(worker)
            self._changed.notify()

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
            self._keeper = threading.Thread(target=self._keep, name="doorsill-keeper", daemon=True)
            self._keeper.start()
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
            if self._is_short():
                self._start()

    def _is_short(self) -> bool:
        with self._changed:
            return self._waiting > len(self._idle) and len(self._all) < self._most

    def _start(self) -> None:
        """Start a worker; one that is killed as it starts, by a lack of memory say, anew."""
        late = time.monotonic() + _START_SECONDS
        while True:
            worker = None
            try:
                worker = Worker(self._command, self._limits)
                worker.await_ready()
            except (IsolationError, OSError) as error:
                why = error if isinstance(error, IsolationError) else _not_started(error)
                again = worker is not None and worker.was_killed and time.monotonic() < late
                if worker is not None:
                    self._bury(worker)
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


def _not_started(error: OSError) -> IsolationError:
    return IsolationError(f"the decode worker could not be started: {error}. Give the Gate its "
                          'worker_command, or pass isolation="inline"')  # fmt: skip


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _forget_all() -> None:
    for pool in _pools:
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
