"""Rows from every form that publishers exchange: nothing invented, nothing dropped silently."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorsill import Evidence, Gate, HashList, Trust, hash_image
from doorsill.errors import RowsError
from doorsill.limits import Limits
from doorsill.lists import SEED, Text
from doorsill.publish.build import build_list
from doorsill.publish.columns import shipped_maps
from doorsill.publish.ingest import read_source
from doorsill.publish.lint import sift
from doorsill.publish.records import seconds
from doorsill.publish.report import Report
from doorsill.publish.rows import Row, row_line
from doorsill.publish.sources import Source
from doorsill.publish.store import Store
from doorsill.publish.words import ListWords

DATA = Path(__file__).parent / "data"
EXCHANGE, IMAGES = DATA / "exchange", DATA / "images"
WORDS = ListWords(name="list", publisher="P", category="C")
CAT = hash_image(IMAGES / "cat.jpg").bytes
CAT_SHA1 = hashlib.sha1((IMAGES / "cat.jpg").read_bytes()).digest()  # noqa: S324 - as exchanged


WORDS_OF_FORMATS = """
    signalType hashValue hashStatus CSPFeedbacks lastModtimestamp feedbackValue source type data id
    indicator descriptors owner name status tags text reactions key value should_delete last_updated
    MD5 SHA1 Category PhotoDNA publisher category time removed flags pdq md5 sha256 notes
"""
KEYS = st.sampled_from(WORDS_OF_FORMATS.split())


def read(path: Path, **more: object) -> list[Row]:
    """Return the rows of a file."""
    return list(read_source(Source(path, publisher="P", **more), Limits()))  # type: ignore[arg-type]


def write(tmp_path: Path, name: str, text: str) -> Path:
    """Write a file of rows."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_plain_pdq() -> None:
    """A plain CSV gives the hash, its quality and nothing else."""
    rows = read(EXCHANGE / "pdq.csv", profile="full")
    assert ("full", CAT, 100) == rows[0].hashes[0]
    assert [100, 100, 100, 100, 49] == [row.hashes[0][2] for row in rows]
    assert rows[0].key == rows[4].key, "one hash is one entry, whatever its files are called"


def test_icse() -> None:
    """INTERPOL's semicolons: the baseline alone, PhotoDNA counted, a bad digest told."""
    cat, clock, third = read(EXCHANGE / "icse.csv")
    assert (("photodna",), CAT_SHA1) == (cat.unusable, dict(cat.digests)["sha1"])
    assert (("baseline is No, not Yes",), ()) == (clock.notes, clock.digests)
    assert ("a md5 has 32 hex digits, not 33",) == third.notes
    assert ["sha1"] == [kind for kind, _ in third.digests]


def test_project_vic() -> None:
    """Project VIC: categories 1 and 2 of its scheme, with their digests."""
    one, two, other = read(EXCHANGE / "vics.json")
    assert ("1", CAT_SHA1, ("photodna",)) == (one.category, dict(one.digests)["sha1"], one.unusable)
    assert ("2", ["md5"]) == (two.category, [kind for kind, _ in two.digests])
    assert ("category is 0, not 1 or 2",) == other.notes


def test_threatexchange_cache() -> None:
    """The command line's cache: the type is in the name, opinions in the labels."""
    cat, clock, brick = read(EXCHANGE / "simple.HASH_PDQ.te")
    assert (CAT, 1714557600, False) == (cat.hashes[0][1], cat.time, cat.removed)
    assert ("someone on ThreatExchange disputes it",) == clock.disputes
    assert brick.removed
    good, bad = read(EXCHANGE / "simple.HASH_MD5.te")
    assert (["md5"], ()) == ([kind for kind, _ in good.digests], bad.digests)
    assert "32 hex digits, not 31" in bad.notes[0]


def test_threat_updates() -> None:
    """A row for each owner; without descriptors it is a deletion; disputes are for review."""
    source = Source(EXCHANGE / "threat_updates.json", publisher="P")
    rows = list(read_source(source, Limits()))
    owners = [row.publisher.removeprefix("threatexchange:") for row in rows]
    assert ["11", "12", "11", "11", "", "", "11"] == owners
    assert [0, 0, SEED, 0] == [row.flags for row in rows[:4]]
    assert 3 == len(rows[3].disputes)
    assert [True, True] == [row.removed for row in rows[4:6]]
    assert ("HASH_PHOTODNA",) == rows[6].unusable
    assert "Another Platform" == source.names["threatexchange:12"]


def test_ncmec() -> None:
    """NCMEC's XML: images and videos, deletions, what cannot be compared, negative feedback."""
    image, other, deleted, video = read(EXCHANGE / "ncmec.xml")
    assert ("ncmec:42", "A1", CAT) == (image.publisher, image.category, image.hashes[0][1])
    assert ({"md5", "sha1"}, ("pdna", "tmk-pdqf")) == (dict(image.digests).keys(), image.unusable)
    assert ("member 43 against its Sha1: Not what it says",) == image.disputes
    assert image.digests == other.digests
    assert deleted.removed
    assert ["md5"] == [kind for kind, _ in video.digests]


def test_stopncii() -> None:
    """StopNCII: all unreviewed; Withdrawn and Deleted remove; platforms' answers are for review."""
    rows = read(EXCHANGE / "stopncii.json")
    assert {SEED} == {row.flags for row in rows}
    assert [False, True, True, False, False] == [row.removed for row in rows]
    assert ("Example Platform says NotBlocked",) == rows[0].disputes
    assert ("VideoTMK",) == rows[4].unusable


def test_latest_word_counts(tmp_path: Path) -> None:
    """Pages in any order: the latest word about an entry counts, deletions among them."""
    pages = [EXCHANGE / "ncmec.xml", EXCHANGE / "ncmec_before.xml"]
    lists = []
    for number, order in enumerate((pages, pages[::-1])):
        output = tmp_path / f"{number}.dsl"
        report = build_list(order, output, WORDS, report=tmp_path / f"{number}.jsonl")
        lists.append(output.read_bytes())
    assert lists[0] == lists[1]
    assert 2 == report.entries
    opened = HashList(lists[0], Trust.none())
    both = [set(opened.entry(i).publishers) for i in range(len(opened) + 1)]
    assert {0, 1} in both, "both members vouch for the picture"
    assert {"md5": 2, "sha1": 1, "sha256": 1} == opened.info["digests"]
    told = (tmp_path / "0.jsonl").read_text()
    assert all(word in told for word in ("superseded by", "removed by its publisher", '"review"'))
    gate = Gate(opened, isolation="inline")
    assert Evidence.EXACT == gate.screen(IMAGES / "cat.jpg").evidence


FIXTURES = sorted(path.name for path in EXCHANGE.iterdir() if path.suffix not in {".md", ".py"})


@pytest.mark.parametrize("name", [name for name in FIXTURES if not name.startswith("_")])
def test_every_row_is_listed_or_told(tmp_path: Path, name: str) -> None:
    """Each record of each fixture ends as an entry, or stands in the report."""
    report_file = tmp_path / "report.jsonl"
    source = Source(EXCHANGE / name, publisher="P")
    rows = list(read_source(source, Limits()))
    report_file.touch()
    with contextlib.suppress(RowsError):  # not one row was of use
        build_list([EXCHANGE / name], tmp_path / "l.dsl", WORDS, report=report_file)
    told = {json.loads(line)["origin"] for line in report_file.read_text().splitlines()}
    silent = [row for row in rows if row.origin not in told]
    for row in silent:
        assert row.hashes or row.digests or row.unusable, row


BOMB = '<!DOCTYPE q [<!ENTITY a "b">]><queryResult xmlns="{}">&a;</queryResult>'
SPACE = "https://hashsharing.ncmec.org/hashsharing/v2"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.xml", BOMB.format(SPACE), "cannot be read as XML"),
        ("a.xml", '<!DOCTYPE q SYSTEM "file:///etc/passwd"><q/>', "cannot be read as XML"),
        ("a.xml", f'<queryResult xmlns="{SPACE}"><images><image>', "cannot be read as XML"),
        ("a.xml", "<html/>", "begins with html"),
        ("a.xml", f'<queryResult xmlns="{SPACE}">' + "<a>" * 100, "deep"),
        ("a.xml", "", "cannot be read as XML"),
        ("a.json", '{"hashRecords": [{"signalType": "ImagePDQ",', "cannot be read as JSON"),
        ("a.json", '{"hashRecords": [NaN]}', "cannot be read as JSON"),
        ("a.json", '{"hashRecords": [[[[]]]]}', "no record"),
        ("a.json", '{"hashRecords": [{"a": ' + "[" * 100_000, "nested"),
        ("a.json", '{"hashRecords": 1, "b": ' + "[" * 100_000, "nested"),
        ("a.json", '{"x": 1}', "no known format"),
        ("a.csv", "a,b\n1,2\n", "no column of hashes"),
        ("a.te", "x", "simple.TYPE.te"),
        ("simple.HASH_PDQ.te", 'ab,1,2,"x\n', "cannot be read as CSV"),
        ("a.csv", 'hash\n"' + "a" * 200_000, "cannot be read as CSV"),
    ],
)
def test_hostile_files_end_in_a_sentence(tmp_path: Path, name: str, text: str, why: str) -> None:
    """What is broken, or made to break readers, is refused with the file's name."""
    path = write(tmp_path, name, text)
    with pytest.raises(RowsError, match=re.escape(why)) as error:
        read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "record",
    ["{}", '{"signalType": 3, "hashValue": [1]}', '{"signalType": "ImagePDQ", "hashValue": "zz"}',
     '{"signalType": "ImagePDQ", "hashValue": "00", "CSPFeedbacks": 7, "lastModtimestamp": 1e400}',
     '{"signalType": "ImagePDQ", "hashValue": null, "lastModtimestamp": "soon"}'],
)  # fmt: skip
def test_odd_records_are_reported(tmp_path: Path, record: str) -> None:
    """A record whose fields are of other kinds than promised is reported, and the next one read."""
    good = json.dumps({"signalType": "ImagePDQ", "hashValue": CAT.hex()})
    path = write(tmp_path, "s.json", f'{{"hashRecords": [{record}, {good}]}}')
    report = build_list([path], tmp_path / "l.dsl", WORDS)
    assert (1, 2) == (report.hashes, report.rows)
    assert report.unusable or "record 1" in report.notes[0]


@pytest.mark.parametrize(
    "descriptors",
    ["null", "7", '{"data": 7}', '{"data": [7, null]}', '{"data": [{"owner": 7, "tags": 7}]}',
     '{"data": [{"owner": {"id": 1}, "reactions": [7], "tags": {"data": 7}}]}'],
)  # fmt: skip
def test_odd_descriptors(tmp_path: Path, descriptors: str) -> None:
    """ThreatExchange's answers with anything in place of what is promised raise nothing."""
    record = f'{{"type": "HASH_PDQ", "indicator": "{CAT.hex()}", "descriptors": {descriptors}}}'
    path = write(tmp_path, "u.json", f'{{"data": [{record}]}}')
    assert 1 == len(read(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from([CAT.hex(), "ImagePDQ", "HASH_PDQ", "MALICIOUS"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(st.dictionaries(KEYS, JSON, max_size=8), max_size=4))
def test_any_json_is_read_or_reported(
    tmp_path_factory: pytest.TempPathFactory, told: list[object]
) -> None:
    """Whatever stands in place of what a format promises is a row, a note or a `RowsError`."""
    folder = tmp_path_factory.mktemp("json")
    files = [write(folder, f"{where}.json", json.dumps({where: told}))
             for where in ("hashRecords", "data", "value")]  # fmt: skip
    files.append(write(folder, "r.jsonl", "".join(json.dumps(each) + "\n" for each in told)))
    with Report() as report, Store(report.note) as store:
        for path in files:
            with contextlib.suppress(RowsError):
                for row in read(path):
                    if (sifted := sift(row, 50, report)).key:
                        store.add(sifted)
                    report.rows += 1
        store.settle(lambda _: None)
        assert len(list(store.entries())) <= report.rows


def test_names_from_rows_are_made_fit(tmp_path: Path) -> None:
    """Halves of characters, line breaks and bidi marks in strangers' names do not reach a list."""
    row = {"key": "k", "md5": "ab" * 16, "publisher": "a\ud800\u202e\nb", "category": "\x00" * 300}
    path = write(tmp_path, "r.jsonl", json.dumps(row))
    build_list([path], tmp_path / "l.dsl", WORDS)
    made = HashList.open(tmp_path / "l.dsl", Trust.none())
    assert ("a\\ud800??b", "?" * 200) == (made.text(Text.PUBLISHER, 0), made.text(Text.CATEGORY, 0))


def test_own_column_map(tmp_path: Path) -> None:
    """A publisher's own columns are read by a map of its own, withdrawals among them."""
    write(tmp_path, "m.toml", 'delimiter = "\\t"\nkey = "Ref"\npdq = "Perceptual"\nsha256 = "S"\n'
          'time = "When"\n[removed]\nState = ["gone"]\n')  # fmt: skip
    path = write(tmp_path, "r.txt", "Ref\tPerceptual\tS\tState\tWhen\n"
                 f"1\t{CAT.hex()}\t{'ab' * 32}\tlisted\t2024-01-01T00:00:00Z\n"
                 "1\t\t\tgone\t2024-01-02\n2\t\t\tlisted\tsoon\n")  # fmt: skip
    rows = read(path, map="m.toml")
    assert [(False, 2), (True, 0), (False, 0)] == [
        (row.removed, len(row.hashes) + len(row.digests)) for row in rows
    ]
    assert rows[0].time < rows[1].time
    assert "soon" in rows[2].notes[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [("pdq = ", "TOML"), ('key = "a"', "no column of hashes"), ('pdq = "a"\nfoo = 1', "foo"),
     ("pdq = 3", "int"), ("pdq = [3]", "lower"), ('pdq = "a"\naccept = "x"', "items"),
     ('pdq = "a"\ndelimiter = ";;"', "delimiter"), ('pdq = "a"\nformat = "xls"', "format")],
)  # fmt: skip
def test_bad_maps(tmp_path: Path, text: str, why: str) -> None:
    """A map with a mistake is refused with its name and the mistake."""
    path = write(tmp_path, "m.toml", text)
    with pytest.raises(RowsError, match=why) as error:
        read(write(tmp_path, "r.csv", "a\n"), map="m.toml")
    assert str(path) in str(error.value)


def test_shipped_maps() -> None:
    """The maps that README names are in the package; another name is told which there are."""
    assert ["icse", "pdq", "vics"] == shipped_maps()
    with pytest.raises(RowsError, match="icse, pdq, vics"):
        read(EXCHANGE / "pdq.csv", map="nomap")


@pytest.mark.parametrize(
    ("told", "wanted"),
    [("2024-05-01T10:00:00Z", 1714557600), ("2024-05-01T12:00:00+0200", 1714557600),
     ("2024-05-01T10:00:00.8300Z", 1714557600), ("2024-05-01T10:00:00", 1714557600),
     (1714557600, 1714557600), ("1714557600", 1714557600), ("", 0), (None, 0),
     ("soon", None), ("9" * 30, None), ("9" * 300, None), (-1, None), ("1969-01-01", None)],
)  # fmt: skip
def test_times(told: object, wanted: int | None) -> None:
    """Times in the ways that the formats write them are seconds; others are reported."""
    assert (wanted or 0, wanted is None) == (seconds(told)[0], bool(seconds(told)[1]))


def test_rows_file_round_trip(tmp_path: Path) -> None:
    """What is written as a rows file comes back; bad lines are reported."""
    row = Row("key", "", "p", "c", 5, False, SEED, (("full", CAT, 70),), (("sha1", CAT_SHA1),),  # noqa: FBT003
              ("pdna",), ("a note",), ("a dispute",))  # fmt: skip
    bad = ["{", "[]", "{}", '{"key": 1, "pdq": [["full", "00", 1]]}', '{"key": "k", "md5": 1}']
    path = write(tmp_path, "r.jsonl", row_line(row) + "\n".join(bad) + "\n" + "[" * 50_000 + "\n")
    first, *others = read(path)
    assert row._replace(key="p\0key", origin=f"{path}:1") == first
    assert len(bad) + 1 == len(others)
    assert {("this line is no row; see `doorsill list rows`",)} == {each.notes for each in others}


def test_progress_and_cancel(tmp_path: Path) -> None:
    """Reading tells how far it got, and whatever progress raises stops it and leaves no list."""
    path = write(tmp_path, "r.csv", "hash\n" + f"{CAT.hex()}\n" * 9000)

    def stop(done: int, total: int, name: str) -> None:
        assert (0 < done <= total, "r.csv") == (True, name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_list([path], tmp_path / "l.dsl", WORDS, progress=stop)
    assert {"r.csv"} == {each.name for each in tmp_path.iterdir()}
