"""From a folder of originals to rows, and from rows back to the tool that made them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from doorsill import HashList, Trust
from doorsill.errors import RowsError
from doorsill.limits import Limits
from doorsill.publish.build import ListWords, build_list
from doorsill.publish.ingest import read_source
from doorsill.publish.originals import hash_folder
from doorsill.publish.probe import probe
from doorsill.publish.sources import Source

IMAGES = Path(__file__).parent / "data/images"
WORDS = ListWords(name="list", publisher="P", category="C")


def folder_of(tmp_path: Path, count: int = 0) -> Path:
    """Return a folder with pictures, in folders too, with strays and with that many drawings."""
    folder = tmp_path / "originals"
    (folder / "deep/er").mkdir(parents=True)
    shutil.copy(IMAGES / "cat.jpg", folder)
    shutil.copy(IMAGES / "clock.jpg", folder / "deep/er")
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.jpg").touch()
    (folder / "broken.jpg").write_bytes((IMAGES / "cat.jpg").read_bytes()[:300])
    (folder / 'odd \u00e9 "name".gif').write_bytes(b"GIF89a")
    for number in range(count):
        Image.effect_noise((200, 150), 90 + number % 30).save(folder / f"noise{number:03}.png")
    return folder


def test_rows_of_a_folder(tmp_path: Path) -> None:
    """Each file is a row: digests and PDQ in both profiles, or why not; a list comes of it."""
    folder, output = folder_of(tmp_path), tmp_path / "rows.jsonl"
    assert (6, 6) == hash_folder(folder, output, Limits())[:2]
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    by_path = {row["path"]: row for row in rows}
    assert {"cat.jpg", "deep/er/clock.jpg", "notes.txt", "empty.jpg", "broken.jpg",
            'odd \u00e9 "name".gif'} == by_path.keys()  # fmt: skip
    assert ["full", "cpp512"] == [profile for profile, _, _ in by_path["cat.jpg"]["pdq"]]
    assert "not a picture" in by_path["notes.txt"]["notes"][0]
    assert "empty" in by_path["empty.jpg"]["notes"][0]
    assert by_path["broken.jpg"]["notes"]
    report = build_list([output], tmp_path / "l.dsl", WORDS)
    direct = build_list([folder], tmp_path / "d.dsl", WORDS)
    assert report.hashes == direct.hashes
    assert ["full"] == [
        each.profile for each in HashList.open(tmp_path / "l.dsl", Trust.none()).hashers
    ]


def test_resumes_after_a_kill(tmp_path: Path) -> None:
    """Killed at any moment it goes on where it was, and ends with what one run would have made."""
    folder, output = folder_of(tmp_path, 150), tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "doorsill", "list", "rows", str(folder), "-o", str(output)]
    for lines in (1, 20, 50):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        while not output.exists() or output.read_bytes().count(b"\n") < lines:
            assert running.poll() is None
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert output.read_bytes().count(b"\n") < 150, "there is something left to do"
    with output.open("ab") as file:
        file.write(b'{"key": "half a li')
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    once = tmp_path / "once.jsonl"
    hash_folder(folder, once, Limits())
    assert sorted(once.read_text().splitlines()) == sorted(output.read_text().splitlines())
    assert (156, 0) == hash_folder(folder, output, Limits())[:2]


def test_stops_when_told(tmp_path: Path) -> None:
    """Whatever progress raises stops it; what was done stays."""
    folder, output = folder_of(tmp_path), tmp_path / "rows.jsonl"

    def stop(done: int, _: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hash_folder(folder, output, Limits(), progress=stop)
    assert 2 == len(output.read_text().splitlines())
    assert (6, 4) == hash_folder(folder, output, Limits(), isolation="inline")[:2]


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    """A file that holds something else is neither read as a journal nor written to."""
    other = tmp_path / "letter.txt"
    other.write_text("Dear all,\n")
    with pytest.raises(RowsError, match="something else"):
        hash_folder(folder_of(tmp_path), other, Limits())
    assert "Dear all,\n" == other.read_text()
    with pytest.raises(RowsError, match="not a folder"):
        hash_folder(other, tmp_path / "r.jsonl", Limits())


@pytest.mark.parametrize("profile", ["full", "cpp512", "unknown"])
def test_probe(tmp_path: Path, profile: str) -> None:
    """Rows tell which tool made them, once some of their originals are there."""
    folder, made = folder_of(tmp_path), tmp_path / "made.jsonl"
    for name in ("brick", "rocket", "galaxies"):
        shutil.copy(IMAGES / f"{name}.jpg", folder)
    hash_folder(folder, made, Limits())
    rows = tmp_path / "rows.csv"
    lines = ["hash"]
    for number, line in enumerate(made.read_text().splitlines()):
        hashes = {told[0]: told[1] for told in json.loads(line)["pdq"]}
        if hashes:
            one = profile if profile != "unknown" else ("full", "cpp512")[number % 2]
            lines.append(hashes[one])
    rows.write_text("\n".join(lines) + "\n")
    found = probe(read_source(Source(rows), Limits()), read_source(Source(made), Limits()))
    assert (profile, found.originals) == (found.profile, found.found)
    assert found.originals - found.alike == len(found.nearest["full"])
    command = [
        sys.executable,
        "-m",
        "doorsill",
        "list",
        "probe",
        rows,
        "--originals",
        folder,
        "--json",
    ]
    told = json.loads(subprocess.check_output(command, text=True))
    assert (profile, found.nearest) == (told["profile"], told["nearest"])


def test_from_rows_to_an_update(tmp_path: Path) -> None:
    """The publisher's commands in a row: rows, build, build again, diff, apply."""

    def doorsill(*arguments: object) -> str:
        command = [sys.executable, "-m", "doorsill", "list", *map(str, arguments)]
        return subprocess.check_output(command, text=True, cwd=tmp_path)

    folder_of(tmp_path)
    assert "6 rows, 6 of them new" in doorsill("rows", "originals", "-o", "rows.jsonl")
    doorsill("build", "rows.jsonl", "-o", "1.dsl", "--profile", "full")
    rows = (tmp_path / "rows.jsonl").read_text().splitlines()
    (tmp_path / "fewer.jsonl").write_text(
        "\n".join(row for row in rows if "clock" not in row) + "\n"
    )
    told = doorsill("build", "fewer.jsonl", "-o", "2.dsl", "--previous", "1.dsl")
    assert "1 withdrawn" in told
    assert (tmp_path / "2.dsl.report.jsonl").exists()
    told = doorsill("diff", "1.dsl", "2.dsl", "-o", "12.delta")
    assert "0 added, 1 removed, 0 changed" in told
    doorsill("apply", "1.dsl", "12.delta", "-o", "new.dsl")
    assert (tmp_path / "2.dsl").read_bytes() == (tmp_path / "new.dsl").read_bytes()
    facts = json.loads(doorsill("show", "new.dsl", "--json"))
    assert (1, 1, 0) == (facts["epoch"], facts["withdrawn"], facts["nothing_to_match"])
    wrong = subprocess.run(
        [sys.executable, "-m", "doorsill", "list", "apply", "2.dsl", "12.delta", "-o", "x.dsl"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (2, True) == (wrong.returncode, "applied already" in wrong.stderr)
    assert not (tmp_path / "x.dsl").exists()
