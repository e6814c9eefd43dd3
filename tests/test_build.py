"""From rows and originals to a list: nothing is dropped silently, nothing is listed by accident."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from doorsill import Evidence, Gate, HashList, ListError, Outcome, Trust, core
from doorsill.errors import RowsError
from doorsill.lists import SEED, TEST, WARN, Text
from doorsill.publish.build import ListWords, Report, build_list
from doorsill.publish.plan import read_plan
from doorsill.publish.sections import Kind, ListFile
from lists import flip

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
        (GOOD[:32] + " " + GOOD[32:63] + ",100,a", "not hexadecimal"),
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


# ---- the same rows, the same bytes


def photo_like(number: int) -> str:
    """Return a hash in hex of which half the bits are set, as in photographs'."""
    half = hashlib.md5(b"%d" % number, usedforsecurity=False).digest()
    return (half + bytes(255 - byte for byte in half)).hex()


def many_rows(count: int) -> list[str]:
    """Return lines of rows files by three publishers, who agree on much and update some."""
    lines = []
    for number in range(count):
        for publisher in "abc"[: 1 + number % 3]:
            fields = {"key": f"{number}", "publisher": publisher, "category": f"C{number % 2}",
                      "time": number, "flags": number % 7 == 0,
                      "md5": hashlib.md5(b"f%d" % (number // 2), usedforsecurity=False).hexdigest(),
                      "pdq": [["unknown", photo_like(number), 100]]}  # fmt: skip
            lines.append(json.dumps(fields))
            if number % 5 == 0:
                lines.append(json.dumps(fields | {"time": number + 1, "removed": number % 2 == 0}))
    return lines


def test_same_bytes_from_any_order(tmp_path: Path) -> None:
    """Shuffled rows, in other portions and files, by a Python with other hash seeds: one list."""
    lines = many_rows(300)
    made = set()
    for seed in range(4):
        Random(seed).shuffle(lines)  # noqa: S311 - no secret
        cut = (seed * 97) % len(lines)
        for name, part in (("a.jsonl", lines[:cut]), ("b.jsonl", lines[cut:])):
            (tmp_path / name).write_text("\n".join(part) + "\n" if part else "")
        code = (
            "import sys; from pathlib import Path; from doorsill.publish import store\n"
            f"store._BATCH = {1 + 100 * seed}\n"
            "from doorsill.publish.build import ListWords, build_list\n"
            "w = ListWords(name='n', publisher='p', category='c')\n"
            "build_list([Path('a.jsonl'), Path('b.jsonl')], Path('l.dsl'), w)\n"
        )
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, text=True,
                       env=os.environ | {"PYTHONHASHSEED": str(seed)})  # fmt: skip
        made.add((tmp_path / "l.dsl").read_bytes())
    assert 1 == len(made)


def naive_entries(lines: list[str]) -> set[tuple[object, ...]]:
    """Return (category, flags, publishers, hashes) of entries: the latest word, joined plainly."""
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in map(json.loads, lines):
        before = latest.get((row["publisher"], row["key"]))
        if before is None or row["time"] > before["time"]:
            latest[row["publisher"], row["key"]] = row
    rows = [row for row in latest.values() if not row.get("removed")]
    joined: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in rows:
        joined.setdefault((row["category"], int(row["flags"]), row["md5"]), []).append(row)
    return {(category, flags, frozenset(row["publisher"] for row in group),
             frozenset(row["pdq"][0][1] for row in group))
            for (category, flags, _), group in joined.items()}  # fmt: skip


def test_all_who_vouch_are_kept(tmp_path: Path) -> None:
    """Entries, categories, flags and publishers are what a plain reading of the rows gives."""
    lines = many_rows(200)
    (tmp_path / "r.jsonl").write_text("\n".join(lines) + "\n")
    build_list([tmp_path / "r.jsonl"], tmp_path / "l.dsl", WORDS)
    made = ListFile.open(tmp_path / "l.dsl")
    planes = made.section(Kind.PLANE, 0, 0)
    plane_of = {core.pdq_planes(bytes.fromhex(photo_like(n)))[0]: photo_like(n) for n in range(200)}
    hashes: dict[int, set[str]] = {}
    for row, entry in enumerate(made.row_entries(0)):
        hashes.setdefault(entry, set()).add(plane_of.get(planes[16 * row : 16 * row + 16], "card"))
    found = set()
    for index in range(made.entries):
        entry = made.list.entry(index)
        if not entry.flags & TEST:
            names = frozenset(made.list.text(Text.PUBLISHER, p) for p in entry.publishers)
            category = made.list.text(Text.CATEGORY, entry.category)
            found.add((category, entry.flags, names, frozenset(hashes[index])))
    assert naive_entries(lines) == found


def rows_file(tmp_path: Path, *rows: dict[str, object], name: str = "r.jsonl") -> Path:
    """Write a rows file."""
    path = tmp_path / name
    path.write_text("".join(json.dumps({"key": str(n)} | row) + "\n" for n, row in enumerate(rows)))
    return path


def test_contradicting_digests_are_not_joined(tmp_path: Path) -> None:
    """Two that share an MD5 and differ in SHA-1 are two entries, and it is told."""
    md5 = "ab" * 16
    path = rows_file(tmp_path, {"md5": md5, "sha1": "11" * 20, "publisher": "a"},
                     {"md5": md5, "sha1": "22" * 20, "publisher": "b"},
                     {"md5": md5, "sha1": "22" * 20, "publisher": "c"})  # fmt: skip
    report = build_list([path], tmp_path / "l.dsl", WORDS)
    assert 2 == report.entries
    assert any("another sha1" in note for note in report.notes)


def test_what_cannot_match_is_counted(tmp_path: Path) -> None:
    """PhotoDNA alone makes an entry that says so; `list show` counts it."""
    path = rows_file(tmp_path, {"unusable": ["PhotoDNA"]}, {"md5": "ab" * 16},
                     {"pdq": [["full", "00" * 32, 100]]},
                     {"md5": hashlib.md5(usedforsecurity=False).hexdigest()})  # fmt: skip
    report = build_list([path], tmp_path / "l.dsl", WORDS)
    assert (2, {"PhotoDNA": 1}, 2) == (report.entries, report.unusable, report.counts["refused"])
    assert 1 == ListFile.open(tmp_path / "l.dsl").without_anything()


def test_previous_release(tmp_path: Path) -> None:
    """What went is named as withdrawn, once; publishers and categories keep their numbers."""

    def build_next(name: str, *rows: dict[str, object], previous: str | None = None) -> ListFile:
        path = rows_file(tmp_path, *rows)
        build_list(
            [path], tmp_path / name, WORDS, previous=tmp_path / previous if previous else None
        )
        return ListFile.open(tmp_path / name)

    one = {"key": "one", "md5": "11" * 16, "publisher": "m", "category": "x"}
    two = {"key": "two", "md5": "22" * 16, "publisher": "a", "category": "b"}
    first = build_next("1.dsl", one)
    second = build_next("2.dsl", one, two, previous="1.dsl")
    assert ["m", "a"] == [second.list.text(Text.PUBLISHER, n) for n in range(2)]
    assert ["x", "b", "test card"] == [second.list.text(Text.CATEGORY, n) for n in range(3)]
    third = build_next("3.dsl", two, previous="2.dsl")
    gone = {id_ for id_ in first.ids() if id_ in second.ids() and id_ not in third.ids()}
    assert [(gone.pop(), 2)] == third.withdrawn()
    assert ["", "a"] == [third.list.text(Text.PUBLISHER, n) for n in range(2)]
    back = build_next("4.dsl", one, previous="3.dsl")
    assert ([(id_, 3) for id_ in second.ids() if id_ not in back.ids()]) == back.withdrawn()
    with pytest.raises(RowsError, match="epoch 2 is not after 3"):
        build_list([rows_file(tmp_path, one)], tmp_path / "5.dsl", replace(WORDS, epoch=2),
                   previous=tmp_path / "4.dsl")  # fmt: skip


def test_canaries(tmp_path: Path) -> None:
    """A list with anything near a harmless picture is not written, and the entry is named."""
    near = flip(bytes.fromhex(GOOD), 30)
    path = rows_file(tmp_path, {"pdq": [["unknown", near.hex(), 100]]})
    far = rows_file(tmp_path, {"pdq": [["full", photo_like(1), 100]]}, name="far.jsonl")
    harmless = rows_file(tmp_path, {"pdq": [["full", GOOD, 100]]}, name="canary.jsonl")
    build_list([path], tmp_path / "l.dsl", WORDS, canaries=[far])
    (tmp_path / "l.dsl").unlink()
    with pytest.raises(RowsError, match="1 entries are near harmless"):
        build_list([path], tmp_path / "l.dsl", WORDS, canaries=[far, harmless])
    assert not (tmp_path / "l.dsl").exists()


def test_crowds(tmp_path: Path) -> None:
    """One picture that is listed over and over, a little different each time, is flagged."""
    crowd = [{"pdq": [["full", flip(bytes.fromhex(GOOD), bits).hex(), 100]]} for bits in range(12)]
    apart = [{"pdq": [["full", photo_like(n), 100]]} for n in range(30)]
    report = build_list([rows_file(tmp_path, *crowd, *apart)], tmp_path / "l.dsl", WORDS)
    flagged = [note for note in report.notes if "near-duplicates" in note]
    assert 12 == len(flagged)


def test_plan(tmp_path: Path) -> None:
    """A plan gives each source its publisher, category and flags, and people their words."""
    (tmp_path / "a.csv").write_text(f"hash\n{GOOD}\n")
    (tmp_path / "b.csv").write_text(f"hash,md5,k\n,{'ab' * 16},yes\n,{'cd' * 16},no\n")
    (tmp_path / "m.toml").write_text('md5 = "md5"\ncategory = "k"\n')
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'name = "planned"\nmessage = "all"\n[publishers]\nhot = "Hotline"\n[categories.A1]\n'
        'name = "Category A1"\nmessage = "own"\nhelp_link = "https://h.example"\n'
        '[[sources]]\npath = "a.csv"\npublisher = "hot"\ncategory = "A1"\nprofile = "full"\n'
        '[[sources]]\npath = "b.csv"\nmap = "m.toml"\nseed = true\nwarn = true\n'
        'categories = { yes = "A1" }\n'
    )
    sources, words = read_plan(plan, WORDS)
    report = build_list(sources, tmp_path / "l.dsl", words)
    made = HashList.open(tmp_path / "l.dsl", Trust.none())
    assert ("planned", 2, 1) == (made.name, report.entries, report.counts["refused"])
    assert {"Hotline", "publisher"} == {made.text(Text.PUBLISHER, n) for n in range(2)}
    assert ("Category A1", "own") == (made.text(Text.CATEGORY, 0), made.text(Text.MESSAGE, 0))
    assert {0, TEST, SEED | WARN} == {made.entry(n).flags for n in range(3)}
    assert ["full"] == [hasher.profile for hasher in made.hashers]


@pytest.mark.parametrize(
    ("text", "why"),
    [("name = ", "TOML"), ("", "no .*sources"), ("foo = 1", "foo"), ("sources = 3", "int"),
     ("[[sources]]\nx = 1", "'x'"), ("[[sources]]\nseed = true", "no path"),
     ('limit = "x"\n[[sources]]\npath = "a"', "limit"),
     ('[[sources]]\npath = "a"\nprofile = "p"', "profile")],
)  # fmt: skip
def test_bad_plans(tmp_path: Path, text: str, why: str) -> None:
    """A plan with a mistake is refused with its name and the mistake."""
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(RowsError, match=why) as error:
        read_plan(plan, WORDS)
    assert str(plan) in str(error.value)


def test_the_report_has_every_note(tmp_path: Path) -> None:
    """However many rows are refused, all are in the report, with line and reason."""
    (tmp_path / "r.csv").write_text(f"hash\n{GOOD}\n" + "zz\n" * 5000)
    report = build_list([tmp_path / "r.csv"], tmp_path / "l.dsl", WORDS, report=tmp_path / "r")
    told = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert (5000, 5000, 100) == (len(told), report.counts["refused"], len(report.notes))
    assert f"{tmp_path / 'r.csv'}:5002" == told[-1]["origin"]
    assert "not hexadecimal" in told[-1]["text"]
