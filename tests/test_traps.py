"""From a trap's bytes to the verdict: nothing that shows a listed picture is called clear."""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import shown
import trap_hidden
import traps
from doorsill import Action, Gate, Outcome, hash_image
from drawn import saved
from lists import hash_list
from looks import SCENE

if TYPE_CHECKING:
    from pathlib import Path

GATE = Gate(hash_list(pdq={0: hash_image(SCENE).bytes}))


@pytest.mark.parametrize("name", traps.TRAPS)
def test_traps_match(name: str) -> None:
    """Each trap is stopped."""
    verdict = GATE.screen(traps.TRAPS[name](SCENE))
    assert (Outcome.MATCH, Action.BLOCK) == (verdict.outcome, verdict.action), verdict


@pytest.mark.parametrize("name", traps.PLAIN)
def test_plain_files_match_in_one_view(name: str) -> None:
    """An ordinary file of the listed picture is stopped too, and is hashed once."""
    verdict = GATE.screen(traps.PLAIN[name](SCENE))
    assert Outcome.MATCH == verdict.outcome
    assert ("sha256", "sha1", "md5", "pdq: as shown") == verdict.coverage


@pytest.mark.parametrize("name", traps.UNREAD)
def test_what_cannot_be_read_has_a_reason(name: str) -> None:
    """A file of which too little can be read could not be told, and the verdict says why."""
    verdict = GATE.screen(traps.UNREAD[name](SCENE))
    assert Outcome.UNREADABLE == verdict.outcome
    assert verdict.reason.partition(":")[0] in ("format", "gamma", "broken")


@pytest.mark.parametrize("name", traps.ASIDE)
def test_what_nobody_shows_is_not_clear(name: str) -> None:
    """What no viewer shows as the picture is out of scope, or has nothing to compare."""
    outcome = GATE.screen(traps.ASIDE[name](SCENE)).outcome
    assert outcome in (Outcome.OUT_OF_SCOPE, Outcome.UNHASHABLE)


@pytest.mark.parametrize("suffix", [".jpg", ".txt", ".mp4", ""])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_names_are_not_believed(suffix: str, kind: str, tmp_path: Path) -> None:
    """A picture under the name of anything else is stopped."""
    path = tmp_path / f"file{suffix}"
    SCENE.save(path, kind)
    assert Outcome.MATCH == GATE.screen(path).outcome


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_thumbnail_of_the_picture_itself_is_compared(turn: int) -> None:
    """What a camera writes costs two comparisons."""
    verdict = GATE.screen(trap_hidden.plain_thumbnail(SCENE, turn))
    assert ("sha256", "sha1", "md5", "pdq: as shown", "pdq: thumbnail") == verdict.coverage


def test_a_thumbnail_nearer_to_an_entry_than_its_picture() -> None:
    """A listed picture is found as the thumbnail of one that is near it and beyond the limit."""
    data = files("doorsill").joinpath("data/lighthouse.jpg").read_bytes()
    whole = Image.open(io.BytesIO(data)).convert("RGB")

    def cropped(share: float) -> Image.Image:
        left, top = (round(share * side) for side in whole.size)
        return whole.crop((left, top, whole.width - left, whole.height - top))

    small = cropped(0.0125).resize((160, 120), Image.Resampling.BOX)
    main = saved(cropped(0.02), "JPEG", quality=92)
    both = trap_hidden.with_thumbnail(cropped(0.02), saved(small, "JPEG", quality=95))
    gate = Gate(hash_list(pdq={0: hash_image(whole).bytes}))
    assert Outcome.CLEAR == gate.screen(main).outcome
    assert Outcome.MATCH == gate.screen(both).outcome


@pytest.mark.parametrize("name", traps.CUT)
def test_cut_files_are_never_clear(name: str) -> None:
    """A file that is cut off matches by what is left of it, or could not be told."""
    assert Outcome.CLEAR != GATE.screen(traps.CUT[name](SCENE)).outcome


def test_the_facts_are_of_these_traps() -> None:
    """Chromium was asked about every recipe, and about no other."""
    assert shown.facts()["traps"].keys() == shown.MAKERS.keys()


def test_what_a_browser_shows_matches() -> None:
    """Where Chromium shows the listed picture, 95 of 100 are stopped, and none is clear."""
    outcomes = {
        name: GATE.screen(shown.MAKERS[name](SCENE)).outcome
        for name, fact in shown.facts()["traps"].items()
        if shown.shows_it(fact)
    }
    missed = {name: outcome for name, outcome in outcomes.items() if outcome != Outcome.MATCH}

    assert len(missed) <= 0.05 * len(outcomes), missed
    assert {Outcome.UNREADABLE} >= set(missed.values()), missed
