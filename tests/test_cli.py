"""The command line: exit statuses, what is printed where, and errors that are sentences."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import doorsill as package
from doorsill import cli
from doorsill.cli import screen as cli_screen
from doorsill.cli.output import clean, table

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES = Path(__file__).parent / "data" / "images"
DATA = Path(package.__file__).parent / "data"
LISTED, CAT = DATA / "lighthouse.jpg", IMAGES / "cat.jpg"
DEMO = ("--list", str(DATA / "demo.dsl"))


def doorsill(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would."""
    command = [sys.executable, "-m", "doorsill", *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", **options
    )


def objects(*arguments: object) -> list[dict[str, Any]]:
    """Return what a command prints with --json."""
    return [json.loads(line) for line in doorsill(*arguments, "--json").stdout.splitlines()]


def is_sentence(stderr: str) -> bool:
    """Tell whether stderr holds one complaint and no traceback."""
    return (
        stderr.startswith("doorsill: ")
        and stderr.count("\n") == 1
        and ("; " in stderr or ". " in stderr)
    )


# ---- screen


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a picture that is cut in half."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(CAT.read_bytes()[:9000])
    return path


@pytest.mark.parametrize(
    ("pick", "status"),
    [
        (lambda _: [CAT], 0),
        (lambda _: [LISTED], 1),
        (lambda broken: [broken], 2),
        (lambda broken: [CAT, broken, LISTED], 1),
        (lambda _: [CAT, "missing.jpg"], 2),
        (lambda _: [IMAGES / "README.md", IMAGES / "clock.jpg"], 0),
    ],
    ids=["clear", "match", "unreadable", "match first", "missing", "out of scope"],
)
def test_screen_status(broken: Path, pick: Callable[[Path], list[object]], status: int) -> None:
    """1 if any picture matches, else 2 if any could not be told, else 0."""
    assert status == doorsill("screen", *DEMO, *pick(broken)).returncode


def test_screen_json() -> None:
    """A match has every field that a script needs."""
    (found,) = objects("screen", *DEMO, LISTED)
    assert (str(LISTED), "match", "block", "exact") == (
        found["path"],
        found["outcome"],
        found["action"],
        found["evidence"],
    )
    assert found["reason"]
    assert found["milliseconds"] > 0
    (match,) = found["matches"]
    assert {"list", "entry", "category", "hasher", "distance"} <= match.keys()
    assert (
        match["list"],
        match["hasher"],
        match["distance"],
    ) == ("DEMO list of harmless pictures", "sha256", 0)


def test_screen_without_a_list_is_loud() -> None:
    """Without --list stderr says that only the DEMO list is compared; with one it is silent."""
    said = doorsill("screen", CAT)
    assert said.stderr.startswith("NO LIST GIVEN")
    assert "DEMO" in said.stderr
    assert not doorsill("screen", *DEMO, CAT).stderr


def test_screen_walks_folders(tmp_path: Path) -> None:
    """Folders are walked to the bottom, in sorted order, without following links to folders."""
    for name in ("b/2.jpg", "b/1.jpg", "a/deep/er.jpg", "c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(CAT.read_bytes())
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [Path(each["path"]) for each in objects("screen", *DEMO, tmp_path)]
    names = [str(path.relative_to(tmp_path)) for path in found if path.name != "loop"]
    assert names == ["c.jpg", "a/deep/er.jpg", "b/1.jpg", "b/2.jpg"]


def test_screen_explains() -> None:
    """--explain shows views, hashes, distances, digests and the rule that decided."""
    said = doorsill("screen", *DEMO, "--explain", IMAGES / "rocket.jpg").stdout
    for part in ("view: as shown", "pdq full", "pdq cpp512", "0 bits of 31", "sha256", "rule: "):
        assert part in said
    (found,) = objects("screen", *DEMO, "--explain", IMAGES / "rocket.jpg")
    near = found["views"][0]["nearest"][0]
    assert (near["distance"], near["limit"], near["orientation"]) == (0, 31, 0)


def test_screen_never_accuses() -> None:
    """What a person reads says where it was checked, and neither accuses nor promises silence."""
    said = doorsill("screen", *DEMO, LISTED, CAT).stdout
    assert "Checked on this device; doorsill sends nothing." in said
    for word in ("report", "illegal", "suspect", "criminal", "abuse"):
        assert word not in said.lower()


# ---- hash, compare


def test_hash_json() -> None:
    """A hash comes with path, hasher, profile and quality, in either profile."""
    for profile in ("full", "cpp512"):
        (made,) = objects("hash", "--profile", profile, CAT)
        assert (str(CAT), "pdq", profile, 100) == (
            made["path"],
            made["hasher"],
            made["profile"],
            made["quality"],
        )
        assert len(bytes.fromhex(made["hash"])) == 32


def test_hash_goes_on() -> None:
    """What cannot be hashed is named on stderr; the rest is hashed, and the status is 2."""
    said = doorsill("hash", IMAGES / "README.md", CAT)
    assert is_sentence(said.stderr)
    assert len(said.stdout.splitlines()) == 1
    assert said.returncode == 2


def test_compare() -> None:
    """Two pictures are compared with their distance and the usual limit."""
    (same,) = objects("compare", CAT, CAT)
    (other,) = objects("compare", CAT, LISTED)
    assert (same["distance"], same["limit"], same["within"]) == (0, 31, True)
    assert other["distance"] > 60
    assert not other["within"]
    assert "of 256 bits differ" in doorsill("compare", CAT, LISTED).stdout


# ---- list


def test_list_from_rows_and_originals(tmp_path: Path) -> None:
    """A list built from a CSV and a folder matches both, and shows what it can do."""
    (made,) = objects("hash", IMAGES / "rocket.jpg")
    rows, originals, output = tmp_path / "rows.csv", tmp_path / "originals", tmp_path / "l.dsl"
    rows.write_text(f"hash,quality,name\n{made['hash']},100,rocket\nzz,1,bad\n", encoding="utf-8")
    originals.mkdir()
    (originals / "cat.jpg").write_bytes(CAT.read_bytes())
    words = (
        "--name",
        "test list",
        "--publisher",
        "me",
        "--epoch",
        3,
        "--help-link",
        "https://h.example",
    )
    built = doorsill("list", "build", rows, originals, "-o", output, *words)
    assert built.returncode == 0
    assert "rows.csv:3" in built.stderr
    (shown,) = objects("list", "show", output)
    assert (
        shown["name"],
        shown["entries"],
        shown["epoch"],
        shown["test_card"],
        shown["trust"],
    ) == ("test list", 2, 3, True, "none")
    assert {"full", "unknown"} == {hasher["profile"] for hasher in shown["hashers"]}
    assert shown["publishers"] == {"0": "me"}
    assert shown["categories"][0]["help"] == "https://h.example"
    assert "test card" in doorsill("list", "show", output).stdout
    found = objects("screen", "--list", output, CAT, IMAGES / "rocket.jpg", LISTED)
    assert [each["evidence"] for each in found] == ["exact", "single", "none"]


def test_seed_entries_only_warn(tmp_path: Path) -> None:
    """Entries marked as not reviewed never lead to more than a warning."""
    output = tmp_path / "l.dsl"
    doorsill("list", "build", CAT, "-o", output, "--seed-entries")
    (found,) = objects("screen", "--list", output, CAT)
    assert (found["outcome"], found["action"]) == ("match", "warn")


# ---- doctor


def test_doctor() -> None:
    """Doctor proves the wiring with the test card and says what is installed."""
    (facts,) = objects("doctor")
    assert facts["test_card"]["passed"]
    assert facts["test_card"]["hashes_as_published"]
    assert {"version", "kernel", "codecs", "heif", "trust", "protection"} <= facts.keys()
    said = doorsill("doctor")
    assert said.returncode == 0
    assert "works" in said.stdout


# ---- errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("screen", "--list", "missing.dsl", CAT),
        ("screen", "--list", CAT, CAT),
        ("screen", *DEMO, "missing.jpg"),
        ("hash", "missing.jpg"),
        ("compare", CAT, "missing.jpg"),
        ("list", "show", "missing.dsl"),
        ("list", "show", CAT),
        ("list", "build", "missing.csv", "-o", "out.dsl"),
        ("list", "build", IMAGES / "README.md", "-o", "no/such/folder/out.dsl"),
        ("doctor", "--list", "missing.dsl"),
        ("demo", "--html", "no/such/folder/out.html"),
    ],
    ids=lambda arguments: " ".join(Path(str(a)).name for a in arguments),
)
def test_errors_are_sentences(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    """An error is one line: which file, what happened, what to do; the status is 2."""
    said = doorsill(*arguments, cwd=tmp_path)
    assert said.returncode == 2
    complaint = said.stderr.splitlines()[-1] + "\n"
    assert is_sentence(complaint), said.stderr
    assert "Traceback" not in said.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [(), ("screen",), ("list",), ("frobnicate",)], ids=str)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    """A wrong command line ends with usage and status 2."""
    said = doorsill(*arguments)
    assert said.returncode == 2
    assert said.stderr.startswith("usage: doorsill")


def test_faults_are_sentences_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even a fault of doorsill's own is one line that asks to be reported."""

    def fail(_: object) -> int:
        raise LookupError("oh \x1b[31mno")

    monkeypatch.setattr(cli_screen, "screen", fail)
    assert cli.main(["screen", "x"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("doorsill: LookupError: oh \\x1b[31mno; ")


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends with 130 and says nothing."""

    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_screen, "screen", interrupt)
    assert cli.main(["screen", "x"]) == 130
    assert capsys.readouterr() == ("", "")


def test_closed_pipe() -> None:
    """Whoever stops reading (`| head`) is not told about it."""
    command = [sys.executable, "-m", "doorsill", "hash", str(CAT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141


# ---- terminals


@pytest.mark.parametrize("name", ["e\x1b[31mvil\n.jpg", "\u202egpj.exe.jpg", "\udcff.jpg"])
def test_names_stay_text(tmp_path: Path, name: str) -> None:
    """Control, bidi and undecodable characters of a file's name never reach the terminal raw."""
    path = tmp_path / name
    path.write_bytes(CAT.read_bytes())
    for command in (("screen", *DEMO), ("screen", *DEMO, "--json"), ("hash",), ("compare", path)):
        said = doorsill(*command, path)
        assert said.returncode == 0
        printed = (said.stdout + said.stderr).replace("\n", "")
        assert printed.isprintable()
    missing = doorsill("hash", tmp_path / f"missing{name}")
    assert is_sentence(missing.stderr)


def test_clean() -> None:
    """Ordinary letters of any script stay; what is invisible is written out."""
    assert clean("Löwe 獅子 🦁") == "Löwe 獅子 🦁"
    assert clean("a\tb\u200b\u2066") == "a\\tb\\u200b\\u2066"


def test_tables_align(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers stand to the right, words to the left, without trailing spaces."""
    table(("name", "n"), [("a", 5), ("bcdef", 100)])
    assert capsys.readouterr().out == "  name   n\n  a        5\n  bcdef  100\n"


def on_terminal(*arguments: object, **environment: str) -> str:
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "doorsill", *map(str, arguments)]
    plain = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=plain | environment
    ):
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # Linux says so at the end
            pass
    os.close(ours)
    return b"".join(parts).decode()


def test_colour_and_bar_only_on_terminals() -> None:
    """A terminal gets colour and a progress bar; NO_COLOR and a pipe get neither colour."""
    shown = on_terminal("screen", *DEMO, CAT, LISTED)
    assert "\x1b[1;31mBLOCK\x1b[0m" in shown
    assert "1/2" in shown
    bare = on_terminal("screen", *DEMO, CAT, LISTED, NO_COLOR="1")
    assert "\x1b[1;31m" not in bare
    assert "\x1b" not in doorsill("screen", *DEMO, CAT, LISTED).stdout


# ---- files


def test_writes_only_what_is_named(tmp_path: Path) -> None:
    """No command leaves a file anywhere but where it was told to."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    place = os.environ | {"HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": str(home)}
    for arguments in (
        ("screen", *DEMO, IMAGES),
        ("hash", CAT),
        ("doctor",),
        ("demo", "--html", "page.html"),
        ("list", "build", CAT, "-o", "made.dsl"),
    ):
        assert doorsill(*arguments, cwd=work, env=place).returncode in {0, 1}
    assert sorted(path.name for path in work.iterdir()) == ["made.dsl", "page.html"]
    assert not list(home.iterdir())
