"""What a verdict tells: its matches by name, its reason, what was compared and what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorsill import core
from doorsill.lists import TEST, HashList, Text
from doorsill.verdict import ACTIONS, EVIDENCE, Match, Outcome

if TYPE_CHECKING:
    from doorsill.models import Models
    from doorsill.reading import HashedView, Reading

_VIA = {1: "sha256", 2: "sha1", 4: "md5"}  # DOORSILL_VIA_* bits
_NO_HASHER = 255


def reason(rule: str, outcome: Outcome, unread: list[str]) -> str:
    """Return the rule that decided, or what could not be read."""
    if outcome == Outcome.UNREADABLE:
        return "; ".join(unread)
    return f"{rule} Not read: {'; '.join(unread)}." if unread else rule


def coverage(found: Reading, asked: dict[bytes, str]) -> tuple[str, ...]:
    """Return what was compared; *asked* names by their digests the models that lists ask for."""
    digests = ("sha256", "sha1", "md5") if found.digests else ()
    coded = [f"{asked[digest]}: {view.label}" for view in found.views
             for digest in dict(view.codes) if digest in asked]  # fmt: skip
    asked_of = (f"sealed: {name}" for name in found.asked)
    return (*digests, *(f"pdq: {view.label}" for view in found.views), *coded, *asked_of)


def unchecked(found: Reading, asked: dict[bytes, str], models: Models | None) -> tuple[str, ...]:
    """Return for each model that gave no hash of a picture, or of a part alone, why."""
    coded = [{digest for digest, _ in view.codes} for view in found.views]
    lacking = {} if models is None else models.lacking
    told = []
    for digest, name in asked.items():
        if not any(digest in each for each in coded):
            told.append(f"{name}: {lacking.get(digest, 'it gave no hash of this picture')}")
        elif not all(digest in each for each in coded):
            told.append(f"{name}: it hashes the first views of a picture alone, and no flat ones")
    return tuple(told) if found.views else ()


def match(raw: Any, lists: tuple[HashList, ...], views: list[HashedView]) -> Match:
    """Return a `doorsill_match` by its names."""
    home = lists[raw.list]
    entry = home.entry(raw.entry)
    by_digest = raw.hasher == _NO_HASHER
    names = [home.text(Text.PUBLISHER, p) or f"publisher {p}" for p in entry.publishers]
    via = "sha256" if raw.via & 1 else "+".join(n for bit, n in _VIA.items() if raw.via & bit)
    return Match(
        list=home.name,
        entry=entry.id,
        category=home.text(Text.CATEGORY, entry.category) or f"category {entry.category}",
        publisher=", ".join(names),
        hasher=via if by_digest else home.handle.hasher(raw.hasher).name,
        profile="" if by_digest else core.PROFILES[raw.profile],
        distance=int(raw.distance),
        evidence=EVIDENCE[raw.evidence],
        action=ACTIONS[raw.action],
        view="" if by_digest else views[raw.view].label,
        test=bool(entry.flags & TEST),
        epoch=int(home.info["epoch"]),
        help=home.text(Text.HELP, entry.category),
        appeal=home.text(Text.APPEAL, entry.category),
    )
