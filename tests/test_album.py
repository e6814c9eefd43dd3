"""`screen_many`: an album on all cores, in order, in bounded memory, and soon ended."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from doorsill import Cancelled, Gate, Outcome, Verdict, album
from drawn import decoy, saved
from workers import DATA, LISTED, SCENE, acting, needs_cage, opened, peak, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = saved(decoy(SCENE.size), "PNG")


@needs_cage
def test_in_order(warm_gate: Gate) -> None:
    """Each picture gets its verdict, in the order of the pictures."""
    pictures = [DATA, OTHER, b"a text", OTHER, DATA] * 6
    wanted = [warm_gate.screen(picture).outcome for picture in pictures[:5]] * 6
    assert [each.outcome for each in warm_gate.screen_many(pictures)] == wanted


def test_empty() -> None:
    """An album of nothing has no verdict."""
    with Gate(LISTED, isolation="inline") as gate:
        assert list(gate.screen_many([])) == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a generator no more is taken than is being read and one that waits."""
    monkeypatch.setattr(album, "cores", lambda: 3)
    taken = 0

    def pictures() -> Iterator[bytes]:
        nonlocal taken
        for taken in range(1, 41):  # noqa: B007 - asked below
            yield OTHER

    with Gate(LISTED, isolation="inline") as gate:
        for number, verdict in enumerate(gate.screen_many(pictures()), 1):
            assert verdict.outcome == Outcome.CLEAR
            assert taken - number <= 4


def test_no_item_before_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the first is worked on no more are taken than one a core, and one."""
    monkeypatch.setattr(album, "cores", lambda: 3)
    taken, done, ahead = 0, [], []

    def items() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 21):
            ahead.append(taken - len(done))
            yield taken

    def work(item: int, _stop: object) -> int:
        time.sleep(0.02)
        done.append(item)
        return item

    assert list(album.in_order(work, items())) == list(range(1, 21))
    assert max(ahead) <= 4


def test_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are screened at the same time as there are cores."""
    monkeypatch.setattr(album, "cores", lambda: 4)
    meeting = threading.Barrier(4, timeout=10)

    def screen(picture: bytes, _stop: object) -> Verdict:
        meeting.wait()
        return gate.screen(picture)

    with Gate(LISTED, isolation="inline") as gate:
        assert len(list(album.in_order(screen, [OTHER] * 8))) == 8


def resident(pid: int) -> int:
    """Return what a process has in memory, in KiB."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


@needs_cage
def test_a_worker_gives_memory_back() -> None:
    """Of a large picture a worker keeps less than the photo of 12 megapixels that it may keep."""
    large = saved(Image.new("RGB", (8000, 6000), (9, 99, 199)), "JPEG")
    with opened() as gate:
        gate.screen(large)
        (worker,) = workers(gate)
        assert peak(worker) > 180 << 20
        until = time.monotonic() + 10  # it answers first, and tidies up then
        while (held := resident(worker)) >= 130 << 10 and time.monotonic() < until:
            time.sleep(0.02)
        assert held < 130 << 10


@needs_cage
def test_cancel() -> None:
    """A cancelled album ends at once, and so do the workers that were busy with it."""
    cancel = threading.Event()
    with opened(worker_command=acting("time.sleep(60)")) as gate:
        threading.Timer(0.5, cancel.set).start()
        start = time.monotonic()
        with pytest.raises(Cancelled):
            list(gate.screen_many([DATA] * 10, cancel=cancel, deadline=60))
        assert time.monotonic() - start < 5
        assert workers(gate) == []


@needs_cage
def test_leaving_the_loop() -> None:
    """A host that stops asking waits for nothing."""
    answers = "sink.write(wire.pack_answer(wire.Reading(), retires=False))"
    slow = f"time.sleep(60 if data == b'slow' else 0); {answers}"
    with opened(worker_command=acting(slow)) as gate:
        start = time.monotonic()
        pictures = [b"quick", b"slow", b"slow", b"slow"]
        verdicts = gate.screen_many(pictures, deadline=60, cancel=threading.Event())
        assert next(verdicts).outcome == Outcome.UNHASHABLE
        verdicts.close()  # type: ignore[attr-defined]
        assert time.monotonic() - start < 5


def test_what_cannot_be_screened_raises_in_its_turn() -> None:
    """A wrong type raises where it stands, after the verdicts before it."""
    with Gate(LISTED, isolation="inline") as gate:
        verdicts = gate.screen_many([DATA, 7, DATA])
        assert next(verdicts).outcome == Outcome.MATCH
        with pytest.raises(TypeError):
            next(verdicts)
