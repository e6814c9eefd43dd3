"""What the command line says of wrong arguments and files: what happened, to which, what to do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doorsill import HashList
from doorsill.cli import main
from sealing import sealed_file

if TYPE_CHECKING:
    from collections.abc import Callable

CAT = Path(__file__).parent / "data/images/cat.jpg"
Said = tuple[int, str]


@pytest.fixture
def say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Return what runs a command in an empty folder and tells its status and all that it prints."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any) -> Said:
        try:
            status = main([str(each) for each in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return status, " ".join((printed.out + printed.err).split())

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("list build r -o l --limit x", "argument --limit: 'x' does not do; a PDQ limit in bits"),
        ("list build r -o l --limit 65", "is a whole number in 0..64"),
        ("list build r -o l --epoch -1", "an epoch is a whole number in 0..18446744073709551615"),
        ("list seal a -o b --key k --sealing-epoch -1", "'-1' does not do; a sealing epoch"),
        ("list seal a -o b --key k --jobs 0", "a number of processes is a whole number of 1 or mo"),
        ("list seal a -o b --key k --token-key zz", "a public key is 64 hex digits"),
        ("list build r -o l --name a\udcffb", "'a\\udcffb' is not text in UTF-8; type it anew"),
        ("list build r -o l --message a\udcffb", "argument --message: "),
    ],
    ids=lambda value: ascii(value)[-30:],
)
def test_arguments_say_what_would_do(say: Callable[..., Said], arguments: str, said: str) -> None:
    """A value that cannot be is answered with what it is for and what it may be."""
    status, printed = say(*arguments.split(" "))
    assert (2, True) == (status, said in printed), printed


def test_help_is_written_as_it_is(say: Callable[..., Said]) -> None:
    """A description begins with a capital and keeps its others."""
    assert "Print PDQ hashes." in say("hash", "--help")[1]
    assert "Make a key: Ed25519, or a sealing" in say("keys", "new", "--help")[1]


def test_a_delta_that_does_not_fit_is_named(say: Callable[..., Said], tmp_path: Path) -> None:
    """Whichever is wrong with a delta, the error begins with its file."""
    shutil.copy(CAT, tmp_path)
    for number in ("0", "1", "2"):
        say("list", "build", "cat.jpg", "-o", f"{number}.dsl", "--epoch", number)
    say("list", "diff", "0.dsl", "1.dsl", "-o", "01.delta")
    status, printed = say("list", "apply", "2.dsl", "01.delta", "-o", "new.dsl")
    assert (2, True) == (status, printed.startswith("doorsill: 01.delta: the delta does not fit"))
    (tmp_path / "bent.delta").write_bytes(b"x")
    assert "doorsill: bent.delta: " in say("list", "apply", "0.dsl", "bent.delta", "-o", "n")[1]


def test_a_column_map_names_its_keys(say: Callable[..., Said], tmp_path: Path) -> None:
    """A key that no column map has is named, with those that there are."""
    (tmp_path / "map.toml").write_text('pdq = "hash"\nphash = "other"\n')
    (tmp_path / "plan.toml").write_text('[[sources]]\npath = "r.csv"\nmap = "map.toml"\n')
    (tmp_path / "r.csv").write_text("hash\n")
    status, printed = say("list", "build", "plan.toml", "-o", "l.dsl")
    assert 2 == status
    assert re.search(r"map\.toml: 'phash' means nothing here; known are format, deli", printed)


def test_missing_photos_are_missing(say: Callable[..., Said], tmp_path: Path) -> None:
    """A folder that is not there is not one with too few photos."""
    sealed = sealed_file(tmp_path)
    status, printed = say("audit", "leak", sealed, "--photos", "nope")
    assert (2, "doorsill: nope: not a folder; name one with harmless photos") == (status, printed)


def test_nothing_to_hash(say: Callable[..., Said], tmp_path: Path) -> None:
    """An empty folder is told, for a script would take silence for a success."""
    (tmp_path / "empty").mkdir()
    assert (2, "doorsill: empty: no file is in there; name a folder with pictures") == say(
        "hash", "empty"
    )


def test_a_path_is_no_trust(tmp_path: Path) -> None:
    """The path of a trust policy in place of a Trust is answered with what loads it."""
    paths: list[Any] = ["trust.txt", tmp_path / "trust.txt", None]
    for trust in paths:
        with pytest.raises(TypeError, match=r"pass Trust\.load\("):
            HashList.open(tmp_path / "list.dsl", trust)
        with pytest.raises(TypeError, match=r"pass Trust\.load\("):
            HashList.accept(tmp_path / "list.dsl", tmp_path, trust)
