"""The leak audit: it measures what it says, on drawn pictures and in a second or two."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import drawn
import sealing
from doorsill.cli import main
from doorsill.publish import leak
from doorsill.publish.sections import ListFile
from doorsill.sealed import protocol

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw 160 small scenes."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(160):
        scene = drawn.scene((120, 90), seed)
        (folder / f"{seed}.jpg").write_bytes(drawn.saved(scene, "JPEG"))
    return folder


def test_measures(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                  capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """A raw hash shows more than the clear plane; guesses lie within what there is to guess."""
    monkeypatch.setattr(leak, "LEAST", 100)
    monkeypatch.setattr(leak, "_GUESSED", 3)
    sealed = sealing.sealed_file(tmp_path)
    assert main(["audit", "leak", str(sealed), "--photos", str(photos), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["photos"] > 100
    assert found["raw"] > found["clear"] + 0.1
    assert 0.4 < found["bit"] < 0.7
    assert 0 < found["guesses_tenth"] <= found["guesses"] <= 8 << 20
    assert 10 < found["slot_bits"] <= 20
    assert (found["rows"], found["alike"]) == (6, 0)
    assert main(["audit", "leak", str(tmp_path / "raw.dsl"), "--photos", str(photos)]) == 2
    assert "not sealed" in capsys.readouterr().err


def test_too_few(photos: Path, tmp_path: Path) -> None:
    """Too few photos to learn from are refused, rather than measured badly."""
    file = ListFile.open(sealing.sealed_file(tmp_path))
    with pytest.raises(leak.DoorsillError, match="it takes 1000"):
        leak.measure(file, [str(photos / "1.jpg")])


def test_guesses_are_counted_right() -> None:
    """Where nothing is known every window is worth 20 bits; where all is, one guess is enough."""
    rng = np.random.default_rng(1)
    true = rng.random((2, 121)) < 0.5
    nothing, bits = leak._guesses(np, np.zeros((2, 121)), true)  # noqa: SLF001
    assert [8 << 20] * 2 == list(nothing)
    assert bits == pytest.approx(20)
    known, bits = leak._guesses(np, np.where(true, 1.0, -1.0), true)  # noqa: SLF001
    assert [protocol.SLOTS] * 2 == list(known)
    assert bits == pytest.approx(0)
    wrong, _ = leak._guesses(np, np.where(true, -1.0, 1.0), true)  # noqa: SLF001
    assert [8 << 20] * 2 == list(wrong)


def test_rows_that_look_the_same() -> None:
    """Equal neighbours are counted, each of them."""
    assert leak._shared([b"a", b"b", b"b", b"b", b"c", b"d", b"d"]) == 5  # noqa: SLF001
    assert leak._shared([]) == leak._shared([b"a"]) == 0  # noqa: SLF001
