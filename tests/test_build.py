"""From rows and originals to a list: nothing is dropped silently, nothing is listed by accident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doorsill import Evidence, Gate, HashList, ListError, Outcome, Trust
from doorsill.errors import RowsError
from doorsill.publish.build import ListWords, Report, build_list

IMAGES = Path(__file__).parent / "data/images"
WORDS = ListWords(name="list", publisher="publisher", category="category")
GOOD = "0ebf9c007b40e2cfb8018c0c695feeb2e0cfbccaf466c2683fbf205b11ad7742"


def build(tmp_path: Path, rows: str, words: ListWords = WORDS) -> tuple[Report, HashList]:
    """Build a list from the text of a CSV."""
    source, output = tmp_path / "rows.csv", tmp_path / "list.dsl"
    source.write_bytes(rows.encode("utf-8", "surrogateescape"))
    report = build_list([source], output, words)
    return report, HashList.open(output, Trust.none())


@pytest.mark.parametrize(
    "rows",
    [
        f"hash,quality,name\n{GOOD},100,a\n",
        f"\ufeffhash,quality,name\r\n{GOOD},100,a\r\n",
        f"{GOOD},100,a\n",
        f"name,filename,hash\nx,a,{GOOD.upper()}\n",
        f'"hash","quality","name"\n"{GOOD}","100","a, b"\n',
    ],
)
def test_csv_forms(tmp_path: Path, rows: str) -> None:
    """With or without header, BOM, quotes and CRLF, one row is one entry."""
    report, opened = build(tmp_path, rows)
    assert (1, 1, 1) == (report.entries, report.hashes, len(opened))
    assert ("pdq", "unknown", 2) == (
        opened.hashers[0].name,
        opened.hashers[0].profile,
        opened.hashers[0].rows,
    )


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("xyz,100,a", "not hexadecimal"),
        ("zz" * 32 + ",100,a", "not hexadecimal"),
        (GOOD[:32] + " " + GOOD[32:63] + ",100,a", "64 hex digits"),
        (GOOD[:62] + ",100,a", "64 hex digits"),
        (GOOD + ",101,a", "0..100"),
        (GOOD + ",many,a", "no number"),
        (GOOD + ",49,a", "under 50"),
        (GOOD + ",100,other", "listed once"),
    ],
)
def test_refused_rows_are_reported(tmp_path: Path, row: str, why: str) -> None:
    """Each row that is left out stands in the report with its line and reason."""
    name = "other" if "once" in why else "first"
    report, _ = build(tmp_path, f"hash,quality,name\n{GOOD},100,{name}\n{row}\n")
    notes = [note for note in report.notes if ":3:" in note]
    assert why in notes[0]
    assert 1 == report.entries


def test_open_quote_is_no_silent_loss(tmp_path: Path) -> None:
    """A quote that is never closed does not swallow the rows after it unseen."""
    rows = f'hash,quality,name\n{GOOD},100,ok\n{GOOD},100,"open\n{GOOD},100,lost\n'
    with pytest.raises(RowsError, match="CSV"):
        build(tmp_path, rows)


def test_no_row_of_use(tmp_path: Path) -> None:
    """A file of nothing but bad rows makes no list; one without rows says that it has none."""
    with pytest.raises(RowsError, match="no row"):
        build(tmp_path, "hash,quality,name\nxyz,1,a\n")
    report, opened = build(tmp_path, "hash,quality,name\n")
    assert (0, True) == (len(opened), "no row was found" in report.notes[0])


def test_originals(tmp_path: Path) -> None:
    """An original matches as the same file, and by its pixels."""
    output = tmp_path / "list.dsl"
    report = build_list([IMAGES / "cat.jpg"], output, WORDS)
    gate = Gate(HashList.open(output, Trust.none()), isolation="inline")
    assert (1, 1) == (report.entries, report.hashes)
    assert Evidence.EXACT == gate.screen(IMAGES / "cat.jpg").evidence
    assert Outcome.CLEAR == gate.screen(IMAGES / "brick.jpg").outcome


def test_folders_list_no_stray_files(tmp_path: Path) -> None:
    """Empty files, notes and other strays of a folder are reported, not listed."""
    folder = tmp_path / "originals"
    folder.mkdir()
    (folder / ".gitkeep").touch()
    (folder / "notes.txt").write_text("hash,quality,name")
    (folder / "cat.jpg").write_bytes((IMAGES / "cat.jpg").read_bytes())
    report = build_list([folder], tmp_path / "list.dsl", WORDS)
    assert 1 == report.entries
    assert {".gitkeep", "notes.txt"} == {Path(note.split(": ")[0]).name for note in report.notes}


def test_named_files_of_any_kind(tmp_path: Path) -> None:
    """A video that is named itself is listed by its digests."""
    video = tmp_path / "video.mp4"
    video.write_bytes(b"\0\0\0\x18ftypmp42 and so on")
    build_list([video], tmp_path / "list.dsl", WORDS)
    gate = Gate(HashList.open(tmp_path / "list.dsl", Trust.none()), isolation="inline")
    assert Evidence.EXACT == gate.screen(video).evidence


def test_pipes_do_not_hang(tmp_path: Path) -> None:
    """A pipe is no list and no original, at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ListError, match="regular"):
        HashList.open(tmp_path / "pipe", Trust.none())
    with pytest.raises(RowsError, match="regular"):
        build_list([tmp_path / "pipe"], tmp_path / "list.dsl", WORDS)


def test_words_that_break_the_format(tmp_path: Path) -> None:
    """A link that is not https is the writer's mistake, told as such; the old list stays."""
    output = tmp_path / "list.dsl"
    build(tmp_path, f"{GOOD},100,a\n")
    before = output.read_bytes()
    bad = ListWords(name="n", publisher="p", category="c", help_link="http://example.org")
    with pytest.raises(ListError, match=r"not written.*https"):
        build(tmp_path, f"{GOOD},100,a\n", bad)
    assert before == output.read_bytes()
