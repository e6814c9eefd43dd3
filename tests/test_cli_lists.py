"""The command line's lists: what --trust and --tier ask for, and lists past their date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorsill.cli import main
from publisher import NOW, Publisher

CAT = Path(__file__).parent / "data/images/cat.jpg"


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a signed list, long past its date, and its trust policy into the working folder."""
    publisher = Publisher()
    publisher.publish(now=NOW - 300 * 86400).write(tmp_path / "list.dsl")
    (tmp_path / "trust.txt").write_bytes(publisher.policy)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.time", lambda: float(NOW))


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("command", [("screen", str(CAT), "--isolation", "inline"), ("doctor",)])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--list", "list.dsl", "--tier", "signed"), "--tier signed needs --trust"),
        (("--list", "list.dsl", "--trust", ""), "--trust is empty"),
        (("--list", "list.dsl", "--trust", "", "--tier", "approved"), "--trust is empty"),
        (("--trust", "nope.txt"), "--trust nope.txt needs --list"),
        (("--tier", "signed"), "--tier signed needs --trust"),
        (("--list", "list.dsl", "--trust", "nope.txt"), "nope.txt: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_asks_for_trust_is_never_passed_over(
    command: tuple[str, ...],
    asked: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A demand that cannot be met as it stands is an error: no list is opened without it."""
    assert 2 == main([*command, *asked])
    printed = capsys.readouterr()
    assert ("", True) == (printed.out, printed.err.startswith(f"doorsill: {said}"))


@pytest.mark.usefixtures("signed")
def test_a_stale_list_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`screen` says under its summary that a list is past its date, `doctor` in a row and a key."""
    asked = ["--list", "list.dsl", "--trust", "trust.txt", "--isolation", "inline"]
    assert 0 == main(["screen", str(CAT), *asked])
    assert "list.dsl: past its use_until of 20" in capsys.readouterr().err
    main(["doctor", *asked])
    assert "past its use_until; fetch the newest release" in capsys.readouterr().out
    main(["doctor", "--json", *asked])
    assert ["a list"] == json.loads(capsys.readouterr().out)["stale"]
    main(["doctor", "--json", "--isolation", "inline"])
    assert [] == json.loads(capsys.readouterr().out)["stale"]
