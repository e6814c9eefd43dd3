"""Resource attacks: the right verdict, within 5 s and 512 MB, and the host notices nothing."""

from __future__ import annotations

import gc
import io
import os
import re
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bombs
from doorsill import Gate, Limits, Outcome, Verdict
from drawn import saved, scene
from looks import look
from workers import DATA, LISTED, needs_cage, opened, peak, workers

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = needs_cage

LATEST = 5.0  # seconds
QUICK = 0.5
MOST = 512_000_000  # bytes of a worker
GROWN = 16_000_000  # bytes of the host, beside the file itself


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def screened(gate: Gate, picture: Any, size: int = 0) -> Verdict:
    """Return the verdict on a hostile picture, once it was quick and small."""
    before, start = resident(), time.monotonic()
    verdict = gate.screen(picture)
    assert time.monotonic() - start < LATEST
    assert resident() - before < GROWN + size
    for pid in workers(gate):
        assert peak(pid) < MOST
    return verdict


# ---- files


@pytest.mark.parametrize("name", bombs.REFUSED)
def test_refused_at_once(name: str, warm_gate: Gate) -> None:
    """A small file that would cost much gives a reason, at once, before it is decoded."""
    make, reasons = bombs.REFUSED[name]
    data = make()
    start = time.perf_counter()
    labels, unread = look(data)
    assert time.perf_counter() - start < QUICK
    assert labels == []
    assert unread[0].split(":")[0] in reasons
    verdict = screened(warm_gate, data)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, "; ".join(unread))
    assert Gate(LISTED, isolation="inline").screen(data).outcome == Outcome.UNREADABLE


@pytest.mark.parametrize("name", bombs.UNREAD)
def test_never_clear(name: str, warm_gate: Gate) -> None:
    """What could be read in part only is unreadable, soon."""
    verdict = screened(warm_gate, bombs.UNREAD[name]())
    assert verdict.outcome in (Outcome.UNREADABLE, Outcome.MATCH)
    assert "crash" not in verdict.reason


@pytest.mark.parametrize("name", bombs.READ)
def test_still_found(name: str, warm_gate: Gate) -> None:
    """A listed picture is found behind loops, segments and texts that no viewer minds."""
    assert screened(warm_gate, bombs.READ[name]()).outcome == Outcome.MATCH


@pytest.mark.parametrize("name", bombs.ENDED)
def test_ended(name: str, warm_gate: Gate) -> None:
    """What is within the limits, or repeats itself, ends within time and memory."""
    assert "crash" not in screened(warm_gate, bombs.ENDED[name]()).reason


def test_as_small_as_they_say() -> None:
    """The two smallest bombs have the sizes by which they are known."""
    assert len(bombs.UNREAD["GIF of 425 bytes"]()) == 425
    assert len(bombs.UNREAD["WebP of 34 bytes within the limit"]()) == 34


def test_frames_left_unseen_are_said() -> None:
    """Past the limit of frames the rest is unread, and the frames before it were looked at."""
    labels, unread = look(bombs.gif(10, 10, bombs.MANY))
    # Its frames do not fill the screen, so that they are also seen on pages.
    frames = [label for label in labels if re.fullmatch(r"as shown|frame \d+", label)]
    assert Limits().frames == len(frames)
    assert unread == ["frames: it has more than can be looked at"]


def test_input_over_its_limit_is_unread() -> None:
    """A file larger than the limit is not opened."""
    labels, unread = look(saved(scene(), "PNG"), Limits(bytes=1000))
    assert (labels, unread) == ([], ["size: it is larger than 1000 bytes"])


# ---- paths that are no ordinary files


def fifo(folder: Path) -> Path:
    """Make a pipe that nobody writes to."""
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def listening(folder: Path) -> Path:
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "socket"))
    return folder / "socket"


def dangling(folder: Path) -> Path:
    """Make a link to nothing."""
    (folder / "link").symlink_to(folder / "nothing")
    return folder / "link"


def looping(folder: Path) -> Path:
    """Make a link to itself."""
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def forbidden(folder: Path) -> Path:
    """Name a file below a file."""
    (folder / "file").write_bytes(DATA)
    return folder / "file" / "below"


ODD: dict[str, Callable[[Path], Any]] = {
    "a pipe": fifo,
    "a socket": listening,
    "a folder": lambda folder: folder,
    "a dangling link": dangling,
    "a link to itself": looping,
    "a link to a device": lambda folder: linked(folder, "/dev/zero"),
    "zeros without end": lambda _: "/dev/zero",
    "a full device": lambda _: "/dev/full",
    "a terminal": lambda _: "/dev/tty",
    "a name with a NUL": lambda _: "a\0b",
    "a name too long": lambda _: "x" * 5000,
    "a file below a file": forbidden,
    "nothing": lambda _: "",
}


def linked(folder: Path, to: str | Path) -> Path:
    """Make a link."""
    (folder / "linked").symlink_to(to)
    return folder / "linked"


@pytest.mark.parametrize("name", ODD)
def test_odd_paths(name: str, tmp_path: Path, warm_gate: Gate) -> None:
    """A path to what is no file is unreadable, and no source, at once."""
    path = ODD[name](tmp_path)
    verdict = screened(warm_gate, path)
    assert verdict.outcome == Outcome.UNREADABLE
    assert verdict.reason.startswith("file: ")
    start = time.monotonic()
    beside = warm_gate.screen(saved(scene(seed=7), "PNG"), source=path)
    assert time.monotonic() - start < QUICK
    assert beside.outcome == Outcome.UNREADABLE
    assert beside.reason.startswith("source: ")


def test_links_are_followed(tmp_path: Path, warm_gate: Gate) -> None:
    """A link to a picture is the picture."""
    (tmp_path / "picture").write_bytes(DATA)
    assert warm_gate.screen(linked(tmp_path, tmp_path / "picture")).outcome == Outcome.MATCH


def test_terabytes(tmp_path: Path, warm_gate: Gate) -> None:
    """A sparse file of a terabyte, as a picture or as a source, is given up at once."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(DATA)
        file.truncate(1 << 40)
    verdict = screened(warm_gate, path)
    assert verdict.outcome == Outcome.UNREADABLE
    assert verdict.reason.startswith("size: ")
    start = time.monotonic()
    verdict = warm_gate.screen(saved(scene(seed=7), "PNG"), source=path)
    assert time.monotonic() - start < LATEST
    assert (verdict.outcome, verdict.reason.partition(":")[0]) == (Outcome.UNREADABLE, "source")


def test_terabytes_of_nothing(tmp_path: Path) -> None:
    """What is too long to be digested, or not in time, is unreadable, never out of scope."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with opened() as gate:
        assert gate.screen(path).outcome == Outcome.UNREADABLE
    with opened(limits=Limits(digest_bytes=1 << 50)) as gate:
        verdict = gate.screen(path, deadline=0.3)
        assert verdict.outcome == Outcome.UNREADABLE
        assert "time: " in verdict.reason


class Endless(io.RawIOBase):
    """A file that never ends."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give zeros."""
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def test_endless_files() -> None:
    """A binary file without an end is given up in time, as a picture and as a source."""
    with opened(limits=Limits(bytes=1 << 20, digest_bytes=1 << 25)) as gate:
        for verdict in (gate.screen(Endless()), gate.screen(DATA, source=Endless())):
            assert any(word in verdict.reason for word in ("source: ", "size: "))


# ---- files that change


def test_changing_files(tmp_path: Path, warm_gate: Gate) -> None:
    """A file that is swapped, cut and made longer while it is read gives one verdict each time.

    The verdict speaks of the bytes that were read: the picture is never found in its twin.
    """
    path, stop = tmp_path / "changing", threading.Event()
    other = saved(scene(seed=7), "PNG")
    path.write_bytes(DATA)

    def change() -> None:
        while not stop.is_set():
            with path.open("r+b") as file:
                file.truncate(len(DATA) // 2)
                file.write(other)
                file.truncate(3 * len(other))
            (tmp_path / "new").write_bytes(DATA)
            (tmp_path / "new").replace(path)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        outcomes = {warm_gate.screen(path).outcome for _ in range(100)}
    finally:
        stop.set()
        changer.join()
    assert outcomes <= {Outcome.MATCH, Outcome.CLEAR, Outcome.UNREADABLE}


def test_swapped_before_sending(tmp_path: Path, warm_gate: Gate) -> None:
    """Bytes that were read once stay what was screened, whatever happens to their file."""
    path = tmp_path / "picture"
    path.write_bytes(DATA)
    snapshot = path.read_bytes()
    assert warm_gate.screen(snapshot).outcome == Outcome.MATCH
    path.write_bytes(saved(scene(seed=7), "PNG"))
    assert warm_gate.screen(path).outcome == Outcome.CLEAR
    assert warm_gate.screen(snapshot).outcome == Outcome.MATCH
