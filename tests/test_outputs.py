"""No command writes over what it reads: rows, originals, lists, a key, a log."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from doorsill.cli import main
from doorsill.errors import RowsError
from doorsill.files import write_atomically
from doorsill.limits import Limits
from doorsill.publish.originals import hash_folder

CAT = Path(__file__).parent / "data/images/cat.jpg"
PLAN = '[[sources]]\npath = "rows.csv"\nmap = "map.toml"\n'


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with one of everything that a publisher's command reads."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "originals").mkdir()
    shutil.copy(CAT, "originals/cat.jpg")
    (tmp_path / "rows.csv").write_text(f"hash,quality,name\n{'0123456789abcdef' * 4},100,one\n")
    (tmp_path / "link.csv").hardlink_to("rows.csv")
    (tmp_path / "map.toml").write_text('pdq = "hash"\n')
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "log").mkdir()
    (tmp_path / "log/checkpoint").write_text("not read before the output is looked at")
    assert 0 == main(["list", "build", "rows.csv", "-o", "a.dsl"])
    assert 0 == main(["list", "build", "originals", "-o", "b.dsl", "--epoch", "1"])
    assert 0 == main(["list", "diff", "a.dsl", "b.dsl", "-o", "d"])
    shutil.copy("a.dsl", "a.sealing")
    assert 0 == main(["keys", "new", "h.example/list", "--role", "sealing", "-o", "key"])
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    """Return all files and their bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        "list build rows.csv -o rows.csv",
        "list build rows.csv -o link.csv",
        "list build rows.csv -o ./originals/../rows.csv",
        "list build rows.csv -o new.dsl --report rows.csv",
        "list build rows.csv -o new.dsl --report new.dsl",
        "list build rows.csv -o new.dsl --report a.dsl --previous a.dsl",
        "list build rows.csv -o a.dsl --previous a.dsl",
        "list build rows.csv -o new.dsl --report originals/cat.jpg --canaries originals",
        "list build originals -o originals/cat.jpg",
        "list build originals -o originals/new.dsl",
        "list build plan.toml -o plan.toml",
        "list build plan.toml -o rows.csv",
        "list build plan.toml -o map.toml",
        "list rows originals -o originals/cat.jpg",
        "list seal a.dsl -o a.dsl --key key",
        "list seal a.dsl -o key --key key",
        "list seal a.sealing -o a --key key",
        "list diff a.dsl b.dsl -o a.dsl",
        "list diff a.dsl b.dsl -o b.dsl",
        "list apply a.dsl d -o d",
        "list apply a.dsl d -o a.dsl",
        "audit report log -o log/checkpoint",
        "audit report log --policy map.toml -o map.toml",
        "audit report log --policy map.toml --releases originals -o originals/page.html",
    ],
)
def test_inputs_are_not_written_over(
    desk: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An output that is an input, or lies in one, is an error that names it; nothing changes."""
    before = contents(desk)
    assert 2 == main(command.split())
    assert "to write to" in capsys.readouterr().err
    assert before == contents(desk)


def test_a_line_that_is_no_row_is_not_cut_off(desk: Path) -> None:
    """A file without a line end is only cut where a kill may have left part of a row."""
    letter = desk / "letter.txt"
    letter.write_text("Dear all,")
    with pytest.raises(RowsError, match="something else"):
        hash_folder(desk / "originals", letter, Limits())
    assert "Dear all," == letter.read_text()
    for part in ("", "{", '{"key": "half a li'):
        letter.write_text(part)
        assert (1, 1) == hash_folder(desk / "originals", letter, Limits())[:2]


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_says_who_may_read(tmp_path: Path, umask: int, mode: int) -> None:
    """A raw list is as private as its publisher's umask makes every file, from the first byte."""
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "list.dsl", b"hashes")
        write_atomically(tmp_path / "list.dsl", b"newer ones")
    finally:
        os.umask(before)
    assert mode == (tmp_path / "list.dsl").stat().st_mode & 0o777
    assert [tmp_path / "list.dsl"] == [*tmp_path.iterdir()]


def test_errors_name_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """What cannot be written is named, not the part that would have become it."""
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "no/such/list.dsl"):
        with pytest.raises(OSError, match="directory") as caught:
            write_atomically(path, b"hashes")
        assert str(path) == caught.value.filename
    assert [tmp_path / "folder"] == [*tmp_path.iterdir()]
