"""Sealed lists as releases: signed, witnessed, accepted, and what their manifest says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import sealing
from doorsill import HashList, ListError, SealedList, Trust, TrustError
from doorsill.cli import main
from doorsill.publish.diff import Alignment
from doorsill.publish.seal import seal_list
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import Proof
from doorsill.sealed.lists import open_any
from test_sign import Desk

if TYPE_CHECKING:
    from pathlib import Path


class SealedDesk(Desk):
    """A desk whose releases are sealed: epoch e has e + 2 scenes."""

    def release(self, epoch: int, seed: bytes = sealing.SEED) -> Path:
        """Return a sealed list that is still unsigned."""
        raw, path = self.folder / "raw.dsl", self.folder / f"{epoch}.dsl"
        raw.write_bytes(sealing.raw_list(epoch + 2, epoch=epoch))
        seal_list(raw, path, seed, jobs=1)
        return path


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> SealedDesk:
    """Return a desk with its keys."""
    return SealedDesk(tmp_path, capsys)


def manifest(path: Path) -> list[str]:
    """Return the lines of a release's manifest."""
    return Proof.read(path.with_name(f"{path.name}.tlog-proof")).manifest.decode().splitlines()


def test_signed_witnessed_accepted(desk: SealedDesk, tmp_path: Path) -> None:
    """A sealed list goes the way of any release, and opens again from the accepting folder."""
    path = desk.release(0)
    assert desk.publish(0) == 0
    for who in ("w0", "w1"):
        assert desk.witness(who, 0) == 0
    assert desk.approve(0, path.read_bytes()) == 0
    assert desk.verify(0) == 0
    trust = Trust.load(desk.policy)
    accepted = SealedList.accept(path, tmp_path / "kept", trust)
    for each in (accepted, SealedList.open(tmp_path / "kept", trust),
                 open_any(tmp_path / "kept", trust), open_any(path, trust)):  # fmt: skip
        assert isinstance(each, SealedList)
        assert (len(each), each.trust.tier) == (2, "approved")
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrustError, match=r"not the one|other list|another"):
        SealedList.open(path, trust)


def test_manifest_names_the_keys(desk: SealedDesk) -> None:
    """The server's key stands in the manifest; rows that stay are told from those that come."""
    paths = [desk.release(epoch) for epoch in (0, 1)]
    assert desk.publish(0) == desk.publish(1) == 0
    key = SealedList.open(paths[0], Trust.none()).sealed.public_key.hex()
    lines = manifest(paths[1])
    assert f"sealed 1 0 4 {key} {'0' * 64}" in lines
    assert "hasher pdq full 256 31 50 4 -" in lines
    assert ["entries 3", "added 1", "removed 0"] == lines[8:11]
    assert ["entries 2", "added 3", "removed 0"] == manifest(paths[0])[8:11]
    desk.release(2, bytes(32))
    assert desk.publish(2) == 0
    assert ["entries 4", "added 5", "removed 4"] == manifest(desk.folder / "2.dsl")[8:11]


def test_no_row_by_row_comparison(desk: SealedDesk) -> None:
    """Commands that need rows say that a sealed list has none to show; `show` shows the keys."""
    path = desk.release(0)
    with pytest.raises(ListError, match="cannot be told apart"):
        Alignment(ListFile.open(path), ListFile.open(path))
    desk.capsys.readouterr()
    assert main(["list", "show", "--json", str(path)]) == 0
    shown = json.loads(desk.capsys.readouterr().out)
    assert (shown["entries"], shown["sealed"]["rows"]) == (2, 3)
    assert isinstance(open_any(desk.folder / "raw.dsl", Trust.none()), HashList)
    assert main(["screen", "--list", str(path), str(path)]) == 2
    assert "SealedList" in desk.capsys.readouterr().err
