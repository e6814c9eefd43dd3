"""The shared vectors of pixels: what hosts in other languages draw, and must get the verdict of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import naive
from doorsill import Gate, HashList, Policy, Trust, core
from doorsill.verdict import ACTIONS, OUTCOMES
from drawn_pixels import CHANNELS, drawn, laid_out

FOLDER = Path(__file__).parent / "data/vectors"
VECTORS = json.loads((FOLDER / "pixels.json").read_text())
ROWS: list[dict[str, Any]] = VECTORS["rows"]
LIST = HashList.open(FOLDER / VECTORS["list"], Trust.none())


def summary(verdict: Any) -> dict[str, Any]:
    """Return what the vectors hold of a verdict."""
    found = {"outcome": verdict.outcome.value, "action": verdict.action.value,
             "quality": verdict.quality}  # fmt: skip
    for match in verdict.matches[:1]:
        found |= {"entry": match.entry, "distance": match.distance, "profile": match.profile}
    return found


def test_gate_gives_the_verdicts() -> None:
    """Every picture gets the outcome, action, entry and distance that the vectors name."""
    with Gate(LIST, isolation="inline") as gate:
        for row in ROWS:
            assert row["expected"] == summary(gate.screen(drawn(row, VECTORS["photos"]))), row


def test_every_layout_gives_the_verdicts() -> None:
    """The bytes that a host holds, with its channels, padding and direction, give the same."""
    for row in ROWS:
        if row["format"] not in ("gray", "rgb", "rgbx", "gray16"):
            continue  # Python's binding has no BGR, and RGBA's grounds are the Gate's to choose
        data, stride = laid_out(row, drawn(row, VECTORS["photos"]))
        mode = {"gray": "L", "rgb": "RGB", "rgbx": "RGBX", "gray16": "I;16"}[row["format"]]
        hasher = core.Hasher(row["width"], row["height"], mode)
        for line in data[::-1] if stride < 0 else data:
            hasher.rows(line, len(line), 1)
        raw = core.screen(
            [LIST.handle], [core.CoreView(hasher.end())], [], core.READ_WHOLE, Policy()
        )
        found = {"outcome": OUTCOMES[raw.outcome].value, "action": ACTIONS[raw.action].value,
                 "quality": int(raw.quality)}  # fmt: skip
        if raw.match_count:
            match = raw.matches[0]
            found |= {"entry": LIST.entry(match.entry).id, "distance": int(match.distance),
                      "profile": core.PROFILES[match.profile]}  # fmt: skip
        assert row["expected"] == found, row


def naive_hashes(row: dict[str, Any]) -> dict[str, tuple[bytes, int]]:
    """Return hash and quality of what a row draws, by profile, without the core."""
    rgb = drawn(row, VECTORS["photos"])[:, :, :3]
    return {profile: naive.pdq(rgb, profile) for profile in core.PROFILES}


@pytest.fixture(scope="module")
def originals() -> list[tuple[str, bytes]]:
    """Return (section's profile, hash) of each entry."""
    sections = [row["section"] for row in VECTORS["listed"]]
    made = [naive_hashes(row) for row in VECTORS["listed"]]
    return [(section, hashes["cpp512" if section == "cpp512" else "full"][0])
            for section, hashes in zip(sections, made, strict=True)]  # fmt: skip


OPAQUE = [row for row in ROWS if row["format"] not in ("rgba", "bgra")
          and min(row["width"], row["height"]) >= naive.SMALLEST]  # fmt: skip


@pytest.mark.parametrize("row", OPAQUE[::4], ids=str)
def test_plain_loop_agrees(row: dict[str, Any], originals: list[tuple[str, bytes]]) -> None:
    """Hashes made plainly and a loop over all of them find the same entry, as near."""
    near, compared = [], False
    for profile, (_, quality) in naive_hashes(row).items():
        if quality < 50:
            continue
        compared = True
        turned = naive.orientations(drawn(row, VECTORS["photos"])[:, :, :3], profile)
        for number, (section, value) in enumerate(originals):
            apart = min(naive.distance(value, each) for each in turned)
            if section in (profile, "unknown") and apart <= 31:
                near.append((VECTORS["listed"][number]["flags"] > 0, apart, number))
    if near:
        _, apart, number = min(near)
        found = {"distance": apart, "entry": VECTORS["listed"][number]["id"]}
        assert found == {key: row["expected"][key] for key in found}
    else:
        assert ("clear" if compared else "unhashable") == row["expected"]["outcome"]


def test_there_is_something_of_everything() -> None:
    """At least 200 pictures, of which each outcome, action, profile and format has ten."""
    assert len(ROWS) >= 200
    expected = [row["expected"] for row in ROWS]
    for key, values in (
        ("outcome", ("match", "clear", "unhashable")),
        ("action", ("send", "warn", "block")),
        ("profile", ("full", "cpp512")),
    ):
        for value in values:
            assert sum(each.get(key) == value for each in expected) >= 10, value
    for name in CHANNELS:
        assert sum(row["format"] == name for row in ROWS) >= 10, name
    assert {row.get("turn", 0) for row in ROWS if "entry" in row["expected"]} == set(range(8))
