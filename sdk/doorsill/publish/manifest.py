"""The manifest of a release: what the log and everybody who signs says of a list."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.lists import TEST, Text
from doorsill.publish.cap import over_cap
from doorsill.publish.diff import Alignment, Changes, changes
from doorsill.publish.sealed_facts import sealed_changes, sealed_facts
from doorsill.publish.sections import Kind
from doorsill.sealed.lists import SealedList

if TYPE_CHECKING:
    from doorsill.publish.sections import ListFile

FIRST_LINE = "doorsill-manifest/v1"
USE_SECONDS = 30 * 24 * 3600


class ManifestError(DoorsillError):
    """A manifest is none, or does not tell the truth about its list."""


@dataclass(frozen=True)
class Manifest:
    """A manifest, read; `facts` has every line after the first, by key in order."""

    facts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        """Take it apart. Whether it is one the core decides, when it checks the proof."""
        facts: dict[str, list[str]] = {}
        lines = raw.decode(errors="replace").splitlines()
        if lines[:1] != [FIRST_LINE]:
            raise ManifestError("this is no manifest of a hash list")
        for line in lines[1:]:
            key, _, value = line.partition(" ")
            facts.setdefault(key, []).append(value)
        return cls(facts)

    def one(self, key: str) -> str:
        """Return the value of a key that stands once, "" if it does not stand there."""
        return self.facts.get(key, [""])[0]

    def number(self, key: str) -> int:
        """Return a number, 0 if it does not stand there."""
        return int(self.one(key) or 0)

    def counts(self, key: str) -> dict[str, int]:
        """Return the numbers by name of `category` or `publisher`."""
        pairs = (value.partition(" ") for value in self.facts.get(key, []))
        return {name: int(number) for number, _, name in pairs}


@dataclass(frozen=True)
class Terms:
    """What a publisher says of a release beside its list.

    Attributes:
        origin: Name of the log's key.
        policy: The trust policy in force, its text.
        version: Its number, from 1.
        policy_before: The text before, in a release that changes it.
        issued: POSIX seconds.
        use_seconds: How long the list is to be used without a newer one.
        reason: Why the release may be over the cap.
    """

    origin: str
    policy: bytes
    version: int
    issued: int
    policy_before: bytes = b""
    use_seconds: int = USE_SECONDS
    reason: str = ""


def make_manifest(new: ListFile, before: ListFile | None, terms: Terms) -> bytes:
    """Return the manifest of a release.

    Raises:
        ManifestError: It changes more than the cap allows and no reason is given.
    """
    digest = hashlib.sha256(new.data).hexdigest()
    lines = [FIRST_LINE, f"list {terms.origin}", f"epoch {new.list.info['epoch']}",
             f"sha256 {digest}", f"size {len(new.data)}", f"issued {terms.issued}",
             f"use_until {terms.issued + terms.use_seconds}",
             f"policy {terms.version} {hashlib.sha256(terms.policy).hexdigest()}"]  # fmt: skip
    if terms.policy_before:
        lines.append(f"policy_before {hashlib.sha256(terms.policy_before).hexdigest()}")
    lines += facts(new, before, terms.reason)
    return "".join(f"{line}\n" for line in lines).encode()


def facts(new: ListFile, before: ListFile | None, reason: str) -> list[str]:
    """Return the lines that anybody can work out again from the two lists."""
    if isinstance(new.list, SealedList):
        found = sealed_changes(before, new)
    elif before:
        found = changes(Alignment(before, new))
    else:
        found = Changes(after=len(new.list), added=len(new.list))
    too_much = over_cap(found) if before else ""
    if too_much and not reason:
        raise ManifestError(too_much)
    epoch = new.list.info["epoch"]
    lines = [f"entries {len(new.list)}", f"added {found.added}", f"removed {found.removed}",
             f"withdrawn {sum(1 for _, gone in new.withdrawn() if gone == epoch)}"]  # fmt: skip
    if too_much:
        lines.append(f"over_cap {' '.join(reason.split())}")
    if isinstance(new.list, SealedList):
        return lines + sealed_facts(new.list)
    for index, hasher in enumerate(new.list.hashers):
        model = new.section(Kind.HASHERS)[72 * index + 24 : 72 * index + 56]
        lines.append(
            f"hasher {hasher.name} {hasher.profile} {hasher.width} {hasher.limit} "
            f"{hasher.quality} {hasher.rows} {model.hex() if any(model) else '-'}"
        )
    lines += [f"digests {kind} {rows}" for kind, rows in new.list.info["digests"].items() if rows]
    return lines + _counts(new)


def _counts(new: ListFile) -> list[str]:
    entries = Counter(new.numbers(Kind.ENTRY_CLASSES))
    categories, publishers = Counter[int](), Counter[int]()
    for number, (category, flags, vouching) in enumerate(new.classes()):
        if flags & TEST:
            continue
        categories[category] += entries[number]
        for publisher in range(64):
            if vouching >> publisher & 1:
                publishers[publisher] += entries[number]
    return [
        f"{word} {count} {new.list.text(kind, key) or f'{word} {key}'}"
        for word, kind, counts in (("category", Text.CATEGORY, categories),
                                   ("publisher", Text.PUBLISHER, publishers))
        for key, count in sorted(counts.items()) if count
    ]  # fmt: skip
