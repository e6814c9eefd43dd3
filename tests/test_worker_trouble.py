"""Decode workers in trouble: hangs, deaths and lies, none of which a host notices."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorsill import (
    Cancelled,
    Evidence,
    Gate,
    IsolationError,
    Limits,
    Outcome,
    pool,
    reading,
    wire,
)  # fmt: skip
from doorsill.coding import MOST_CODES, MOST_VIEWS
from doorsill.core import MAX_VIEWS, Pdq
from doorsill.neural import Config, ModelFile
from doorsill.patience import Patience
from drawn import scene
from lists import hash_list
from workers import DATA, FAKE, SCENE, acting, needs_cage, opened, workers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_cage


def test_deadline_kills() -> None:
    """A decoder that hangs is killed by the deadline; the next picture gets another worker."""
    with opened(worker_command=acting("time.sleep(60)")) as gate:
        for _ in range(2):
            start = time.monotonic()
            verdict = gate.screen(DATA, deadline=1)
            assert verdict.outcome == Outcome.UNREADABLE
            assert verdict.reason.startswith("time: ")
            assert time.monotonic() - start < 1.5


def test_limit_kills() -> None:
    """Without a deadline the limit on seconds holds."""
    with opened(worker_command=acting("time.sleep(60)"), limits=Limits(seconds=0.2)) as gate:
        assert gate.screen(DATA).reason.startswith("time: ")


def test_late_workers_say_what_they_saw(warm_gate: Gate) -> None:
    """Where time runs out between frames, the frames before are compared all the same."""
    pages = [scene((1000, 750))] * 290
    file = io.BytesIO()
    pages[0].save(file, "TIFF", compression="jpeg", save_all=True, append_images=pages[1:])
    found = warm_gate.read(file.getvalue(), deadline=0.5)
    assert found.views
    assert found.unread == ["time: the deadline passed before all of it was read"]


def test_cancel_kills() -> None:
    """A cancel is noticed while the worker hangs."""
    cancel = threading.Event()
    with opened(worker_command=acting("time.sleep(60)")) as gate:
        threading.Timer(0.5, cancel.set).start()
        start = time.monotonic()
        with pytest.raises(Cancelled):
            gate.screen(DATA, cancel=cancel)
        assert time.monotonic() - start < 1
        assert workers(gate) == []


def test_async_cancel() -> None:
    """Cancelling the asyncio task ends the worker that hangs for it."""

    async def impatient(gate: Gate) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(gate.screen_async(DATA), 0.5)

    with opened(worker_command=acting("time.sleep(60)")) as gate:
        asyncio.run(impatient(gate))
        assert workers(gate) == []


def test_deaths(warm_gate: Gate) -> None:
    """A file that kills its worker is unreadable; three in a row do not take the gate down."""
    answers = "sink.write(wire.pack_answer(wire.Reading(), retires=False))"
    deed = f'os.abort() if data == b"bomb" else {answers}'
    with opened(worker_command=acting(deed)) as fragile:
        for _ in range(4):
            verdict = fragile.screen(b"bomb")
            assert (
                verdict.outcome,
                verdict.reason,
            ) == (Outcome.UNREADABLE, "crash: the decoder died on it")
        assert fragile.screen(b"fine").outcome == Outcome.UNHASHABLE
    assert warm_gate.screen(DATA).outcome == Outcome.MATCH


def test_idle_death(warm_gate: Gate) -> None:
    """A worker that died while it was idle costs no picture its verdict."""
    for _ in range(3):
        for pid in workers(warm_gate):
            os.kill(pid, signal.SIGKILL)
        assert warm_gate.screen(DATA).outcome == Outcome.MATCH


KILLED = """
import os, signal
with open({log!r}, "a") as log: log.write("x")
if os.path.getsize({log!r}) <= {times}: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("times", [3, 10**9])
def test_killed_as_it_starts(tmp_path: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed before it is ready is started anew, for a while."""
    monkeypatch.setattr(pool, "START_SECONDS", 2)
    log = tmp_path / "starts"
    fine = acting("sink.write(wire.pack_answer(wire.Reading(), retires=False))")
    command = [*fine[:-1], KILLED.format(log=str(log), times=times) + fine[-1]]
    with opened(worker_command=command) as gate:
        if times == 3:
            assert gate.screen(DATA).outcome == Outcome.UNHASHABLE
            assert log.stat().st_size == 4
        else:
            with pytest.raises(IsolationError, match="ended as it started"):
                gate.screen(DATA)


def test_no_fresh_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that needs a new worker waits for none that cannot start; others go on."""
    monkeypatch.setattr(pool, "cores", lambda: 2)
    log = tmp_path / "starts"
    first_only = f"""
import os, sys
with open({str(log)!r}, "a") as log: log.write("x")
if os.path.getsize({str(log)!r}) > 1: sys.exit()
"""
    fine = acting("sink.write(wire.pack_answer(wire.Reading(), retires=False))")
    with opened(worker_command=[*fine[:-1], first_only + fine[-1]]) as gate:
        assert gate.screen(DATA).outcome == Outcome.UNHASHABLE
        with pytest.raises(IsolationError, match="ended as it started"):
            gate.screen(DATA, canonical=True, deadline=20)
        assert gate.screen(DATA).outcome == Outcome.UNHASHABLE


def test_interrupt(warm_gate: Gate) -> None:
    """Ctrl-C in the host's terminal is the host's to answer: workers go on."""
    warm_gate.screen(DATA)
    before = workers(warm_gate)
    for pid in before:
        os.kill(pid, signal.SIGINT)
    assert warm_gate.screen(DATA).outcome == Outcome.MATCH
    assert workers(warm_gate) == before


def test_retired_worker() -> None:
    """A worker that says that it retires is replaced, and its last answer counts."""
    deed = "sink.write(wire.pack_answer(wire.Reading(), retires=True))"
    with opened(worker_command=acting(deed)) as gate:
        assert [gate.screen(DATA).outcome for _ in range(3)] == [Outcome.UNHASHABLE] * 3


def answer(size: int, views: int, rest: str, *, is_picture: int = 1) -> str:
    """Return code that answers with a header, right or wrong, and what follows it."""
    header = wire.ANSWER.pack(b"dsw2", size, is_picture, 0, views, 0, 0)
    return f"sink.write({header!r} + {rest})"


LIES = {
    "nothing": "sys.exit()",
    "noise": "sink.write(os.urandom(5000))",
    "a flood": "[sink.write(bytes(1 << 20)) for _ in range(1 << 20)]",
    "a huge size": answer(0xFFFFFFFF, 1, "b''"),
    "too many views": answer(600, MAX_VIEWS + 2, "bytes(600)"),
    "too few bytes": answer(20, 1, "bytes(20)"),
    "too many bytes": answer(20, 0, "bytes(20)"),
    "a quality of 255": answer(516, 1, "b'\\xff' * 514 + bytes(2)"),
    "views of no picture": answer(516, 1, "bytes(516)", is_picture=0),
    "a code of no model": answer(533, 1, "bytes(515) + bytes([1]) + bytes(17)"),
    "another magic": "sink.write(b'junk' + bytes(wire.ANSWER.size))",
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_bounded(lie: str) -> None:
    """Whatever a taken-over worker answers, the host gets one verdict that stops the picture."""
    with opened(worker_command=acting(LIES[lie]), limits=Limits(seconds=2)) as gate:
        verdict = gate.screen(DATA)
    assert (
        verdict.outcome,
        verdict.reason,
    ) == (Outcome.UNREADABLE, "crash: the decoder died on it")


def test_lying_words_are_harmless() -> None:
    """Labels and reasons from a worker hold no control, escape or bidi character, and are short."""
    deed = (
        "sink.write(wire.ANSWER.pack(b'dsw2', 121, 1, 0, 0, 1, 0) + bytes([120])"
        " + ('\\x1b[31m\\u202e\\n' * 99).encode()[:120])"
    )
    with opened(worker_command=acting(deed)) as gate:
        reason = gate.screen(DATA).reason
    assert reason.isprintable()
    assert len(reason) <= 120


def model_of(bits: int) -> ModelFile:
    """Return what a host knows of a model with hashes of so many bits."""
    return ModelFile(Config("m", 160, bits, "", ""), bytes([bits // 8]) * 32, b"")


def test_longest_answer() -> None:
    """The longest honest answer fits its bounds, 1.2 kB a view, and comes back as it was given."""
    pdq, models = pdq_of_scene(), [model_of(128), model_of(512)]
    codes = ((models[1].digest, bytes(64)), (models[0].digest, bytes(16))) * (MOST_CODES // 2)
    coded = reading.HashedView("x" * 500, pdq, codes)
    found = reading.Reading(
        [coded] * 2 * MOST_VIEWS + [reading.HashedView("x" * 500, pdq)] * (MAX_VIEWS + 5),
        [],
        ["y" * 500] * 50,
    )
    digests = [model.digest for model in models]
    packed = wire.pack_answer(found, retires=False, models=digests)
    assert len(packed) <= wire.MOST + wire.ANSWER.size
    again = reading.Reading()
    assert not wire.unpack_answer(io.BytesIO(packed).read, again, models=models)
    assert len(again.views) == MAX_VIEWS + 1
    assert pdq == again.views[-1].pdq
    assert [view.codes for view in again.views[: 2 * MOST_VIEWS + 1]] == (
        [codes] * 2 * MOST_VIEWS + [()])  # fmt: skip
    widest = replace(coded, codes=((models[1].digest, bytes(64)),) * MOST_CODES)
    one = reading.Reading([widest])
    assert len(wire.pack_answer(one, retires=False, models=digests)) - wire.ANSWER.size <= 1200


@given(st.data())
def test_changed_answers(data: st.DataObject) -> None:
    """Whatever bytes of an answer a worker changes, the host refuses it or gets bounded views."""
    model = model_of(128)
    view = reading.HashedView("as shown", Pdq(bytes(514)), ((model.digest, bytes(16)),))
    packed = bytearray(wire.pack_answer(reading.Reading([view, view], [], ["why"]), retires=False,
                                        models=[model.digest]))  # fmt: skip
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    found = reading.Reading()
    stream = io.BytesIO(bytes(packed) + bytes(wire.MOST))
    try:
        wire.unpack_answer(stream.read, found, models=[model])
    except wire.Nonsense:
        assert found == reading.Reading()
    assert {code[0] for each in found.views for code in each.codes} <= {model.digest}
    assert all(len(code[1]) == 16 for each in found.views for code in each.codes)


def test_start_is_told() -> None:
    """What a host tells a worker as it starts comes back: limits, and models with their bytes."""
    files = [model_of(128)._replace(data=b"x" * 1000), model_of(512)]
    told = wire.pack_start(Limits(), files)
    limits, again = wire.unpack_start(io.BytesIO(told).read)
    assert limits == Limits(seconds=None)
    assert [(f.config.name, f.config.side, f.config.bits, f.digest, f.data) for f in again] == [
        (f.config.name, f.config.side, f.config.bits, f.digest, f.data) for f in files]  # fmt: skip
    ready = wire.pack_ready("", ["", "damaged"])
    assert wire.unpack_ready(io.BytesIO(ready).read, 2) == ("", ["", "damaged"])
    assert wire.unpack_ready(io.BytesIO(wire.pack_ready("no cage")).read, 2) == ("no cage", [])


def pdq_of_scene() -> Any:
    """Return the PDQ of the scene."""
    return reading.read(SCENE, Limits(), Patience(None)).views[0].pdq


def test_digests_count_though_no_worker_lived() -> None:
    """A known file is stopped by its digests where each worker dies before it has all of it."""
    padded = DATA + bytes(3 << 20)
    known = hash_list(pdq={}, digests={"sha256": [(hashlib.sha256(padded).digest(), 1)]})
    code = FAKE.format(deed="").replace("data = source", "os._exit(1); data = source")
    with Gate(known, worker_command=[sys.executable, "-c", code]) as gate:
        verdict = gate.screen(padded)
    assert (Outcome.MATCH, Evidence.EXACT) == (verdict.outcome, verdict.evidence)
    assert "crash" in verdict.reason
