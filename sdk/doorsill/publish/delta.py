"""Makes a delta from one release of a list to the next; native/FORMAT.md has the format."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from doorsill.core import DIGESTS, delta_apply
from doorsill.errors import ListError
from doorsill.publish.rows import DIGEST_BYTES
from doorsill.publish.sections import HEADER_BYTES, ID_BYTES, SECTION, Kind

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    from doorsill.publish.diff import Alignment, Map

_MAGIC = b"\x89DSD\r\n\x1a\n"
_HEADER = struct.Struct("<8sHHIQQ32s32s")
_MAP = struct.Struct("<IIII")
_WORTH_COPYING = 8  # bytes: the step takes 4, the literal behind it 2 more
_LITERAL, _COPY, _ZEROS, _COUNT, _COLUMN, _NUMBERS = range(6)


def make_delta(alignment: Alignment) -> bytes:
    """Return the delta between the two lists of an alignment, tried out before it is returned."""
    old, new = alignment.old.data, alignment.new.data
    steps = bytearray()
    writer = _Writer(alignment, steps)
    writer.write()
    header = _HEADER.pack(_MAGIC, 1, len(writer.maps), 0, len(old), len(new),
                          hashlib.sha256(old).digest(), hashlib.sha256(new).digest())  # fmt: skip
    delta = b"".join([header, *map(_map_bytes, writer.maps), steps])
    if bytes(delta_apply(old, delta, len(new))) != new:
        raise ListError(
            "the delta does not make the new list; this is a fault of doorsill, report it"
        )
    return delta


def _map_bytes(map_: Map) -> bytes:
    rows = struct.pack(f"<{len(map_.removed)}I{len(map_.inserted)}I", *map_.removed, *map_.inserted)
    return _MAP.pack(map_.before, map_.after, len(map_.removed), len(map_.inserted)) + rows


def _number(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - 7 bits a byte
        made.append(0x80 | value & 0x7F)
        value >>= 7
    made.append(value)
    return bytes(made)


class _Writer:
    """Writes the steps that make one list from another, section by section."""

    def __init__(self, alignment: Alignment, steps: bytearray) -> None:
        self.maps: list[Map] = []
        self._of = alignment
        self._old, self._new = alignment.old, alignment.new
        self._steps = steps

    def write(self) -> None:
        """Write them all."""
        at = HEADER_BYTES + SECTION.size * len(self._new.places)
        self._edited(self._new.data[:at])
        for (kind, a, b), (offset, length) in self._new.places.items():
            self._padding(self._new.data[at:offset])
            if length:
                self._section(kind, a, b)
            at = offset + length
        self._padding(self._new.data[at:])

    def _section(self, kind: int, a: int, b: int) -> None:
        of = self._of
        entries = (Kind.ENTRY_IDS, 0, 0)
        if kind in {Kind.PLANE, Kind.ROW_ENTRIES} and a in of.rows:
            before, map_ = of.rows[a]
            if kind == Kind.PLANE:
                self._column((kind, before, b), (kind, a, b), map_, 16)
            elif (kind, before, 0) in self._old.places:
                self._column((kind, before, 0), (kind, a, 0), map_, 4, of.entries)
            else:
                self._counts(self._new.numbers(Kind.ROW_ENTRIES, a))
        elif kind == Kind.ENTRY_IDS:
            self._column(entries, entries, of.entries, ID_BYTES)
        elif kind == Kind.ENTRY_CLASSES:
            self._column((kind, 0, 0), (kind, 0, 0), of.entries, 2, of.classes)
        elif kind == Kind.CLASSES:
            self._column((kind, 0, 0), (kind, 0, 0), of.classes, 16)
        elif kind == Kind.WITHDRAWN:
            self._column((kind, 0, 0), (kind, 0, 0), of.withdrawn, 16)
        elif kind == Kind.DIGEST_KEYS:
            self._column((kind, a, 0), (kind, a, 0), of.digests[a], DIGEST_BYTES[DIGESTS[a]])
        elif kind == Kind.DIGEST_ENTRIES:
            self._column((kind, a, 0), (kind, a, 0), of.digests[a], 4, of.entries)
        else:
            self._same_or_literal((kind, a, b))

    def _step(self, operation: int, *numbers: int) -> None:
        self._steps.append(operation)
        for number in numbers:
            self._steps += _number(number)

    def _literal(self, data: bytes) -> None:
        if data:
            self._step(_LITERAL, len(data))
            self._steps += data

    def _edited(self, data: bytes) -> None:
        """Write header and section table, of which the base has most bytes in the same places."""
        base, start, at = self._old.data, 0, 0
        while at < len(data):
            same = at
            while same < min(len(data), len(base)) and data[same] == base[same]:
                same += 1
            if same - at >= _WORTH_COPYING:
                self._literal(data[start:at])
                self._step(_COPY, same - at, at)
                start = same
            at = max(same, at + 1)
        self._literal(data[start:])

    def _padding(self, data: bytes) -> None:
        if data and not any(data):
            self._step(_ZEROS, len(data))
        else:
            self._literal(data)

    def _same_or_literal(self, place: tuple[int, int, int]) -> None:
        data = self._new.section(*place)
        if data and data == self._old.section(*place):
            self._step(_COPY, len(data), self._old.places[place][0])
        else:
            self._literal(data)

    def _map(self, map_: Map) -> int:
        if map_ not in self.maps:
            self.maps.append(map_)
        return self.maps.index(map_)

    def _column(
        self,
        old: tuple[int, int, int],
        new: tuple[int, int, int],
        rows: Map,
        width: int,
        named: Map | None = None,
    ) -> None:
        """Edit a column of the old list; *named* says how the numbers in it change."""
        if old not in self._old.places:
            self._literal(self._new.section(*new))
            return
        start = self._old.places[old][0]
        if named is None:
            self._step(_COLUMN, self._map(rows), width, start)
        else:
            self._step(_NUMBERS, self._map(rows), self._map(named), width, start)
        data = self._new.section(*new)
        for row in rows.inserted:
            self._steps += data[width * row : width * (row + 1)]

    def _counts(self, numbers: array[int]) -> None:
        """Write numbers as runs that rise by one."""
        for first, length in _runs(numbers):
            self._step(_COUNT, length, first)


def _runs(numbers: array[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield numbers[start], at - start
            start = at
