"""The receipt that a person may ask for: what was compared, under which rule, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorsill.verdict import Match, Verdict

_ASKED = {
    "send": "Nothing stood against sending it.",
    "warn": "The app asked you to confirm before sending it.",
    "block": "The app did not send it.",
}
_CARE = """\
A match can be wrong, and it says nothing about you. People also receive such pictures unasked,
or are shown in them.
Never send the picture to anyone in order to ask about it: not to us, not to the publisher, not
to a friend. The list, epoch and entry named here are enough.
This was checked on your device; doorsill sends nothing. This text is yours: it is saved nowhere
unless you save it."""


def receipt(verdict: Verdict) -> str:
    """Return the text; see `Verdict.receipt`."""
    parts = ["Receipt of a check on this device", "", _ASKED[verdict.action.value], verdict.reason]
    for match in verdict.matches:
        parts += ["", *_entry(match)]
    if verdict.stale:
        parts += [
            "",
            "A list is older than its publisher wanted; it may have been corrected since.",
        ]
    return "\n".join([*parts, "", _CARE, ""])


def _entry(match: Match) -> list[str]:
    lines = [
        ("List", match.list),
        ("Epoch", str(match.epoch)),
        ("Entry", match.entry),
        ("Category", match.category),
        ("Vouched for by", match.publisher),
        ("Evidence", match.evidence.value),
        ("Appeal", match.appeal or "the list names no address; ask its publisher"),
        ("Help", match.help or "the list names no address"),
    ]
    if match.test:
        lines.append(("Note", "This is the harmless published test card."))
    return [f"{name}: {value}" for name, value in lines]
