"""From one release to the next: small deltas that make the named list, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorsill import HashList, ListError, Trust
from doorsill.core import DIGESTS, delta_apply, delta_describe
from doorsill.deltas import apply_delta
from doorsill.limits import Limits
from doorsill.lists import TEST, Text
from doorsill.publish.cap import cap, over_cap
from doorsill.publish.delta import make_delta
from doorsill.publish.diff import Alignment, Changes, align, changes
from doorsill.publish.sections import ListFile
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = 96
VECTOR = (Path(__file__).parent / "data/vectors/list.dsl").read_bytes()


def value(name: str, size: int) -> bytes:
    """Return bytes that look random and are the same everywhere."""
    return hashlib.shake_128(name.encode()).digest(size)


def release(entries: Sequence[tuple[int, int]], *, epoch: int = 0, neural: bool = False,
            limit: int = 31) -> bytes:  # fmt: skip
    """Return a list of (number, class) entries; a third has no hash, a fifth has two."""
    made = Contents(epoch=epoch)
    rows, codes = HasherRows("pdq", "unknown", limit=limit), HasherRows("model", "full", width=384)
    made.digests = {kind: [] for kind in DIGESTS}
    for number, class_ in sorted(entries, key=lambda each: value(f"id {each[0]}", 6)):
        entry = made.add_entry(
            (class_ % 2, class_ // 2 % 2, 1 + class_ // 4), value(f"id {number}", 6)
        )
        for frame in range(0 if number % 3 == 0 else 2 if number % 5 == 0 else 1):
            rows.hashes += value(f"hash {number} {frame}", 32)
            rows.entries.append(entry)
        if number % 2:
            codes.hashes += value(f"code {number}", 48)
            codes.entries.append(entry)
        for kind, size in (("md5", 16), ("sha1", 20)) if number % 3 == 0 else (("md5", 16),):
            made.digests[kind].append((value(f"{kind} {number}", size), entry))  # type: ignore[attr-defined]
    made.sort_classes()
    card = made.add_entry((9, TEST, 1), b"\xff" * 6)
    rows.hashes += value("card", 32)
    rows.entries.append(card)
    made.hashers = [rows, codes] if neural else [rows]
    made.texts = [(Text.LIST, 0, "en", "list"), (Text.PUBLISHER, 0, "en", f"publisher {epoch % 2}")]
    made.withdrawn = [(value(f"gone {number}", 6), number) for number in range(epoch)]
    return list_bytes(made)


def delta(old: bytes, new: bytes) -> bytes:
    """Return the delta between two lists."""
    return make_delta(Alignment(ListFile(old), ListFile(new)))


def naive_apply(base: bytes, data: bytes) -> bytes:  # noqa: C901 - one plain loop
    """Apply a good delta, plainly: the twin of native/src/delta.c, written from FORMAT.md."""
    at = HEADER
    maps = []

    def word() -> int:
        nonlocal at
        at += 4
        return int.from_bytes(data[at - 4 : at], "little")

    def number() -> int:
        nonlocal at
        told, shift = 0, 0
        while True:
            at += 1
            told |= (data[at - 1] & 0x7F) << shift
            if data[at - 1] < 0x80:
                return told
            shift += 7

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    for _ in range(int.from_bytes(data[10:12], "little")):
        before, after, removed, inserted = (word() for _ in range(4))
        gone = {word() for _ in range(removed)}
        maps.append((before, after, gone, {word() for _ in range(inserted)}))
    made = bytearray()
    while at < len(data):
        operation = take(1)[0]
        if operation == 0:
            made += take(number())
        elif operation == 1:
            size, start = number(), number()
            made += base[start : start + size]
        elif operation == 2:
            made += bytes(number())
        elif operation == 3:
            size, first = number(), number()
            made += b"".join((first + i).to_bytes(4, "little") for i in range(size))
        else:
            before, after, gone, come = maps[number()]
            named = maps[number()] if operation == 5 else None
            width, start = number(), number()
            stay = [base[start + width * row :][:width] for row in range(before) if row not in gone]
            if named:
                left = [row for row in range(named[0]) if row not in named[2]]
                places = [row for row in range(named[1]) if row not in named[3]]
                moved = dict(zip(left, places, strict=True))
                stay = [
                    moved[int.from_bytes(each, "little")].to_bytes(width, "little") for each in stay
                ]
            made += b"".join(take(width) if row in come else stay.pop(0) for row in range(after))
    return bytes(made)


ENTRIES = st.dictionaries(st.integers(0, 60), st.integers(0, 7), max_size=50).map(
    lambda d: [*d.items()]
)


@given(ENTRIES, ENTRIES, st.tuples(st.booleans(), st.booleans()), st.integers(0, 3))
def test_any_list_to_any_other(
    old: list[tuple[int, int]], new: list[tuple[int, int]], neural: tuple[bool, bool], epoch: int
) -> None:
    """Whatever the two lists are, the delta makes the second of the first, by C and by its twin."""
    first, second = release(old, neural=neural[0]), release(new, neural=neural[1], epoch=epoch)
    made = delta(first, second)
    assert second == bytes(apply_delta(first, made)) == naive_apply(first, made)


@given(ENTRIES, ENTRIES, st.integers(20, 40))
def test_what_changed_is_counted(
    old: list[tuple[int, int]], new: list[tuple[int, int]], limit: int
) -> None:
    """Ids that came, went, or have another class are counted, and nothing else."""
    found = changes(Alignment(ListFile(release(old)), ListFile(release(new, limit=limit))))
    was, is_ = dict(old), dict(new)
    assert (len(was), len(is_)) == (found.before, found.after)
    assert len(is_.keys() - was.keys()) == found.added
    assert len(was.keys() - is_.keys()) == found.removed
    assert sum(was[key] != is_[key] for key in was.keys() & is_.keys()) == found.changed
    assert found.total == sum(map(sum, found.categories.values()))


@given(st.lists(st.integers(0, 40)), st.lists(st.integers(0, 40)))
def test_align_is_a_script(old: list[int], new: list[int]) -> None:
    """Of any two columns, ordered or not, what stays stands in both in one order."""
    a, b = ([b"%05d" % each for each in column] for column in (old, new))
    map_ = align(a, b)
    stay = [key for row, key in enumerate(a) if row not in set(map_.removed)]
    kept = [key for row, key in enumerate(b) if row not in set(map_.inserted)]
    assert stay == kept
    moved = map_.moved()
    assert all(a[row] == b[to] for row, to in enumerate(moved) if to < map_.after)
    in_order = align(sorted(set(a)), sorted(set(b)))
    assert len(set(a) - set(b)) == len(in_order.removed)


def test_changed_rows_are_changes() -> None:
    """An entry whose hash or digest alone changed is counted as changed."""

    def one(hash_: str, md5: str) -> ListFile:
        made = Contents(classes=[])
        entry = made.add_entry((0, 0, 1), b"abcdef")
        rows = HasherRows("pdq", "full")
        rows.hashes += value(hash_, 32)
        rows.entries.append(entry)
        made.hashers = [rows]
        made.digests["md5"] = [(value(md5, 16), entry)]
        return ListFile(list_bytes(made))

    for new in (one("b", "m"), one("a", "n")):
        assert (0, 0, 1) == tuple(getattr(changes(Alignment(one("a", "m"), new)), name)
                                  for name in ("added", "removed", "changed"))  # fmt: skip
    assert 0 == changes(Alignment(one("a", "m"), one("a", "m"))).total


OLD = release([(number, number % 3) for number in range(40)])
NEW = release([(number, number % 3) for number in range(2, 44)], epoch=1)
DELTA = delta(OLD, NEW)


def test_onto_a_wrong_base() -> None:
    """A delta fits one list alone: not another, not one bent by a bit, not its own result."""
    bent = bytearray(OLD)
    bent[-1] ^= 1
    for base in (VECTOR, bytes(bent), b"", OLD[:-1]):
        with pytest.raises(ListError, match="another release"):
            apply_delta(base, DELTA)
    with pytest.raises(ListError, match="applied already"):
        apply_delta(NEW, DELTA)


def test_every_truncation() -> None:
    """A delta cut short anywhere makes nothing."""
    for cut in range(len(DELTA)):
        with pytest.raises(ListError):
            apply_delta(OLD, DELTA[:cut])
    with pytest.raises(ListError):
        apply_delta(OLD, DELTA + b"\0")


def test_every_byte_flipped() -> None:
    """A bent delta makes the list that the good one names, or nothing."""
    for at in range(len(DELTA)):
        for mask in (0x01, 0x80, 0xFF):
            bent = bytearray(DELTA)
            bent[at] ^= mask
            try:
                made = bytes(apply_delta(OLD, bytes(bent)))
            except ListError:
                continue
            assert made == NEW


def test_bombs() -> None:
    """A delta that says, or makes, more than is allowed is stopped before memory is taken."""
    huge = bytearray(DELTA)
    huge[24:32] = (1 << 50).to_bytes(8, "little")
    with pytest.raises(ListError, match="allowed are 1073741824"):
        apply_delta(OLD, bytes(huge))
    with pytest.raises(ListError, match=f"allowed are {len(NEW) - 1}"):
        apply_delta(OLD, DELTA, size=len(NEW) - 1)
    with pytest.raises(ListError, match="allowed are 10;"):
        apply_delta(OLD, DELTA, limits=replace(Limits(), list_bytes=10))
    copies = DELTA[:10] + bytes(6) + DELTA[16:HEADER] + b"\1\x40\0" * 100_000
    with pytest.raises(ListError, match="more than it says"):
        delta_apply(OLD, copies, len(NEW))


def test_no_delta() -> None:
    """A list is no delta."""
    with pytest.raises(ListError, match="mark of a delta"):
        apply_delta(OLD, OLD)
    assert (len(OLD), len(NEW)) == delta_describe(DELTA)[:2]


def test_one_of_many_is_small() -> None:
    """Withdrawing one entry of 20,000 takes under a kilobyte, also with a second hasher."""
    many = [(number, 0) for number in range(20_000)]
    old = release(many, neural=True)
    made = delta(old, release(many[:-1], neural=True, epoch=1))
    assert len(made) < 1000
    assert HashList(bytes(apply_delta(old, made)), Trust.none())


def test_hashers_alike() -> None:
    """Each column of the base is used once, also where several hashers have come from one."""

    def made(limits: Sequence[int]) -> bytes:
        contents = Contents()
        entry = contents.add_entry((0, TEST, 1), b"\xff" * 6)
        for limit in limits:
            alike = HasherRows("pdq", "unknown", limit=limit)
            alike.hashes += b"".join(value(f"{limit} {row}", 32) for row in range(200))
            alike.entries.extend([entry] * 200)
            contents.hashers.append(alike)
        return list_bytes(contents)

    old, new = made([20]), made(range(20, 28))
    assert apply_delta(old, delta(old, new), size=len(new)) == new
    old, new = made([20, 21]), made([20, 21, 22])
    assert len(delta(old, new)) < 200 * 48 + 1000  # the second hasher is the second again


@pytest.mark.parametrize("came", [(0, 0, 3), (0, 0, 1 << 9), (300, 0, 1), (0, 4, 1 << 40)])
def test_many_publishers_and_categories(came: tuple[int, int, int]) -> None:
    """Classes whose numbers take more than one byte stand in another order than their bytes do."""

    def made(classes: Sequence[tuple[int, int, int]]) -> bytes:
        contents = Contents()
        for number, class_ in enumerate(classes):
            contents.add_entry(class_, bytes((number,)) * 6)
        contents.sort_classes()
        contents.add_entry((0, TEST, 1), b"\xff" * 6)
        return list_bytes(contents)

    few = [(0, 0, 1), (0, 0, 2), (0, 0, 256), (1, 0, 255), (256, 0, 1)]
    old, new = made(few), made([*few, came])
    assert apply_delta(old, delta(old, new), size=len(new)) == new
    assert apply_delta(new, delta(new, old), size=len(old)) == old


def test_cap() -> None:
    """A twentieth of a list, or a thousand entries, may change; more takes a reason."""
    assert (1000, 1000, 50_000) == (cap(0), cap(20_000), cap(1_000_000))
    assert not over_cap(Changes(before=100, added=400, removed=300, changed=300))
    assert "1001 changes" in over_cap(Changes(before=100, added=401, removed=300, changed=300))
