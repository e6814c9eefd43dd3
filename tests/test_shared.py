"""Lists that processes share: in sealed memory or not at all."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doorsill import HashList, Limits, ListError, Trust, TrustError
from lists import flip, hash_list

fcntl = pytest.importorskip("fcntl", reason="not on Windows")
if not hasattr(fcntl, "F_SEAL_WRITE"):
    pytest.skip("only Linux seals memory", allow_module_level=True)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASH = bytes(range(32))
CUT, GROW, WRITE = fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW, fcntl.F_SEAL_WRITE


@pytest.fixture
def listed() -> HashList:
    """Return a list with two rows of one hasher that name their entries."""
    return hash_list(pdq={2: HASH, 7: flip(HASH, 90)})


@pytest.fixture
def descriptor(listed: HashList) -> Iterator[int]:
    """Return the descriptor of a shared list."""
    shared = listed.share()
    yield shared
    os.close(shared)


def search(opened: HashList) -> list[tuple[int, int, int]]:
    """Return what is near the hash."""
    return opened.handle.search(0, HASH, 31)


def content(descriptor: int) -> bytes:
    """Return what a small list's memory holds."""
    return os.pread(descriptor, 1 << 20, 0)


def half_sealed(listed: HashList, seals: int) -> int:
    """Return a descriptor of a list's bytes with these seals alone."""
    made = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    assert os.write(made, content(listed.share())) == listed.info["size"]
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, seals)
    return made


def test_same_list(listed: HashList, descriptor: int) -> None:
    """A shared list answers as the one that it is of, also when the descriptor is closed."""
    opened = HashList.open(os.dup(descriptor), Trust.none())
    assert opened.info == listed.info
    assert [(0, 0, 2)] == search(opened) == search(listed)
    assert opened.trust.tier == "none"
    assert len(content(descriptor)) == listed.info["size"]
    assert content(opened.share()) == content(descriptor)


def test_another_process(listed: HashList, descriptor: int) -> None:
    """Another process opens it by the number that it inherited, and the first may be gone."""
    code = ("import sys; from doorsill import HashList, Trust\n"
            "opened = HashList.open(int(sys.argv[1]), Trust.none())\n"
            "print(opened.handle.search(0, bytes(range(32)), 31))")  # fmt: skip
    said = subprocess.check_output([sys.executable, "-c", code, str(descriptor)],
                                   pass_fds=[descriptor], text=True)  # fmt: skip
    assert said.strip() == str(search(listed))


def test_it_cannot_be_changed(descriptor: int) -> None:
    """Whoever has the descriptor cannot write to it, cut it, or break its seals."""
    opened = HashList.open(descriptor, Trust.none())
    for attack in (
        lambda: os.pwrite(descriptor, b"\xff" * 64, 64),
        lambda: os.ftruncate(descriptor, 0),
        lambda: os.ftruncate(descriptor, 1 << 20),
        lambda: mmap.mmap(descriptor, 0, access=mmap.ACCESS_WRITE),
        lambda: fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE),
        lambda: os.pwrite(os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR), b"\xff", 0),
        lambda: os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_TRUNC),
    ):
        with pytest.raises(PermissionError):
            attack()
    assert [(0, 0, 2)] == search(opened)


FUTURE = getattr(fcntl, "F_SEAL_FUTURE_WRITE", 16)  # who has it mapped may go on writing


@pytest.mark.parametrize("seals", [0, CUT | GROW, WRITE | GROW, WRITE | CUT, FUTURE | CUT | GROW])
def test_what_could_change_is_refused(listed: HashList, seals: int) -> None:
    """Memory that somebody could still write to, cut or grow is not opened."""
    made = half_sealed(listed, seals)
    with pytest.raises(ListError, match="sealed against changes"):
        HashList.open(made, Trust.none())


def test_files_are_refused(tmp_path: Path) -> None:
    """The descriptor of a file, of a pipe, or none at all is refused by what it lacks."""
    (tmp_path / "file").write_bytes(b"x")
    with (tmp_path / "file").open("rb") as file:
        for number in (file.fileno(), *os.pipe(), 987654, -1, 1 << 70):
            with pytest.raises(ListError, match="sealed against changes"):
                HashList.open(number, Trust.none())


def test_hostile_memory(descriptor: int) -> None:
    """Sealing makes no list: damaged, empty or too large memory is refused, and named."""
    made = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, WRITE | CUT | GROW)
    with pytest.raises(ListError, match=f"descriptor {made}: empty"):
        HashList.open(made, Trust.none())
    with pytest.raises(ListError, match="larger than 100 bytes"):
        HashList.open(descriptor, Trust.none(), limits=Limits(list_bytes=100))
    made = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(made, b"\x89DSL\r\n\x1a\n" + bytes(100))
    fcntl.fcntl(made, fcntl.F_ADD_SEALS, WRITE | CUT | GROW)
    with pytest.raises(ListError, match=f"descriptor {made}: "):
        HashList.open(made, Trust.none())


def test_no_proof(tmp_path: Path, descriptor: int) -> None:
    """A descriptor shows no signature, and says so where one is asked for."""
    from publisher import policy  # noqa: PLC0415 - used once

    (tmp_path / "trust.txt").write_bytes(policy())
    with pytest.raises(TrustError, match="no proof"):
        HashList.open(descriptor, Trust.load(tmp_path / "trust.txt"))
