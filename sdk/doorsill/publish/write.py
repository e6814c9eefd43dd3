"""Writes a hash list, byte by byte as `native/FORMAT.md` says."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doorsill.core import DIGESTS, SECTION_PROFILES, pdq_planes
from doorsill.errors import ListError
from doorsill.files import write_atomically
from doorsill.lists import HashList
from doorsill.publish.sections import CLASS, HEADER_BYTES, SECTION, WITHDRAWN, Kind
from doorsill.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAGIC = b"\x89DSL\r\n\x1a\n"
_ALIGNMENT = 64
_HEADER = struct.Struct("<8sHHIQQII20x")  # the checksum follows
HASHER = struct.Struct("<24s32sIHHHB5x")
_TEXT = struct.Struct("<HH8sIII")
_REQUIRED = 1


@dataclass
class HasherRows:
    """The hashes of one hasher in one profile; row i belongs to entry `entries[i]`.

    `model` is the digest of a neural hasher's file, zeros for PDQ. `hashes` holds
    width / 8 bytes a row, one behind another.
    """

    name: str
    profile: str
    width: int = 256
    limit: int = 31
    quality: int = 50
    model: bytes = bytes(32)
    hashes: bytearray = field(default_factory=bytearray)
    entries: array[int] = field(default_factory=lambda: array("I"))

    @property
    def is_straight(self) -> bool:
        """Whether row i is entry i, so that the file needs no column to say so."""
        return all(entry == row for row, entry in enumerate(self.entries))

    def planes(self) -> list[bytes]:
        """Return planes of 128 bits, for PDQ the highest frequencies first."""
        if self.name == "pdq":
            return list(pdq_planes(bytes(self.hashes)))
        step = self.width // 8
        return [b"".join(self.hashes[row + at : row + at + 16]
                         for row in range(0, len(self.hashes), step))
                for at in range(0, step, 16)]  # fmt: skip


@dataclass
class Contents:
    """Everything that a list holds.

    Attributes:
        classes: (category, flags, publishers as a bit set), each at most once.
        entry_classes: For each entry the index of its class.
        entry_ids: For each entry 6 bytes.
        hashers: At most 8.
        digests: For each kind (digest, entry) pairs: a list in any order, or an iterable in order.
        texts: (kind, key, language, text).
        withdrawn: (id of 6 bytes, epoch in which it went).
    """

    classes: list[tuple[int, int, int]] = field(default_factory=list)
    entry_classes: array[int] = field(default_factory=lambda: array("H"))
    entry_ids: bytearray = field(default_factory=bytearray)
    hashers: list[HasherRows] = field(default_factory=list)
    digests: dict[str, Iterable[tuple[bytes, int]]] = field(
        default_factory=lambda: {kind: [] for kind in DIGESTS}
    )
    texts: list[tuple[int, int, str, str]] = field(default_factory=list)
    withdrawn: list[tuple[bytes, int]] = field(default_factory=list)
    epoch: int = 0
    flags: int = 0
    _numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def add_entry(self, class_: tuple[int, int, int], entry_id: bytes) -> int:
        """Return the index of a new entry."""
        if class_ not in self._numbers:
            self._numbers[class_] = len(self.classes)
            self.classes.append(class_)
        self.entry_classes.append(self._numbers[class_])
        self.entry_ids += entry_id
        return len(self.entry_classes) - 1

    def sort_classes(self) -> None:
        """Bring the classes into an order of their own, which no order of entries can change."""
        before = self.classes
        self.classes = sorted(before)
        self._numbers = {class_: number for number, class_ in enumerate(self.classes)}
        moved = [self._numbers[class_] for class_ in before]
        self.entry_classes = array("H", (moved[index] for index in self.entry_classes))


def _column(values: array[int]) -> bytes:
    """Return the values little-endian; arrays keep ten million of them small."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def _hasher_sections(contents: Contents) -> list[tuple[Kind, int, int, bytes]]:
    sections, table = [], []
    for index, rows in enumerate(contents.hashers):
        profile = SECTION_PROFILES.index(rows.profile)
        table.append(HASHER.pack(rows.name.encode(), rows.model, len(rows.entries), rows.width,
                                  rows.limit, rows.quality, profile))  # fmt: skip
        sections += [(Kind.PLANE, index, at, plane) for at, plane in enumerate(rows.planes())]
        if not rows.is_straight:
            sections.append((Kind.ROW_ENTRIES, index, 0, _column(rows.entries)))
    return [(Kind.HASHERS, 0, 0, b"".join(table)), *sections]


def _text_sections(contents: Contents) -> list[tuple[Kind, int, int, bytes]]:
    table, blob = [], bytearray()
    for kind, key, language, words in contents.texts:
        raw = words.encode()
        table.append(_TEXT.pack(kind, key, language.encode(), len(blob), len(raw), 0))
        blob += raw
    return [(Kind.TEXTS, 0, 0, b"".join(table)), (Kind.TEXT_BYTES, 0, 0, bytes(blob))]


def _digest_sections(contents: Contents) -> list[tuple[Kind, int, int, bytes]]:
    sections = []
    for kind, name in enumerate(DIGESTS):
        pairs = contents.digests[name]
        keys, entries = bytearray(), array("I")
        for key, entry in sorted(pairs) if isinstance(pairs, list) else pairs:
            keys += key
            entries.append(entry)
        if entries:
            sections.append((Kind.DIGEST_KEYS, kind, 0, bytes(keys)))
            sections.append((Kind.DIGEST_ENTRIES, kind, 0, _column(entries)))
    return sections


def list_bytes(contents: Contents) -> bytes:
    """Return the list file."""
    entries = len(contents.entry_classes)
    withdrawn = (WITHDRAWN.pack(*each) for each in sorted(contents.withdrawn))
    sections = [
        *_hasher_sections(contents),
        (Kind.ENTRY_CLASSES, 0, 0, _column(contents.entry_classes)),
        (Kind.ENTRY_IDS, 0, 0, bytes(contents.entry_ids)),
        (Kind.CLASSES, 0, 0, b"".join(CLASS.pack(*each) for each in contents.classes)),
        *_text_sections(contents),
        *_digest_sections(contents),
        (Kind.WITHDRAWN, 0, 0, b"".join(withdrawn)),
    ]
    return assemble(sections, contents.epoch, entries, contents.flags)


def assemble(
    sections: Sequence[tuple[int, int, int, Any]], epoch: int, entries: int, flags: int
) -> bytes:
    """Return a list file of these sections: (kind, a, b, bytes), in their order."""
    at = HEADER_BYTES + SECTION.size * len(sections)
    table, body = bytearray(), []
    for kind, a, b, data in sections:
        padding = -at % _ALIGNMENT
        body += [bytes(padding), data]
        at += padding
        table += SECTION.pack(kind, _REQUIRED, a, b, at, len(data))
        at += len(data)
    header = _HEADER.pack(MAGIC, 1, 0, len(sections), at, epoch, entries, flags)
    checksum = struct.pack("<I", zlib.crc32(table, zlib.crc32(header)))
    return b"".join([header, checksum, table, *body])


def checked_list(path: Path, contents: Contents) -> tuple[bytes, HashList]:
    """Return a list file and what is in it; `ListError` if it would not open at *path*."""
    data = list_bytes(contents)
    try:
        return data, HashList(data, Trust.none())  # the reader's rules are the only rules
    except ListError as error:
        why = str(error).split(": ", 1)[-1].split(";")[0]
        raise ListError(f"{path}: not written, it would break the format: {why}") from None


def write_list(path: Path, contents: Contents) -> int:
    """Write a list and return its size in bytes; refuses to write one that would not open."""
    data, _ = checked_list(path, contents)
    write_atomically(path, data)
    return len(data)
