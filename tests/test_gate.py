"""The Gate: what it takes, what it answers, and that it keeps its word under load."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import mmap
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pictures
import traps
from doorsill import (
    Action,
    Cancelled,
    DoorsillError,
    Evidence,
    Gate,
    HashList,
    Limits,
    Outcome,
    Trust,
    core,
    hash_image,
    lists,
)  # fmt: skip
from lists import hash_list
from looks import SCENE

PICTURE = Image.fromarray(pictures.make("photo", 400, 300, 1))
OTHER = Image.fromarray(pictures.make("photo", 400, 300, 2))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the image as a file's bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


DATA = encoded(PICTURE)
LISTED = hash_list(pdq={0: hash_image(PICTURE).bytes},
                   digests={"sha256": [(hashlib.sha256(b"a video").digest(), 1)]})  # fmt: skip
EMPTY = hash_list(pdq={0: hashlib.sha256(b"other").digest()})


@pytest.fixture
def gate() -> Gate:
    """Return a gate before one listed picture and one listed video."""
    return Gate(LISTED)


def test_every_input(gate: Gate, tmp_path: Path) -> None:
    """A path, bytes, a file, an image and arrays all give the same match."""
    path = tmp_path / "picture.png"
    path.write_bytes(DATA)
    array = np.asarray(PICTURE)
    opaque = np.dstack([array, array[:, :, :1] | 255])
    files = [path, str(path), DATA, bytearray(DATA), io.BytesIO(DATA)]
    arrays = [array, np.asfortranarray(array), array[:, ::-1], opaque]
    with Image.open(path) as unread:
        for picture in [*files, unread, PICTURE, *arrays]:
            verdict = gate.screen(picture)
            assert (Outcome.MATCH, Action.BLOCK, Evidence.SINGLE) == (
                verdict.outcome, verdict.action, verdict.evidence)  # fmt: skip
            assert "000000000000" == verdict.matches[0].entry


def test_other_picture(gate: Gate) -> None:
    """Another picture is clear, and the verdict says what was compared and how well protected."""
    verdict = gate.screen(encoded(OTHER))
    assert (Outcome.CLEAR, Action.SEND, ()) == (verdict.outcome, verdict.action, verdict.matches)
    assert ("worker", "none") == (verdict.protection, verdict.trust)
    assert {"sha256", "sha1", "md5"} < set(verdict.coverage)
    assert verdict.milliseconds > 0


BYTE = np.uint8


@pytest.mark.parametrize(
    "bad", [3, None, np.zeros((5, 5, 2), BYTE), np.zeros((5, 5)), np.zeros((0, 5), BYTE)]
)
def test_wrong_types(gate: Gate, bad: Any) -> None:
    """What is no picture by its type is the host's mistake and says so."""
    with pytest.raises(TypeError, match="pass"):
        gate.screen(bad)


def test_exact_on_any_file(gate: Gate) -> None:
    """A listed video matches by its digest, though nothing can look into it."""
    verdict = gate.screen(b"a video")
    assert (Outcome.MATCH, Evidence.EXACT, "sha256") == (
        verdict.outcome, verdict.evidence, verdict.matches[0].hasher)  # fmt: skip


def test_source(gate: Gate, tmp_path: Path) -> None:
    """The original's digests count beside those of what is sent."""
    original = tmp_path / "original"
    original.write_bytes(b"a video")
    looked_at = io.BytesIO(b"a video")
    looked_at.read(3)
    for source in (original, b"a video", io.BytesIO(b"a video"), looked_at):
        assert Evidence.EXACT == gate.screen(encoded(OTHER), source=source).evidence


@pytest.mark.parametrize("sent", [b"just some text", encoded(OTHER)])
def test_an_unread_source_is_not_clear(gate: Gate, tmp_path: Path, sent: bytes) -> None:
    """Whatever is sent, a picture or not: an original that cannot be compared warns."""
    for source in (tmp_path / "none", tmp_path, "a\0b"):
        verdict = gate.screen(sent, source=source)
        assert (Outcome.UNREADABLE, Action.WARN) == (verdict.outcome, verdict.action)
        assert verdict.reason.startswith("source: ")


def test_missing_and_odd_paths(gate: Gate, tmp_path: Path) -> None:
    """A missing file, a folder, a pipe and a device are unreadable, at once."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", "/dev/zero"):
        verdict = gate.screen(path)
        assert (Outcome.UNREADABLE, Action.WARN) == (verdict.outcome, verdict.action)
        assert verdict.reason.startswith("file: ")


def test_size_limit(tmp_path: Path) -> None:
    """A file over the limit is unreadable if it claims to be a picture; its digests still count."""
    video = b"a long video" * 100
    listed = hash_list(pdq={}, digests={"sha256": [(hashlib.sha256(video).digest(), 1)]})
    small = Gate(listed, limits=Limits(bytes=1000))
    path = tmp_path / "big.png"
    path.write_bytes(DATA)
    for picture in (path, DATA):
        assert Outcome.UNREADABLE == small.screen(picture).outcome
    path.write_bytes(video)
    for picture in (path, video, io.BytesIO(video)):
        assert Evidence.EXACT == small.screen(picture).evidence
    path.write_bytes(b"a text" * 1000)
    assert Outcome.OUT_OF_SCOPE == small.screen(path).outcome


def test_array_limit() -> None:
    """An array over the limit is unreadable."""
    small = Gate(LISTED, limits=Limits(pixels=99))
    assert Outcome.UNREADABLE == small.screen(np.zeros((10, 10), BYTE)).outcome


def test_deadline_and_cancel(gate: Gate) -> None:
    """Late is UNREADABLE('time'); cancelled raises."""
    verdict = gate.screen(DATA, deadline=0)
    assert Outcome.UNREADABLE == verdict.outcome
    assert verdict.reason.startswith("time")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        gate.screen(DATA, cancel=cancel)


@pytest.mark.parametrize("long", [float("inf"), 3e6, 1e19])
def test_long_deadlines(gate: Gate, long: float) -> None:
    """A deadline beyond what the system can wait for is one all the same."""
    assert Outcome.MATCH == gate.screen(DATA, deadline=long).outcome
    limits = Limits(seconds=min(long, 1e9))
    assert Outcome.MATCH == Gate(LISTED, limits=limits).screen(DATA).outcome


def test_async(gate: Gate) -> None:
    """`await screen_async` answers like `screen`, many at a time."""

    async def many() -> list[Outcome]:
        found = await asyncio.gather(*(gate.screen_async(DATA) for _ in range(8)))
        return [verdict.outcome for verdict in found]

    assert [Outcome.MATCH] * 8 == asyncio.run(many())


def test_a_cancelled_task_cancels_no_other(gate: Gate) -> None:
    """The event that a host gives to several screenings is the host's own to set."""
    shared = threading.Event()

    async def one_of_two() -> Outcome:
        dropped = asyncio.create_task(gate.screen_async(DATA, cancel=shared))
        await asyncio.sleep(0)
        dropped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dropped
        return (await gate.screen_async(DATA, cancel=shared)).outcome

    assert Outcome.MATCH == asyncio.run(one_of_two())
    assert not shared.is_set()


def test_a_reading_keeps_its_lists() -> None:
    """What `read` made is decided by the lists that it was made for, whatever came in since."""
    with Gate(LISTED) as gate:
        found = gate.read(DATA)
        gate.replace_lists(EMPTY)
        assert Outcome.MATCH == gate.decide(found).outcome
        assert Outcome.CLEAR == gate.decide(found, gate.lists).outcome


def test_no_list() -> None:
    """A gate without lists would clear everything, so there is none."""
    with pytest.raises(DoorsillError, match="without a list"):
        Gate([])


def test_several_lists() -> None:
    """Every list is searched, and the match says which one it was."""
    verdict = Gate([EMPTY, LISTED]).screen(DATA)
    assert 1 == len(verdict.matches)
    assert Outcome.MATCH == verdict.outcome


def test_swap_under_load() -> None:
    """While lists are swapped, every screening gives the whole answer of one list or the other."""
    gate, stop, wrong = Gate(LISTED), threading.Event(), []

    def screen() -> None:
        while not stop.is_set():
            outcome = gate.screen(np.asarray(PICTURE)).outcome
            if outcome not in (Outcome.MATCH, Outcome.CLEAR):
                wrong.append(outcome)

    threads = [threading.Thread(target=screen) for _ in range(8)]
    for thread in threads:
        thread.start()
    for turn in range(300):
        gate.replace_lists(EMPTY if turn % 2 else LISTED)
    stop.set()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_lists_outlive_their_names() -> None:
    """A gate keeps its lists alive, whatever the host forgets."""
    gate = Gate(hash_list(pdq={0: hash_image(PICTURE).bytes}))
    import gc  # noqa: PLC0415 - used once

    gc.collect()
    assert Outcome.MATCH == gate.screen(DATA).outcome


def test_open_reads_privately(tmp_path: Path) -> None:
    """A list that changes on disk after it was opened changes nothing."""
    vector = Path(__file__).parent / "data/vectors/list.dsl"
    path = tmp_path / "list.dsl"
    path.write_bytes(vector.read_bytes())
    opened = HashList.open(path, Trust.none())
    path.write_bytes(b"")
    assert 69 == len(opened)
    assert Outcome.CLEAR == Gate(opened).screen(DATA).outcome


def test_lists_open_without_huge_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that knows no huge pages refuses the advice, and a large list opens all the same."""
    advised = []

    class Memory(mmap.mmap):
        """What a kernel without them gives."""

        def madvise(self, *_: int) -> None:
            """Refuse."""
            advised.append(self)
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(lists, "_WORTH_HUGE_PAGES", 1)
    monkeypatch.setattr(mmap, "mmap", Memory)
    path = Path(__file__).parent / "data/vectors/list.dsl"
    assert 69 == len(HashList.open(path, Trust.none()))
    assert len(advised) == 1


@pytest.mark.parametrize("at", [None, (0, 0), (149, 199), (70, 101)])
def test_one_transparent_pixel_makes_grounds(at: tuple[int, int] | None) -> None:
    """An array whose alpha is opaque throughout is one view; one that is not has its grounds."""
    gate = Gate(hash_list(pdq={0: b"\1" * 32}), isolation="inline")
    rgba = np.random.default_rng(1).integers(0, 256, (150, 200, 4), np.uint8)
    rgba[..., 3] = 255
    if at is not None:
        rgba[at][3] = 254
    assert gate.read(rgba).views[0].label == ("as given over white" if at else "as given")
    with pytest.raises(ValueError, match="too few"):
        core.has_alpha(b"\xff" * 399, 10, 10)


@pytest.mark.parametrize("name", ["on_grey", "under_alpha", "alpha_over_white", "alpha_over_black"])
def test_arrays_get_every_ground(name: str) -> None:
    """Pixels with alpha are seen over white, black and grey and without it, as files are."""
    gate = Gate(hash_list(pdq={0: hash_image(SCENE).bytes}))
    with Image.open(io.BytesIO(traps.TRAPS[name](SCENE))) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert Outcome.MATCH == gate.screen(pixels).outcome


def test_files_are_read_from_their_beginning(gate: Gate) -> None:
    """A file whose first bytes the host has looked at, or that gives little at a time, is whole."""

    class Slow(io.RawIOBase):
        """Gives 1,000 bytes at a time, and cannot go back."""

        left = DATA

        def read(self, size: int = -1) -> bytes:
            step = min(1000, size) if size >= 0 else 1000
            part, self.left = self.left[:step], self.left[step:]
            return part

    looked_at = io.BytesIO(DATA)
    looked_at.read(16)
    for file in (looked_at, Slow()):
        assert Outcome.MATCH == gate.screen(file).outcome
    with pytest.raises(TypeError, match="binary"):
        gate.screen(io.StringIO("text"))


def test_odd_arguments(gate: Gate, tmp_path: Path) -> None:
    """A deadline that is none, a source that is none and a name with a NUL say what they are."""
    for deadline in (float("nan"), -1):
        with pytest.raises(ValueError, match="deadline"):
            gate.screen(DATA, deadline=deadline)
    for deadline in (float("inf"), 1e300, 1e7):  # longer than a system can be told to wait
        assert gate.screen(DATA, deadline=deadline).outcome == Outcome.MATCH
    with pytest.raises(TypeError, match="source"):
        gate.screen(DATA, source=5)
    assert Outcome.UNREADABLE == gate.screen("a\0b").outcome
    verdict = gate.screen(encoded(OTHER), source=tmp_path / "none")
    assert (Outcome.UNREADABLE, True) == (verdict.outcome, "source" in verdict.reason)


def test_list_bytes_are_private() -> None:
    """Bytes that the caller changes after opening a list change nothing."""
    data = bytearray((Path(__file__).parent / "data/vectors/list.dsl").read_bytes())
    opened = HashList(data, Trust.none())
    before = opened.entry(3)
    data[:] = bytes(len(data))
    assert before == opened.entry(3)
