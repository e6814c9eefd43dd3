"""From originals to rows and lists with neural hashes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from doorsill import (
    HashList,
    Limits,
    Trust,
    cage,
    models,
)
from doorsill.errors import ModelError, RowsError
from doorsill.neural import Model
from doorsill.publish.build import build_list
from doorsill.publish.ingest import read_source
from doorsill.publish.sources import Source
from small_model import (
    WARM,
    WORDS,
    code,
    made,
    package,
    package_again,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_carry_codes(tmp_path: Path, installed: Path) -> None:
    """Rows of originals carry codes, and a list built from them is the one built from originals."""
    from doorsill.publish.originals import hash_folder  # noqa: PLC0415 - only here

    originals = tmp_path / "originals"
    originals.mkdir()
    WARM.save(originals / "warm.png")
    rows = tmp_path / "rows.jsonl"
    for isolation in ["inline"] if cage.missing() else ["worker", "inline"]:
        rows.unlink(missing_ok=True)
        asked = models.Models.of_originals("small")
        hash_folder(originals, rows, Limits(), isolation=isolation, models=asked)
        assert code(WARM).hex() in rows.read_text()
    one = build_list([rows], tmp_path / "a.dsl", WORDS)
    build_list([originals], tmp_path / "b.dsl", WORDS)
    assert (tmp_path / "a.dsl").read_bytes() == (tmp_path / "b.dsl").read_bytes()
    assert one.hashes > 2
    plain = build_list([rows], tmp_path / "c.dsl", replace(WORDS, model=""))
    assert plain.unusable
    assert len(HashList.open(tmp_path / "c.dsl", Trust.none()).hashers) == 1
    package_again(installed, made(opset=18).SerializeToString())
    other = build_list([rows], tmp_path / "d.dsl", WORDS)
    assert (other.hashes, HashList.open(tmp_path / "d.dsl", Trust.none()).hashers[1].rows) == (1, 1)


def test_rows_made_without_the_model(tmp_path: Path, installed: Path) -> None:
    """Rows made without a model, or by another version of it, are not gone on with as if by it."""
    from doorsill.publish.originals import hash_folder  # noqa: PLC0415 - only here

    originals, rows = tmp_path / "originals", tmp_path / "rows.jsonl"
    originals.mkdir()
    WARM.save(originals / "warm.png")
    (originals / "notes.txt").write_text("no picture")
    asked = models.Models.of_originals("small")
    hash_folder(originals, rows, Limits(), isolation="inline")
    with pytest.raises(RowsError, match="1 of its 2 rows lack a hash by small; name another"):
        hash_folder(originals, rows, Limits(), isolation="inline", models=asked)
    report = build_list([rows], tmp_path / "l.dsl", WORDS)
    assert "no row has a hash of small, only the test card" in report.notes[-1]
    rows.unlink()
    assert (2, 2) == hash_folder(originals, rows, Limits(), isolation="inline", models=asked)[:2]
    assert (2, 0) == hash_folder(originals, rows, Limits(), isolation="inline", models=asked)[:2]
    report = build_list([rows], tmp_path / "l.dsl", WORDS)
    assert not [note for note in report.notes if "only the test card" in note]
    package_again(installed, made(opset=18).SerializeToString())
    asked = models.Models.of_originals("small")
    with pytest.raises(RowsError, match="1 of its 2 rows lack"):
        hash_folder(originals, rows, Limits(), isolation="inline", models=asked)


def test_no_code_is_noted(tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An original of which a model gives no hash is listed by its PDQ, and the report says so."""
    assert installed.is_dir()

    def fail(_: Model, rgb: bytes) -> bytes:
        raise ModelError(f"{len(rgb)}")

    monkeypatch.setattr(Model, "code", fail)
    WARM.save(tmp_path / "warm.png")
    source = Source(tmp_path / "warm.png", isolation="inline",
                    models=models.Models.of_originals("small"))  # fmt: skip
    (row,) = read_source(source, Limits())
    assert row.hashes
    assert row.notes == ("its neural hash could not be made",)


def test_low_detail_has_no_code(tmp_path: Path, installed: Path) -> None:
    """What is too plain for PDQ is not listed by its code either."""
    assert installed.is_dir()
    Image.new("RGB", (100, 100), "orange").save(tmp_path / "plain.png")
    build_list([tmp_path / "plain.png"], tmp_path / "l.dsl", WORDS)
    assert HashList.open(tmp_path / "l.dsl", Trust.none()).hashers[1].rows == 1  # the card's


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"limits": {}}, "no list yet"), ({"limits": {"1": 9}}, "at most 1 entries"),
     ({"card": ""}, "test card")],
)  # fmt: skip
def test_uncalibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], says: str
) -> None:
    """No list is built by a model that was not calibrated for its size, or lacks the card."""
    folder = package(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    import json  # noqa: PLC0415 - only here

    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    WARM.save(tmp_path / "warm.png")
    with pytest.raises(ModelError, match=says):
        build_list([tmp_path / "warm.png"], tmp_path / "l.dsl", WORDS)
    assert not (tmp_path / "l.dsl").exists()
