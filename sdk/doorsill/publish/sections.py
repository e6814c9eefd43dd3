"""The sections of a list file, as bytes, for those who compare two lists."""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from enum import IntEnum
from typing import TYPE_CHECKING

from doorsill.lists import HashList
from doorsill.sealed.lists import SealedList, is_sealed, open_any
from doorsill.trust import Trust

if TYPE_CHECKING:
    from pathlib import Path

    from doorsill.limits import Limits

HEADER_BYTES = 64
SECTION = struct.Struct("<HHHHQQ")  # kind, flags, a, b, offset, length
CLASS = struct.Struct("<HH4xQ")  # category, flags, publishers as a bit set
WITHDRAWN = struct.Struct("<6s2xQ")  # id, epoch in which it went
ID_BYTES = 6


class Kind(IntEnum):
    """Kinds of sections, as in native/FORMAT.md."""

    HASHERS = 1
    PLANE = 2
    ROW_ENTRIES = 3
    ENTRY_CLASSES = 4
    ENTRY_IDS = 5
    CLASSES = 6
    TEXTS = 7
    TEXT_BYTES = 8
    DIGEST_KEYS = 9
    DIGEST_ENTRIES = 10
    WITHDRAWN = 11


class ListFile:
    """A list file that was checked: its bytes, where its sections lie, and the open list."""

    def __init__(self, data: bytes, *, path: str = "") -> None:
        """Check and open a list; `ListError` says what is wrong with it."""
        self.data = data
        self.list = (SealedList if is_sealed(data) else HashList)(data, Trust.none(), path=path)
        self.places: dict[tuple[int, int, int], tuple[int, int]] = {}
        (count,) = struct.unpack_from("<I", data, 12)
        for i in range(count):
            kind, _, a, b, offset, length = SECTION.unpack_from(
                data, HEADER_BYTES + SECTION.size * i
            )
            self.places[kind, a, b] = offset, length

    @classmethod
    def open(cls, path: Path, limits: Limits | None = None) -> ListFile:
        """Read and check a list; `ListError` says what is wrong with it."""
        open_any(path, Trust.none(), limits)  # size and kind of file, before it is read
        return cls(path.read_bytes(), path=str(path))

    def sha256(self) -> str:
        """Return the file's digest in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def entries(self) -> int:
        """How many entries there are, the test card among them."""
        return int(self.list.info["entries"])

    def section(self, kind: int, a: int = 0, b: int = 0) -> bytes:
        """Return the bytes of a section, none if the list does not have it."""
        offset, length = self.places.get((kind, a, b), (0, 0))
        return self.data[offset : offset + length]

    def numbers(self, kind: int, a: int = 0) -> array[int]:
        """Return a column of u32, or of u16 for the classes of entries."""
        column = array("H" if kind == Kind.ENTRY_CLASSES else "I")
        column.frombytes(self.section(kind, a))
        if sys.byteorder == "big":
            column.byteswap()
        return column

    def row_entries(self, hasher: int) -> array[int]:
        """Return for each row of a hasher its entry."""
        if (Kind.ROW_ENTRIES, hasher, 0) in self.places:
            return self.numbers(Kind.ROW_ENTRIES, hasher)
        return array("I", range(self.list.hashers[hasher].rows))

    def ids(self) -> list[bytes]:
        """Return the id of each entry."""
        column = self.section(Kind.ENTRY_IDS)
        return [column[at : at + ID_BYTES] for at in range(0, len(column), ID_BYTES)]

    def classes(self) -> list[tuple[int, int, int]]:
        """Return (category, flags, publishers) of each class."""
        return list(CLASS.iter_unpack(self.section(Kind.CLASSES)))

    def withdrawn(self) -> list[tuple[bytes, int]]:
        """Return (id, epoch in which it went) of withdrawn entries."""
        return list(WITHDRAWN.iter_unpack(self.section(Kind.WITHDRAWN)))

    def without_anything(self) -> int:
        """Return how many entries have neither a hash nor a digest, so that nothing can match."""
        has = bytearray(self.entries)
        for hasher in range(len(self.list.hashers)):
            for entry in self.row_entries(hasher):
                has[entry] = 1
        for kind in range(3):
            for entry in self.numbers(Kind.DIGEST_ENTRIES, kind):
                has[entry] = 1
        return has.count(0)
