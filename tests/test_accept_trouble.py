"""Updates that are stopped: failing calls, full disks, kills, and two updaters at once."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from doorsill import HashList, ListError, Trust
from doorsill.files import PART
from publisher import NOW, Publisher
from test_accept import accept, epoch, trust
from workers import EXAMPLES, LONG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["trust"]  # a fixture
KILLS = EXAMPLES if LONG else 50


def broken(name: str, error: int, after: int) -> Callable[..., object]:
    """Return an `os` function that fails from its call number *after* on."""
    real, calls = getattr(os, name), [0]

    def call(*args: object, **options: object) -> object:
        calls[0] += 1
        if calls[0] > after:
            raise OSError(error, os.strerror(error))
        return real(*args, **options)

    return call


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fsync", errno.EIO),
        ("fsync", errno.ENOSPC),
        ("replace", errno.EACCES),
        ("rename", errno.EROFS),
    ],
)
def test_failing_calls(
    tmp_path: Path, trust: Trust, monkeypatch: pytest.MonkeyPatch, name: str, error: int, after: int
) -> None:
    """Whichever fsync or rename fails, the old or the new list opens, and the next try works."""
    publisher, folder = Publisher(), tmp_path / "kept"
    accept(publisher.publish(), folder, trust)
    release = publisher.publish()
    with monkeypatch.context() as patch:
        patch.setattr(os, name, broken(name, error, after))
        try:
            accept(release, folder, trust)
        except ListError as trouble:
            assert "did not finish" in str(trouble)  # noqa: PT017 - both ends are right
        assert epoch(folder, trust) in {0, 1}
    assert 1 == accept(release, folder, trust).info["epoch"]
    assert not list(folder.glob(f"{PART}*"))


@pytest.mark.parametrize("room", range(0, 3000, 250))
def test_full_disk(tmp_path: Path, trust: Trust, room: int) -> None:
    """With room for only so many bytes a file, the old list stays until the new one fits."""
    publisher, folder = Publisher(), tmp_path / "kept"
    accept(publisher.publish(), folder, trust)
    publisher.publish().write(tmp_path / "new.dsl")
    code = (
        f"import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"from doorsill import HashList, Trust, ListError\n"
        f"trust = Trust.load({str(tmp_path / 'trust.txt')!r})\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        f"try: HashList.accept({str(tmp_path / 'new.dsl')!r}, {str(folder)!r}, trust, now={NOW})\n"
        f"except ListError as error: print(error)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert epoch(folder, trust) == (0 if said else 1)
    assert ("File too large" in said) == bool(said)
    needed = max(path.stat().st_size for path in tmp_path.glob("new.dsl*"))
    assert bool(said) == (room < needed)
    assert not list(folder.glob(f"{PART}*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system of its own")
def test_full_file_system(tmp_path: Path, trust: Trust) -> None:
    """On a file system of 16 kB that fills up, the accepted list goes on opening."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=28k", "none", str(small)],
                             check=False, capture_output=True)  # fmt: skip
    if mounted.returncode:
        pytest.skip("this system mounts no tmpfs")
    try:
        publisher, folder = Publisher(), small / "kept"
        accept(publisher.publish(), folder, trust)
        (small / "other").write_bytes(bytes(8192))
        refusals = 0
        for number in range(1, 4):
            release = publisher.publish().write(tmp_path / "new.dsl")
            try:
                HashList.accept(release, folder, trust, now=NOW)
            except ListError as error:
                assert "No space left" in str(error)  # noqa: PT017 - it may also fit
                refusals += 1
            assert epoch(folder, trust) in {0, number}
        assert refusals == 3
    finally:
        subprocess.run(["/bin/umount", str(small)], check=True)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, trust: Trust) -> None:
    """A read-only folder is an error that says so, and its list still opens."""
    publisher, folder = Publisher(), tmp_path / "kept"
    accept(publisher.publish(), folder, trust)
    release = publisher.publish()
    if os.geteuid() == 0:  # root may write everywhere, but not where a file stands
        with pytest.raises(ListError, match="folder that can be written"):
            accept(release, tmp_path / "trust.txt", trust)
    else:
        folder.chmod(0o555)
        with pytest.raises(ListError, match="did not finish"):
            accept(release, folder, trust)
        folder.chmod(0o755)
    assert 0 == epoch(folder, trust)


UPDATER = f"""
import sys, tempfile
from doorsill import HashList, Trust
trust = Trust.load(sys.argv[1])
if len(sys.argv) == 4: HashList.open(sys.argv[2], trust)  # everything is loaded
print("ready", flush=True)
sys.stdin.readline()
while True:
    for path in sys.argv[3:]:
        try: HashList.accept(path, sys.argv[2], trust, now={NOW})
        except Exception as error:
            if getattr(error, "kind", "") != "rolled_back": raise
"""


def test_killed_updates(tmp_path: Path, trust: Trust) -> None:
    """Kill -9 at any moment of an update: the old or the new list opens, nothing is left over."""
    publisher, folder = Publisher(), tmp_path / "kept"
    first = publisher.publish()
    start = time.perf_counter()
    accept(first, folder, trust)
    span = 2 * (time.perf_counter() - start)
    opened, before = set(), 0
    for number in range(KILLS):
        path = publisher.publish().write(tmp_path / f"{number % 2}.dsl")
        command = [
            sys.executable,
            "-c",
            UPDATER,
            str(tmp_path / "trust.txt"),
            str(folder),
            str(path),
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as updater:
            assert updater.stdout
            assert updater.stdin
            updater.stdout.readline()
            updater.stdin.write(b"\n")
            updater.stdin.flush()
            time.sleep(span * (number * 37 % 61) / 61)
            updater.send_signal(signal.SIGKILL)
        found = epoch(folder, trust)
        assert found in {before, number + 1}
        opened.add(found == number + 1)
        before = found
    assert opened == {False, True}  # the kills came before and after the moment
    accept(publisher.publish(), folder, trust)
    assert not list(folder.glob(f"{PART}*"))


def test_two_updaters_at_once(tmp_path: Path, trust: Trust) -> None:
    """Two updaters of one folder and a reader: every opening finds a whole list."""
    publisher, folder = Publisher(), tmp_path / "kept"
    paths = [str(publisher.publish().write(tmp_path / f"{i}.dsl")) for i in range(40)]
    accept(publisher.publish(), tmp_path / "elsewhere", trust)
    code = UPDATER.replace("while True:", "for _ in '1':")
    updaters = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "trust.txt"), str(folder), *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    HashList.accept(paths[0], folder, trust, now=NOW)
    for updater in updaters:
        assert updater.stdout
        updater.stdout.readline()
    for updater in updaters:
        assert updater.stdin
        updater.stdin.write(b"\n")
        updater.stdin.flush()
    seen = [0]
    while any(updater.poll() is None for updater in updaters):
        seen.append(epoch(folder, trust))
    assert seen == sorted(seen)
    for updater in updaters:
        updater.communicate()
        assert updater.returncode == 0
    assert 39 == epoch(folder, trust)
