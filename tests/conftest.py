"""What several test files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from workers import DATA, EXAMPLES, LONG, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doorsill import Gate, HashList

# A failing example must fail again tomorrow; .ci/full asks for more examples.
settings.register_profile(
    "doorsill",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    database=None,
)
settings.load_profile("doorsill")


@pytest.fixture(scope="module")
def warm_gate() -> Iterator[Gate]:
    """Return a gate with workers that are warm."""
    with opened() as gate:
        gate.screen(DATA)
        yield gate


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the small model and return its folder."""
    from small_model import package  # noqa: PLC0415 - it takes a while to load, as onnx does

    folder = package(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


@pytest.fixture
def listed(tmp_path: Path, installed: Path) -> HashList:
    """Return a list made from an original, by PDQ and the small model."""
    from doorsill import HashList, Trust  # noqa: PLC0415 - likewise
    from doorsill.publish.build import build_list  # noqa: PLC0415
    from small_model import WARM, WORDS  # noqa: PLC0415

    assert installed.is_dir()
    originals = tmp_path / "originals"
    originals.mkdir()
    WARM.save(originals / "warm.png")
    build_list([originals], tmp_path / "l.dsl", WORDS)
    return HashList.open(tmp_path / "l.dsl", Trust.none())
