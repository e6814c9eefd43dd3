"""The demo and the test card: what they promise on the screen is what happens."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pdqhash
import pytest
from PIL import Image

import doorsill as package
from doorsill import Gate, Outcome, hash_image, testcard
from doorsill.cli import demo
from doorsill.cli.demo_pictures import bundled, pictures
from doorsill.cli.demo_sheet import sheet
from doorsill.cli.files import demo_list

TURNS = [None, *Image.Transpose]


@pytest.fixture(scope="module")
def done() -> demo.Run:
    """Run the demo once."""
    return demo.run()


def saved(image: Image.Image, kind: str, **options: int) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# ---- the test card


def test_card_is_as_published() -> None:
    """The packaged card has the digest and the hashes that are published, pdqhash's own too."""
    card = testcard.test_card()
    assert hashlib.sha256(card).hexdigest() == testcard.SHA256
    for profile, published in testcard.PDQ.items():
        made = hash_image(card, profile)
        assert (published, 100) == (made.hex, made.quality)
    bits, quality = pdqhash.compute(np.asarray(Image.open(io.BytesIO(card)).convert("RGB")))
    assert (testcard.PDQ["full"], 100) == (np.packbits(bits).tobytes().hex(), quality)


@pytest.mark.parametrize("turn", TURNS, ids=str)
@pytest.mark.parametrize("form", ["png", "jpeg", "half"])
def test_card_survives_handling(turn: Image.Transpose | None, form: str) -> None:
    """The card is found in every orientation, also as JPEG of quality 50 and at half size."""
    card = Image.open(io.BytesIO(testcard.test_card())).convert("RGB")
    card = card if turn is None else card.transpose(turn)
    if form == "half":
        card = card.resize((card.width // 2, card.height // 2), Image.Resampling.LANCZOS)
    data = saved(card, "JPEG", quality=50) if form == "jpeg" else saved(card, "PNG")
    found = Gate(demo_list()).screen(data)
    assert found.outcome == Outcome.MATCH
    assert [match.test for match in found.matches] == [True]


def test_card_is_not_counted() -> None:
    """The card stands in the list, and the list's length leaves it out."""
    each = demo_list()
    assert each.info["entries"] - each.info["test_entries"] == len(each)
    assert each.info["test_entries"] == 1


# ---- the list


def test_list_says_demo() -> None:
    """Every text of the demo list says that it is one, except the test card's."""
    texts = [text for text in demo_texts() if "test card" not in text]
    assert len(texts) == 6
    assert all("DEMO" in text for text in texts)
    assert demo_list().is_demo


def demo_texts() -> list[str]:
    """Return all texts of the demo list."""
    from doorsill.lists import Text  # noqa: PLC0415 - used once

    return [t for kind in Text for key in range(3) if (t := demo_list().text(kind, key))]


def test_data_is_small() -> None:
    """The package's data takes at most 300 kB."""
    data = Path(package.__file__).parent / "data"
    assert sum(path.stat().st_size for path in data.iterdir()) <= 300_000


# ---- the demo


@pytest.mark.parametrize("key", [picture.key for picture in pictures()])
def test_rows(done: demo.Run, key: str) -> None:
    """Each row ends as it is announced, and its action follows."""
    row = next(row for row in done.rows if row.picture.key == key)
    assert row.picture.expected == row.verdict.outcome.value
    actions = {"clear": "send", "match": "block", "unreadable": "warn"}
    assert actions[row.picture.expected] == row.verdict.action.value


def test_five_are_stopped(done: demo.Run) -> None:
    """The listed picture is stopped in all its forms but the cropped one."""
    assert done.stopped == ["listed", "messenger", "palette", "exif", "frame"]


def test_counts_are_zero(done: demo.Run) -> None:
    """Screening opens no connection and writes no file."""
    assert (done.network, done.files) == (0, 0)


def test_counts_are_counted(tmp_path: Path) -> None:
    """The watch sees a socket, a file that is written, a rename; it does not see reading."""
    watch = demo.Watch()
    sys.addaudithook(watch.note)
    with watch.on():
        socket.socket().close()
        (tmp_path / "a").write_text("a", encoding="utf-8")
        os.close(os.open(tmp_path / "b", os.O_CREAT | os.O_WRONLY))
        (tmp_path / "a").rename(tmp_path / "c")
        (tmp_path / "c").read_text(encoding="utf-8")
    (tmp_path / "d").write_text("not counted any more", encoding="utf-8")
    assert watch.network >= 1
    assert watch.files == 3


def test_peers_are_measured(done: demo.Run) -> None:
    """What the demo says of pdqhash is what pdqhash does here and now."""
    peer = next(peer for peer in done.peers["peers"] if peer["name"].startswith("pdqhash"))
    listed = plain_hash(bundled("lighthouse.jpg"))
    for picture in pictures():
        bits = peer["bits"][picture.key]
        if bits is None:
            with pytest.raises(OSError, match="truncated"):
                plain_hash(picture.data)
            continue
        differ = int((plain_hash(picture.data) != listed).sum())
        assert abs(bits - differ) <= 8  # encoders differ between Pillow's versions
        assert (picture.key in peer["found"]) == (differ <= peer["limit"])


def plain_hash(data: bytes) -> np.ndarray:
    """Return what pdqhash makes of a file the way its page shows."""
    return pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))[0]


def test_last_lines() -> None:
    """The demo ends with what a plain matcher finds and with what was counted."""
    command = [sys.executable, "-m", "doorsill", "demo"]
    lines = subprocess.check_output(command, text=True, encoding="utf-8").splitlines()
    assert re.search(r"Of the 5 stopped, a plain hash matcher .* finds 3 with pdqhash", lines[-3])
    assert "doorsill sends nothing" in lines[-2]
    assert re.search(r"8 pictures, \d+ ms, network calls 0, files written 0", lines[-1])


def test_json() -> None:
    """With --json each row is an object, and the last one holds the counts."""
    command = [sys.executable, "-m", "doorsill", "demo", "--json"]
    *rows, counts = map(json.loads, subprocess.check_output(command, text=True).splitlines())
    assert [picture.key for picture in pictures()] == [row["picture"] for row in rows]
    assert {"outcome", "action", "evidence", "reason", "milliseconds"} <= rows[0].keys()
    assert (counts["pictures"], counts["network_calls"], counts["files_written"]) == (8, 0, 0)


# ---- the contact sheet


class Page(HTMLParser):
    """Collects what a page would load, its alternative texts and its tags."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.loads: list[str] = []
        self.alts: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "action", "data", "poster"}:
                self.loads.append(value or "")
            if name == "alt":
                self.alts.append(value or "")


def test_sheet_stands_alone(done: demo.Run) -> None:
    """The page loads nothing from outside, runs nothing, and names every picture."""
    text = sheet(done)
    page = Page(text)
    assert len(page.loads) == len(done.rows)
    assert all(load.startswith("data:image/") for load in page.loads)
    assert not page.tags & {"script", "link", "iframe", "object", "embed"}
    assert not re.search(r"url\(|@import|https?:", text)
    assert all(len(alt) > 10 for alt in page.alts)
    assert len(page.alts) == len(done.rows)


def test_sheet_escapes(done: demo.Run) -> None:
    """No text of a list, a picture or a verdict becomes markup."""
    evil = "<script>alert(1)</script>\"'&"
    row = done.rows[-1]
    row = demo.Row(replace(row.picture, title=evil, about=evil), replace(row.verdict, reason=evil))
    text = sheet(replace(done, rows=[row], list_name=evil))
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;") == 4


def test_sheet_serves_dark_rooms_and_phones(done: demo.Run) -> None:
    """The page has a dark side, a language and a viewport."""
    text = sheet(done)
    assert "prefers-color-scheme: dark" in text
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
