"""A decode worker, seen from the host: one caged process, asked about one picture at a time."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from doorsill import wire
from doorsill.errors import IsolationError
from doorsill.patience import Patience, TimeUp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorsill.limits import Limits
    from doorsill.models import Models
    from doorsill.reading import Reading

_PIPE_BYTES = 1 << 20  # what Linux lets anyone ask for; a whole photo goes in few steps
START_SECONDS = 30.0  # a start takes 0.2 s; a phone under load may need many times that
_DEATH_SECONDS = 0.1  # how long after its pipes a process ends, at most
# How glibc gives a worker memory; elsewhere nobody reads this. One arena: each further one takes
# 64 MB out of the address space that a picture may use. And what a 12-megapixel photo took is kept
# for the next one, in huge pages: to fault it in again is a third of the time of a JPEG. No cache
# of small pieces: one of them behind a large picture would keep all of it from going back.
_KEPT_BYTES = 64 << 20
_ALLOCATION = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(_KEPT_BYTES),
    "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BYTES // 2),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0",
}
# Of libraries that a model needs: the cage holds a process of one thread, which sends nothing.
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DOORSILL_KERNEL")


class Died(Exception):  # noqa: N818 - not an error: it ends as UNREADABLE
    """The worker is gone, or talks nonsense; `early` if it had not the whole picture yet."""

    def __init__(self, *, early: bool = False) -> None:
        """Say when."""
        super().__init__()
        self.early = early


class Worker:
    """One caged process. Used by one thread at a time."""

    def __init__(
        self, command: Sequence[str], limits: Limits, models: Models | None = None
    ) -> None:
        """Start the process; `await_ready` tells when it can work."""
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= _ALLOCATION | _NO_THREADS
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, or what the host named
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd="/", env=environment,
        )  # fmt: skip
        self._to = _impatient(self.process.stdin)
        self._from = _impatient(self.process.stdout)
        self.idle_since = 0.0
        self.fresh = True  # it has seen no picture yet
        self._widen()
        self._limits = limits
        self.models = models
        self._files = models.files if models is not None else ()

    def _widen(self) -> None:
        import fcntl  # noqa: PLC0415 - exists on Unix only

        with suppress(OSError):  # the user has too many pipes: a picture then goes in more steps
            fcntl.fcntl(self._to, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def await_ready(self) -> None:
        """Wait until it has proven its cage.

        Raises:
            IsolationError: It has none, or did not start.
        """
        patience = Patience(START_SECONDS)
        try:
            self._send(wire.pack_start(self._limits, self._files), patience)
            trouble, lacking = wire.unpack_ready(
                lambda size: self._take(size, patience), len(self._files)
            )
        except (Died, wire.Nonsense, TimeUp) as error:
            how = "did not start in time" if isinstance(error, TimeUp) else "ended as it started"
            trouble, lacking = f"the decode worker {how}", []
        if trouble:
            raise IsolationError(f'{trouble}. Pass isolation="inline" to decode in your own '
                                 "process, or hand over decoded pixels")  # fmt: skip
        for file, why in zip(self._files, lacking, strict=True):
            if why and self.models is not None:
                self.models.lacking[file.digest] = why

    def ask(  # noqa: PLR0913 - what a Gate can want of one picture
        self,
        data: bytes,
        reading: Reading,
        patience: Patience,
        meanwhile: Callable[[], None],
        *,
        canonical: bool,
        margins: bool = False,
    ) -> bool:
        """Have a picture decoded; *meanwhile* is called while it is. Tell if the worker retires."""
        self.fresh = False
        left = patience.left
        milliseconds = 0 if left is None else max(1, int(1000 * left))
        try:
            wanted = wire.CANONICAL * canonical | wire.MARGINS * margins
            self._send(wire.REQUEST.pack(len(data), milliseconds, wanted), patience)
            self._send(data, patience)
            meanwhile()
            taken = self._take(len(wire.TAKEN), patience)
        except Died:
            raise Died(early=True) from None
        try:
            if taken != wire.TAKEN:
                raise wire.Nonsense  # noqa: TRY301 - one place says what follows from it
            most = self._limits.bytes if canonical else 0
            return wire.unpack_answer(
                lambda size: self._take(size, patience),
                reading,
                most,
                self._files,
                margins=margins,
            )
        except wire.Nonsense:
            raise Died from None

    def _send(self, data: bytes, patience: Patience) -> None:
        rest = memoryview(data)
        while rest:
            try:
                sent = self._to.write(rest)
            except OSError:
                raise Died from None
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
                raise Died from None
            if piece == b"":
                raise Died
            if piece is None:
                self._wait(self._from, select.POLLIN, patience)
            else:
                taken += piece
        return bytes(taken)

    def _wait(self, pipe: Any, event: int, patience: Patience) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        while True:
            if poll.poll(1000 * patience.pause()):
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
