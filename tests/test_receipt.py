"""What a person is given who asks what stopped a picture, and what a stale list changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from doorsill import Action, Gate, HashList, Outcome, Policy, Trust, testcard
from doorsill.cli.files import demo_list
from lists import hash_list
from publisher import Publisher, policy
from workers import DATA

if TYPE_CHECKING:
    from pathlib import Path


def test_a_receipt() -> None:
    """List, epoch, entry, evidence, rule and links are there; hashes and distances are not."""
    with Gate(demo_list(), isolation="inline") as gate:
        verdict = gate.screen(testcard.test_card())
    match = verdict.matches[0]
    text = verdict.receipt()
    for line in (
        f"List: {match.list}",
        f"Epoch: {match.epoch}",
        f"Entry: {match.entry}",
        f"Evidence: {match.evidence.value}",
        verdict.reason,
        "Appeal: ",
        "Help: ",
    ):
        assert line in text
    assert "Never send the picture to anyone" in text
    assert not re.search(r"[0-9a-fA-F]{13,}|distance|hash|bits", text.replace(verdict.reason, ""))
    assert not re.search(
        r"illegal|abuse|crime|criminal|offen[cd]e|suspect|guilty|police|report", text, re.IGNORECASE
    )


def test_a_receipt_of_nothing() -> None:
    """Without a match it says that nothing stood against sending."""
    with Gate(hash_list(pdq={0: bytes(32)}), isolation="inline") as gate:
        assert "Nothing stood against" in gate.screen(DATA).receipt()


@pytest.mark.parametrize("action", list(Action))
def test_stale_lists_go_on_matching(tmp_path: Path, action: Action) -> None:
    """Past `use_until` a verdict says so; the policy may ask for more than SEND, never for less."""
    (tmp_path / "trust.txt").write_bytes(policy())
    trust = Trust.load(tmp_path / "trust.txt")
    publisher = Publisher()
    old = 1_600_000_000  # in 2020
    opened = HashList.open(publisher.publish(now=old).write(tmp_path / "l.dsl"), trust)
    assert opened.is_stale()
    assert not opened.is_stale(old)
    with Gate(opened, Policy(stale=action), isolation="inline") as gate:
        verdict = gate.screen(DATA)
        assert (Outcome.CLEAR, True, action) == (verdict.outcome, verdict.stale, verdict.action)
        assert "older than its publisher wanted" in verdict.receipt()
