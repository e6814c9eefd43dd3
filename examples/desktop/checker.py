"""The gate, off the window's thread: everything that takes time, with signals for what happens.

One thread runs an asyncio loop; the gate's decode worker is a caged process. A message is a task,
so that cancelling it cancels its screening, and the answer to a warning is a future in it.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from doorsill import DoorsillError, Gate

sys.path.append(str(Path(__file__).parents[1]))

from attachments import Attachment, Preview, TooLarge, load, one_line, preview_of
from hook import Hook, Refused
from peer import Offline

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from peer import Peer, Received

    from doorsill import Verdict

_CLOSE_SECONDS = 5
_SWITCH_SECONDS = 0.001  # Python lets a thread wait for 5 ms, a third of what a frame may take


class Step(Enum):
    """How far a picture got. Those from SENT on are the end."""

    CHECKING = 1
    ASKING = 2
    SENDING = 3
    SENT = 4
    BLOCKED = 5
    DECLINED = 6
    CANCELLED = 7
    FAILED = 8
    NO_CHECK = 9

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.value >= Step.SENT.value


@dataclass(frozen=True)
class State:
    """What a picture's bubble shows.

    Attributes:
        step: How far it got.
        verdict: On it; None before there is one.
        trouble: What went wrong, for whoever asks; in English, from the library or the server.
    """

    step: Step
    verdict: Verdict | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Arrival:
    """A message from the other side, ready to be shown."""

    text: str
    name: str
    size: int
    preview: Preview | None


class _Job:
    """One picture on its way."""

    def __init__(self, number: int, tell: Callable[[int, State], None]) -> None:
        self._number, self._tell = number, tell
        self.state = State(Step.CHECKING)
        self.answer: asyncio.Future[bool] | None = None

    def move(self, step: Step, **news: Any) -> None:
        self.state = replace(self.state, step=step, **news)
        self._tell(self._number, self.state)


_job: ContextVar[_Job] = ContextVar("job")  # a task has its own


class _TellingHook(Hook):
    """The hook that all Python embeddings share; it also moves the picture's bubble on."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate, self._ask)

    async def check(
        self, snapshot: IO[bytes], source: Any = None, agreed: set[str] | None = None
    ) -> Verdict:
        verdict = await super().check(snapshot, source, agreed)
        _job.get().move(Step.SENDING, verdict=verdict)
        return verdict

    async def _ask(self, verdict: Verdict) -> bool:
        job = _job.get()
        job.answer = asyncio.get_running_loop().create_future()
        job.move(Step.ASKING, verdict=verdict)
        return await job.answer


class Checker(QObject):
    """What the window tells, and hears from. Its methods return at once."""

    protected = Signal()
    """The test card was stopped: pictures are checked."""
    unprotected = Signal(str)
    """It was not, and why; nothing is claimed, and no pictures are sent."""
    joined = Signal()
    """The other is there."""
    offline = Signal(str)
    """There is no connection, and why."""
    loaded = Signal(object)
    """An Attachment."""
    unloadable = Signal(str, bool)
    """A name, and whether it is too large; else it cannot be read."""
    moved = Signal(int, object)
    """An attachment's number, and its State."""
    arrived = Signal(object)
    """An Arrival."""

    def __init__(self, make_gate: Callable[[], Gate], make_peer: Callable[[], Peer]) -> None:
        """Prepare; both are called in the thread.

        Args:
            make_gate: Opens the lists; what it raises is why there is no protection.
            make_peer: Gives the other side.
        """
        super().__init__()
        self.gate: Gate | None = None
        self.hook: Hook | None = None
        self._make_gate, self._make_peer = make_gate, make_peer
        self._peer: Peer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="checker", daemon=True)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._jobs: dict[int, _Job] = {}
        self._opened: asyncio.Task[None] | None = None
        self._showing: set[asyncio.Task[None]] = set()

    # ---- from the window's thread

    def start(self) -> None:
        """Start the thread, test the gate and connect."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Test the gate and connect, where that has not been done."""
        self._do(self._open())

    def load(self, source: Any, name: str) -> None:
        """Take a snapshot of what the person adds; see `attachments.load`."""
        self._do(self._load(source, name))

    def send(self, attachment: Attachment) -> None:
        """Screen and send."""
        self._do(self._begin(attachment))

    def say(self, number: int, text: str) -> None:
        """Send a text."""
        self._do(self._say(number, text))

    def cancel(self, number: int) -> None:
        """Stop screening or sending; what was sent already stays sent."""
        self._do(self._cancel(number))  # behind the `_begin` that it is about

    def answer(self, number: int, send: bool) -> None:  # noqa: FBT001 - the answer itself
        """Say what the person chose when asked."""
        self._loop.call_soon_threadsafe(self._answer, number, send)

    def close(self) -> None:
        """Cancel what is under way, disconnect, and end the thread and the decode workers."""
        if not self._thread.is_alive():
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    # ---- in the thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    async def _open(self) -> None:
        if self._opened is not None and not self._opened.done():
            return
        self._opened = asyncio.create_task(self._test_and_connect())
        await self._opened

    async def _test_and_connect(self) -> None:
        if self.hook is None:
            try:
                if self.gate is None:
                    self.gate = await asyncio.to_thread(self._make_gate)
                self.hook = await asyncio.to_thread(_TellingHook, self.gate)
                self.protected.emit()
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be claimed
                self.unprotected.emit(one_line(str(error), 400))
        if self._peer is None:
            peer = self._make_peer()
            peer.hook = self.hook
            try:
                await peer.open(self._receive, self.joined.emit)
                self._peer = peer
            except Exception as error:  # noqa: BLE001 - whatever a server or its library does
                await peer.leave()
                self.offline.emit(_told(error))
        else:
            self._peer.hook = self.hook

    async def _load(self, source: Any, name: str) -> None:
        try:
            self.loaded.emit(await asyncio.to_thread(load, source, name))
        except TooLarge:
            self.unloadable.emit(one_line(name), True)
        except OSError:
            self.unloadable.emit(one_line(name), False)

    async def _begin(self, attachment: Attachment) -> None:
        number = attachment.number
        self._jobs[number] = _Job(number, self.moved.emit)
        self._tasks[number] = asyncio.create_task(self._send(attachment, self._jobs[number]))
        try:
            await self._tasks[number]
        except asyncio.CancelledError:  # before it had begun
            self._jobs[number].move(Step.CANCELLED)
        finally:
            del self._tasks[number], self._jobs[number]

    async def _send(self, attachment: Attachment, job: _Job) -> None:
        _job.set(job)
        job.move(Step.CHECKING)
        try:
            if self._opened is not None:
                await asyncio.shield(self._opened)
            if self._peer is None or self.hook is None:
                job.move(Step.NO_CHECK if self.hook is None else Step.FAILED)
                return
            await self._peer.give(attachment)
        except Refused as refused:
            asked = job.answer is not None
            job.move(Step.DECLINED if asked else Step.BLOCKED, verdict=refused.verdict)
        except asyncio.CancelledError:
            job.move(Step.CANCELLED)
        except Exception as error:  # noqa: BLE001 - nothing may be lost without a word
            step = Step.NO_CHECK if isinstance(error, DoorsillError) else Step.FAILED
            job.move(step, trouble=_told(error))
        else:
            job.move(Step.SENT)

    async def _say(self, number: int, text: str) -> None:
        state = State(Step.SENT)
        try:
            if self._opened is not None:
                await asyncio.shield(self._opened)
            if self._peer is None:
                raise Offline("not connected")  # noqa: TRY301 - one place says what follows
            await self._peer.say(text)
        except Exception as error:  # noqa: BLE001 - as above
            state = State(Step.FAILED, trouble=_told(error))
        self.moved.emit(number, state)

    async def _cancel(self, number: int) -> None:
        if number in self._tasks:
            self._tasks[number].cancel()

    def _answer(self, number: int, send: bool) -> None:  # noqa: FBT001 - as above
        job = self._jobs.get(number)
        if job is not None and job.answer is not None and not job.answer.done():
            job.answer.set_result(send)

    def _receive(self, received: Received) -> None:
        showing = self._loop.create_task(self._show(received))
        self._showing.add(showing)  # or it might be collected
        showing.add_done_callback(self._showing.discard)

    async def _show(self, received: Received) -> None:
        preview = None
        if received.data:
            data: bytes | None = received.data
            if self._peer is not None and self._peer.name and self.gate is not None:
                # A stranger's file: the caged worker decodes it and gives a picture made anew.
                read = await asyncio.to_thread(self.gate.read, data, canonical=True)
                data = read.canonical
            if data is not None:
                preview = await asyncio.to_thread(preview_of, data)
        size = len(received.data)
        self.arrived.emit(Arrival(received.text, one_line(received.name), size, preview))

    async def _close(self) -> None:
        tasks = [*self._tasks.values(), *self._showing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._peer is not None:
            await self._peer.close()
        if self.gate is not None:
            await asyncio.to_thread(self.gate.close)


def _told(error: Exception) -> str:
    """Return an error for whoever wants to know more."""
    return one_line(f"{type(error).__name__}: {error}", 400)
