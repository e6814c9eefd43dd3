"""The decode worker: the same answers as without it, many at once, and a clean end."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import traps
from doorsill import (
    Gate,
    IsolationError,
    Limits,
    Outcome,
    cage,
    pool,
    reading,
)  # fmt: skip
from doorsill.errors import DoorsillError
from doorsill.images.opening import PLUGINS
from doorsill.patience import Patience
from drawn import saved
from lists import hash_list
from workers import DATA, LISTED, SCENE, TROUBLED, acting, caged_alone, needs_cage, opened, workers

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = needs_cage


def test_no_cage_no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no cage a Gate cannot be made unless "inline" is asked for."""
    monkeypatch.setattr(cage, "missing", lambda: "Landlock")
    with pytest.raises(IsolationError, match=r'lacks Landlock.*isolation="inline"'):
        Gate(LISTED)
    assert Gate(LISTED, isolation="inline").screen(DATA).protection == "inline"


def test_no_other_codecs() -> None:
    """A warmed worker has loaded Pillow's plugins for the formats that it reads, and no more."""
    code = """import sys
from doorsill import caged
from doorsill.limits import Limits
caged.warm(Limits())
print(*(name for name in sys.modules if name.endswith("ImagePlugin")))"""
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert sorted(f"PIL.{name}ImagePlugin" for name, _ in PLUGINS.values()) == sorted(loaded)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/nowhere"], "could not be started"),
        (["/bin/true"], "ended as it started"),
        ([sys.executable, "-c", "print('hello, this is no worker')"], "ended as it started"),
        ([sys.executable, "-c", TROUBLED], "the cage does not hold"),
        ([sys.executable, 5], "could not be started: TypeError: "),
        ([sys.executable, "a\0b"], "could not be started: ValueError: "),
    ],
)  # fmt: skip
def test_no_worker(command: list[Any], why: str) -> None:
    """A worker that cannot start or prove its cage is an error for each picture, not a verdict."""
    with opened(worker_command=command) as gate:
        for _ in range(2):
            with pytest.raises(IsolationError, match=why):
                gate.screen(DATA, deadline=20)


def test_no_memory_for_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong as a worker is started is told, and the next picture gets another try."""

    def lacking(*_: object) -> None:
        raise MemoryError

    with opened() as gate, monkeypatch.context() as patch:
        patch.setattr(pool, "Worker", lacking)
        with pytest.raises(IsolationError, match="could not be started: MemoryError"):
            gate.screen(DATA, deadline=20)
        patch.undo()
        assert gate.screen(DATA, deadline=20).outcome == Outcome.MATCH


def test_no_thread_for_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no thread left that is told, and the next picture gets another try."""

    def lacking(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with opened() as gate, opened() as unused:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", lacking)
            for each in (gate, unused):
                with pytest.raises(IsolationError, match="can't start new thread"):
                    each.screen(DATA, deadline=20)
        assert gate.screen(DATA, deadline=20).outcome == Outcome.MATCH


# ---- the same answers as without it


def facts(found: reading.Reading) -> Any:
    """Return everything that a reading says."""
    return found.views, found.digests, found.unread, found.is_picture


MADE = {name: make(SCENE) for name, make in (traps.TRAPS | traps.PLAIN | traps.CUT).items()}
MADE |= {"not a picture": b"hello", "empty": b"", "svg": b"<svg xmlns=''/>"}


@pytest.mark.parametrize("name", MADE)
def test_same_reading(warm_gate: Gate, name: str) -> None:
    """For every plain file, trap and cut file the worker sees what is seen inline."""
    here = reading.read(MADE[name], warm_gate.limits, Patience(None))
    assert facts(here) == facts(warm_gate.read(MADE[name]))


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "JPEG2000"])
def test_codecs_with_threads(warm_gate: Gate, kind: str) -> None:
    """Pictures large enough for a codec to use threads are decoded inside the cage."""
    big = SCENE.resize((2000, 1500))
    assert warm_gate.screen(saved(big, kind)).outcome == Outcome.MATCH


def test_heic(warm_gate: Gate) -> None:
    """HEIC is decoded inside the cage as well."""
    file = io.BytesIO()
    pillow_heif.from_pillow(SCENE).save(file)
    assert warm_gate.screen(file.getvalue()).outcome == Outcome.MATCH


def test_undecoded_images_go_by_their_bytes(
    warm_gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that Pillow has opened and not decoded is decoded by the worker, not here."""
    image = Image.open(io.BytesIO(DATA))
    monkeypatch.setattr(Image.Image, "load", None)
    monkeypatch.setattr(type(image), "load", None)
    assert warm_gate.screen(image).outcome == Outcome.MATCH


@pytest.mark.parametrize("isolation", ["worker", "inline"])
@pytest.mark.parametrize("most", [len(DATA), len(DATA) - 1])
def test_undecoded_images_have_digests(isolation: str, most: int) -> None:
    """The digests of an image's file are compared where Pillow has not decoded it, as its bytes'.

    The verdict names no bytes to be sent, for the host may encode it anew.
    """
    by_digest = hash_list(pdq={}, digests={"md5": [(hashlib.md5(DATA).digest(), 1)]})  # noqa: S324
    with Gate(by_digest, limits=Limits(bytes=most), isolation=isolation) as gate:
        image = Image.open(io.BytesIO(DATA))
        plain, verdict = gate.screen(DATA), gate.screen(image)
        assert verdict.outcome == plain.outcome == Outcome.MATCH
        assert (verdict.matches, verdict.reason) == (plain.matches, plain.reason)
        assert (plain.sha256, verdict.sha256) == (hashlib.sha256(DATA).hexdigest(), "")
        assert image.tobytes() == SCENE.tobytes()  # it can still be decoded


def test_pixels_need_no_worker() -> None:
    """Pixels that the host has decoded are hashed where they are, and the verdict says so."""
    with opened(worker_command=["/nowhere"]) as gate:
        for pixels in (SCENE.copy(), np.asarray(SCENE)):
            verdict = gate.screen(pixels)
            assert (verdict.outcome, verdict.protection) == (Outcome.MATCH, "inline")


def test_foreign_format(warm_gate: Gate) -> None:
    """An undecoded image in a format that only Pillow knows is unreadable, never out of scope."""
    file = io.BytesIO()
    SCENE.save(file, "PCX")
    file.seek(0)
    for gate in (warm_gate, Gate(LISTED, isolation="inline")):
        assert gate.screen(Image.open(file)).outcome == Outcome.UNREADABLE


# ---- many at once


def test_short_lived_threads(warm_gate: Gate) -> None:
    """A worker outlives the thread whose picture made the pool start it."""
    warm_gate.screen(DATA)
    before = workers(warm_gate)
    for _ in range(3):
        thread = threading.Thread(target=warm_gate.screen, args=(DATA,))
        thread.start()
        thread.join()
    assert before == workers(warm_gate)


def in_fork(act: Callable[[], None]) -> str:
    """Return what *act* raised in a process of its own, "" if nothing."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        said = ""
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            said = str(error) or repr(error)
        os.write(into, said.encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        said = file.read().decode()
    assert os.waitpid(child, 0)[1] == 0
    return said


def test_after_fork(warm_gate: Gate) -> None:
    """A forked process gets workers of its own; those of its parent go on."""
    warm_gate.screen(DATA)
    mine = workers(warm_gate)

    def screen() -> None:
        assert workers(warm_gate) == []
        assert warm_gate.screen(DATA).outcome == Outcome.MATCH
        assert not set(mine) & set(workers(warm_gate))

    assert in_fork(screen) == ""
    assert warm_gate.screen(DATA).outcome == Outcome.MATCH
    assert mine == workers(warm_gate)


def test_growth_and_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one worker at first, no more than cores under load, and one again after a while."""
    monkeypatch.setattr(pool, "_IDLE_SECONDS", 0.5)
    with opened() as gate:
        gate.screen(DATA)
        assert len(workers(gate)) == 1
        threads = [threading.Thread(target=gate.screen, args=(DATA,)) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(workers(gate)) <= len(os.sched_getaffinity(0))
        time.sleep(1.5)
        assert len(workers(gate)) == 1


# ---- the end


def running(pid: int) -> bool:
    """Tell whether a process exists and has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_close() -> None:
    """Closing ends the workers; a closed gate screens no file."""
    with opened() as gate:
        gate.screen(DATA)
        pids = workers(gate)
    assert not any(running(pid) for pid in pids)
    gate.close()
    with pytest.raises(DoorsillError, match="closed"):
        gate.screen(DATA)


def test_close_under_way() -> None:
    """A screening that a close interrupts raises; it gives no verdict."""
    with opened(worker_command=acting("time.sleep(60)")) as gate:
        threading.Timer(0.7, gate.close).start()
        with pytest.raises(DoorsillError, match="closed"):
            gate.screen(DATA)


def test_forgotten_gate() -> None:
    """A gate that is merely forgotten takes its workers with it."""
    gate = Gate(LISTED)
    gate.screen(DATA)
    pids = workers(gate)
    del gate
    patience = time.monotonic() + 5
    while any(running(pid) for pid in pids) and time.monotonic() < patience:
        time.sleep(0.01)
    assert not any(running(pid) for pid in pids)


def test_host_death() -> None:
    """A host that is killed takes its workers with it, though they are busy."""
    code = """
import os
from doorsill import Gate
from doorsill.cli.files import demo_list
gate = Gate(demo_list())
gate.screen(b"x")
print(*(each.process.pid for each in gate._pool._all), flush=True)
os.kill(os.getpid(), 9)
"""
    pids = [int(word) for word in caged_alone(code).split()]
    assert pids
    time.sleep(0.3)
    assert not any(running(pid) for pid in pids)


def test_no_leak() -> None:
    """Gates, deaths and kills leave no descriptor, thread or child behind."""

    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    before = None
    for turn in range(4):
        with opened() as gate, opened(worker_command=acting("os.abort()")) as fragile:
            gate.screen(DATA)
            gate.screen(DATA, deadline=0.001)
            fragile.screen(DATA)
        if turn == 0:
            before = held()
    assert before == held()
    with suppress(ChildProcessError):  # there is none at all
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)
