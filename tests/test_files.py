"""The shared vectors of files: what a host that decodes pictures itself must see in them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from doorsill import Gate, HashList, Trust
from workers import DATA as PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "data/vectors"
VECTORS = json.loads((FOLDER / "files.json").read_text())
ROWS: list[dict[str, Any]] = VECTORS["rows"]
PACKAGE = Path(__file__).parents[1] / "sdk/doorsill/data"
BITS = 4


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    """Return a gate before the list of the vectors."""
    with Gate(HashList.open(FOLDER / VECTORS["list"], Trust.none())) as opened:
        opened.screen(PICTURE)
        yield opened


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_file(gate: Gate, row: dict[str, Any]) -> None:
    """Every file gets the outcome and the entry that the vectors name, within 4 bits."""
    verdict = gate.screen(FOLDER / row["file"])
    expected = row["expected"]
    assert expected["outcome"] == verdict.outcome.value
    assert expected.get("entry", "") == (verdict.matches[0].entry if verdict.matches else "")
    if verdict.matches:
        assert abs(expected["distance"] - verdict.matches[0].distance) <= BITS


def test_every_file_is_named() -> None:
    """No file of the folder goes unread by the hosts."""
    named = {Path(row["file"]).name for row in ROWS}
    assert named == {path.name for path in (FOLDER / "files").iterdir()}


@pytest.mark.parametrize(("side", "quality"), [(1280, 87), (1600, 70), (640, 80)])
@pytest.mark.parametrize(("name", "outcome"), [("lighthouse", "match"), ("coffee", "clear")])
def test_what_clients_make_of_a_picture(name: str, outcome: str, side: int, quality: int) -> None:
    """A client's own re-encoding before it sends keeps the outcome."""
    picture = Image.open(PACKAGE / f"{name}.jpg")
    picture.thumbnail((side, side), Image.Resampling.BICUBIC)
    sent = io.BytesIO()
    picture.save(sent, "JPEG", quality=quality)
    with Gate(HashList.open(PACKAGE / "demo.dsl", Trust.none()), isolation="inline") as demo:
        assert outcome == demo.screen(sent.getvalue()).outcome.value
