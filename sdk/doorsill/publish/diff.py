"""What changed from one release of a list to the next."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorsill.core import DIGESTS
from doorsill.errors import ListError
from doorsill.lists import TEST, Text
from doorsill.publish.rows import DIGEST_BYTES
from doorsill.publish.sections import ID_BYTES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorsill.publish.sections import ListFile

_RUN = 4096  # keys that are compared at once
# Keys of rows that have no counterpart, as their entries have none; real keys are longer.
_GONE, _NEW = b"", b"\xff"


@dataclass(frozen=True)
class Map:
    """How the rows of one column became those of another: which went, which came, both rising."""

    before: int
    after: int
    removed: array[int]
    inserted: array[int]

    def moved(self) -> array[int]:
        """Return for each row before where it is afterwards, `after` for one that went."""
        places = array("I")
        gone = set(self.removed)
        come = set(self.inserted)
        to = 0
        for row in range(self.before):
            if row in gone:
                places.append(self.after)
                continue
            while to in come:
                to += 1
            places.append(to)
            to += 1
        return places


def align(old: Sequence[bytes], new: Sequence[bytes]) -> Map:
    """Match two columns of keys, both in order; unordered ones give a longer map, no wrong one."""
    removed, inserted = array("I"), array("I")
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i : i + _RUN] == new[j : j + _RUN]:
            step = min(_RUN, len(old) - i, len(new) - j)
            i, j = i + step, j + step
            continue
        stop = i + _RUN
        while i < min(stop, len(old)) and j < len(new):
            a, b = old[i], new[j]
            if a == b:
                i, j = i + 1, j + 1
            elif a == _GONE or (b != _NEW and a < b):
                removed.append(i)
                i += 1
            else:
                inserted.append(j)
                j += 1
    removed.extend(range(i, len(old)))
    inserted.extend(range(j, len(new)))
    return Map(len(old), len(new), removed, inserted)


def _align_few(old: Sequence[bytes], new: Sequence[bytes]) -> Map:
    """Match two columns of keys, each of which stands once, in whatever order both have them."""
    before, after = set(old), set(new)
    if [key for key in old if key in after] != [key for key in new if key in before]:
        return align(old, new)
    removed = array("I", (row for row, key in enumerate(old) if key not in after))
    inserted = array("I", (row for row, key in enumerate(new) if key not in before))
    return Map(len(old), len(new), removed, inserted)


def _cut(column: bytes, width: int) -> list[bytes]:
    return [column[at : at + width] for at in range(0, len(column), width)]


def _entry_keys(file: ListFile) -> list[bytes]:
    """Return id and class of each entry: an entry of another class is another one."""
    classes = _cut(file.section(Kind.CLASSES), 16)
    numbers = file.numbers(Kind.ENTRY_CLASSES)
    return [id_ + classes[number] for id_, number in zip(file.ids(), numbers, strict=True)]


class Alignment:
    """Which entries, rows, digests, classes and withdrawals of two lists are the same.

    Attributes:
        entries: Of entries.
        classes: Of classes.
        withdrawn: Of records of withdrawn entries.
        rows: By hasher of the new list: its number in the old one, and the map of its rows.
        digests: By kind of digest.
    """

    def __init__(self, old: ListFile, new: ListFile) -> None:
        """Compare two lists."""
        if old.list.is_sealed or new.list.is_sealed:
            raise ListError(f"{new.list.path or 'the list'}: rows of sealed lists cannot be told "
                            "apart; compare the lists that they were sealed from")  # fmt: skip
        self.old, self.new = old, new
        self.entries = align(_entry_keys(old), _entry_keys(new))
        self._moved = self.entries.moved()
        self._come = set(self.entries.inserted)
        self.classes = _align_few(
            _cut(old.section(Kind.CLASSES), 16), _cut(new.section(Kind.CLASSES), 16)
        )
        self.withdrawn = align(
            _cut(old.section(Kind.WITHDRAWN), 16), _cut(new.section(Kind.WITHDRAWN), 16)
        )
        self.rows = {index: (before, self._align_rows(before, index))
                     for index, before in self._same_hashers()}  # fmt: skip
        self.digests = {kind: self._align_digests(kind) for kind in range(len(DIGESTS))}

    def _same_hashers(self) -> Iterable[tuple[int, int]]:
        before = _cut(self.old.section(Kind.HASHERS), 72)
        heads = [record[:56] + record[60:62] + record[66:] for record in before]
        for index, record in enumerate(_cut(self.new.section(Kind.HASHERS), 72)):
            head = record[:56] + record[60:62] + record[66:]  # name, model, width and profile
            if head in heads:
                same = heads.index(head)
                heads[same] = b""  # taken: a delta uses each column once
                yield index, same

    def _before(self, entry: int) -> bytes:
        to = self._moved[entry]
        return _GONE if to == self.entries.after else to.to_bytes(4, "big")

    def _after(self, entry: int) -> bytes:
        return _NEW if entry in self._come else entry.to_bytes(4, "big")

    def _align_rows(self, before: int, index: int) -> Map:
        def keys(file: ListFile, hasher: int, place: Iterable[bytes]) -> list[bytes]:
            width = file.list.hashers[hasher].width // 128
            planes = [file.section(Kind.PLANE, hasher, plane) for plane in range(width)]
            return [where + b"".join(plane[16 * row : 16 * row + 16] for plane in planes)
                    if len(where) > 1 else where for row, where in enumerate(place)]  # fmt: skip

        old = keys(self.old, before, map(self._before, self.old.row_entries(before)))
        new = keys(self.new, index, map(self._after, self.new.row_entries(index)))
        return align(old, new)

    def _align_digests(self, kind: int) -> Map:
        def keys(file: ListFile, place: Iterable[bytes]) -> list[bytes]:
            width = DIGEST_BYTES[DIGESTS[kind]]
            column = file.section(Kind.DIGEST_KEYS, kind)
            return [
                column[at : at + width] + where if len(where) > 1 else where
                for at, where in zip(range(0, len(column), width), place, strict=True)
            ]

        old = keys(self.old, map(self._before, self.old.numbers(Kind.DIGEST_ENTRIES, kind)))
        new = keys(self.new, map(self._after, self.new.numbers(Kind.DIGEST_ENTRIES, kind)))
        return align(old, new)

    def touched(self) -> set[bytes]:
        """Return the ids of all entries of either list of which anything differs."""
        touched = {_id(self.old, entry) for entry in self.entries.removed}
        touched |= {_id(self.new, entry) for entry in self.entries.inserted}
        for index, (before, map_) in self.rows.items():
            owners = self.old.row_entries(before)
            touched |= {_id(self.old, owners[row]) for row in map_.removed}
            owners = self.new.row_entries(index)
            touched |= {_id(self.new, owners[row]) for row in map_.inserted}
        for index in set(range(len(self.new.list.hashers))) - set(self.rows):
            touched |= {_id(self.new, entry) for entry in self.new.row_entries(index)}
        kept = {before for before, _ in self.rows.values()}
        for before in set(range(len(self.old.list.hashers))) - kept:
            touched |= {_id(self.old, entry) for entry in self.old.row_entries(before)}
        for kind, map_ in self.digests.items():
            owners = self.old.numbers(Kind.DIGEST_ENTRIES, kind)
            touched |= {_id(self.old, owners[row]) for row in map_.removed}
            owners = self.new.numbers(Kind.DIGEST_ENTRIES, kind)
            touched |= {_id(self.new, owners[row]) for row in map_.inserted}
        return touched


def _id(file: ListFile, entry: int) -> bytes:
    offset, _ = file.places[Kind.ENTRY_IDS, 0, 0]
    return file.data[offset + ID_BYTES * entry : offset + ID_BYTES * (entry + 1)]


@dataclass
class Changes:
    """How many entries changed, the test card not counted.

    Attributes:
        before: Entries of the old list.
        after: Of the new one.
        added: Ids that the old list does not have.
        removed: Ids that the new list does not have.
        changed: Ids of both of which class, hashes or digests differ.
        categories: By name: (added, removed, changed).
        publishers: Likewise.
    """

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    categories: dict[str, list[int]] = field(default_factory=dict)
    publishers: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return self.added + self.removed + self.changed


def changes(alignment: Alignment) -> Changes:
    """Count what changed."""
    old, new = alignment.old, alignment.new
    found = Changes(len(old.list), len(new.list))
    touched = alignment.touched()
    was, is_ = _entries_of(old, touched), _entries_of(new, touched)
    for id_ in sorted(was.keys() | is_.keys()):
        at = 1 if id_ not in is_ else 0 if id_ not in was else 2
        found.added += at == 0
        found.removed += at == 1
        found.changed += at == 2  # noqa: PLR2004 - the last of three
        file, entry = (old, was[id_]) if at == 1 else (new, is_[id_])
        told = file.list.entry(entry)
        category = file.list.text(Text.CATEGORY, told.category) or f"category {told.category}"
        found.categories.setdefault(category, [0, 0, 0])[at] += 1
        for number in told.publishers:
            name = file.list.text(Text.PUBLISHER, number) or f"publisher {number}"
            found.publishers.setdefault(name, [0, 0, 0])[at] += 1
    return found


def _entries_of(file: ListFile, ids: set[bytes]) -> dict[bytes, int]:
    return {id_: entry for entry, id_ in enumerate(file.ids())
            if id_ in ids and not file.list.entry(entry).flags & TEST}  # fmt: skip
