"""The manifest of a release: what the log and everybody who signs says of a list."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.lists import TEST, Text
from doorsill.publish.cap import over_cap
from doorsill.publish.diff import Alignment, Changes, changes
from doorsill.publish.sealed_facts import sealed_changes, sealed_facts
from doorsill.publish.sections import Kind
from doorsill.releases import manifest_fault
from doorsill.sealed.lists import SealedList

if TYPE_CHECKING:
    from doorsill.publish.sections import ListFile

FIRST_LINE = "doorsill-manifest/v1"
USE_SECONDS = 30 * 24 * 3600

_NUMBER, _HEX = "(0|[1-9][0-9]{0,18})", "[0-9a-f]{64}"
_COUNTS = ("entries", "added", "removed", "withdrawn")
_FACTS = dict.fromkeys(_COUNTS, _NUMBER) | {
    "over_cap": ".+",
    "hasher": f".+ .+ {' '.join([_NUMBER] * 4)} (?:{_HEX}|-)",
    "sealed": f"{_NUMBER} {_NUMBER} {_NUMBER} {_HEX} {_HEX}",
    "digests": f"(?:sha256|sha1|md5) {_NUMBER}",
    "category": f"{_NUMBER} .+",
    "publisher": f"{_NUMBER} .+",
}
"""The facts of native/FORMAT.md in their order, and how each is written."""
_ONCE = {*_COUNTS, "over_cap", "sealed"}
_TOO_LARGE = 1 << 63


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
        lines = _lines(raw)
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
        """Return a number, 0 if it does not stand there; `ManifestError` if it is none."""
        return _number(key, self.one(key) or "0")

    def counts(self, key: str) -> dict[str, int]:
        """Return the numbers by name of `category` or `publisher`; `ManifestError` if none."""
        pairs = (value.partition(" ") for value in self.facts.get(key, []))
        return {name: _number(key, number) for number, _, name in pairs}


def _lines(raw: bytes) -> list[str]:
    """Return the lines; a newline alone ends one, as for the core: names may hold U+2028."""
    return raw.decode(errors="replace").removesuffix("\n").split("\n")


def _number(key: str, value: str) -> int:
    if not re.fullmatch(_NUMBER, value) or int(value) >= _TOO_LARGE:
        raise ManifestError(f"`{key}` of the manifest is {value[:40]!r}, no number; do not use it")
    return int(value)


def form_fault(raw: bytes) -> str:
    """Return what breaks the form of a manifest, in words; "" if nothing does.

    The core judges what clients act on. They pass by the facts for people, which are read here.
    """
    wrong = manifest_fault(raw)
    if wrong:
        return wrong
    facts = [line.partition(" ")[::2] for line in _lines(raw)[1:]]
    known = [(key, value) for key, value in facts if key in _FACTS]
    keys = [key for key, _ in known]
    for key, value in known:
        found = re.fullmatch(_FACTS[key], value)
        if not found or any(int(number) >= _TOO_LARGE for number in found.groups()):
            return f"`{key} {value[:40]}` is not written as it should be"
    missing = [key for key in _COUNTS if key not in keys]
    if missing:
        return f"it does not say `{missing[0]}`"
    twice = [key for key in keys if key in _ONCE and keys.count(key) > 1]
    if twice:
        return f"it says `{twice[0]}` twice"
    order = [list(_FACTS).index(key) for key in keys]
    return "" if order == sorted(order) else "its facts do not stand in their order"


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
