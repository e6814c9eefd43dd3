"""Hash lists, opened and read-only."""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from doorsill.core import HasherInfo, ListHandle
from doorsill.errors import ListError
from doorsill.files import open_regular
from doorsill.limits import Limits

if TYPE_CHECKING:
    from io import BufferedReader

    from doorsill.core import Entry
    from doorsill.trust import Trust

SEED, TEST, WARN = 1, 2, 4  # flags of an entry, as in the header
DEMO = 1  # flag of a list
_WORTH_HUGE_PAGES = 4 << 20


class Text(IntEnum):
    """Kinds of texts in a list, as in the header."""

    LIST = 0
    PUBLISHER = 1
    CATEGORY = 2
    MESSAGE = 3
    HELP = 4
    APPEAL = 5


def _read_privately(file: BufferedReader, size: int) -> bytes | mmap.mmap:
    """Return all of a file in memory of our own, in huge pages where a scan gains by them."""
    if size < _WORTH_HUGE_PAGES or not hasattr(mmap, "MADV_HUGEPAGE"):
        return file.read(size + 1)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    read = file.readinto(memory)
    return memory if read == size else memory[:read]


class HashList:
    """A published hash list; it may be shared by any number of gates and threads.

    Attributes:
        path: Where it was read from, for messages; "" if it came as bytes.
        trust: What its publisher had to show.
        name: What the list calls itself.
    """

    def __init__(self, data: bytes | mmap.mmap, trust: Trust, *, path: str = "") -> None:
        """Open the list in these bytes; see `open` for files."""
        self.path = path
        self.trust = trust
        try:
            # What the caller could still change is copied.
            self.handle = ListHandle(data if isinstance(data, mmap.mmap) else bytes(data))
        except ListError as error:
            raise ListError(f"{path or 'the list'}: {error}") from None
        self._info = self.handle.describe()
        self.name = self.text(Text.LIST, 0) or "unnamed list"

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], trust: Trust, *, limits: Limits | None = None
    ) -> HashList:
        """Read a list into private memory and check it.

        Raises:
            ListError: The file is missing, too large, damaged, or for a newer doorsill.
        """
        most = (limits or Limits()).list_bytes
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
                data = _read_privately(file, size) if size <= most else b""
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            why = getattr(error, "strerror", None) or "it cannot be read"
            raise ListError(f"{path}: {why}; name a file made by `doorsill list build`") from None
        if size > most:
            raise ListError(
                f"{path}: larger than {most} bytes; raise Limits.list_bytes to allow it"
            )
        return cls(data, trust, path=str(path))

    def __len__(self) -> int:
        """Return the number of entries, the test card not counted."""
        return int(self._info["entries"]) - int(self._info["test_entries"])

    @property
    def is_demo(self) -> bool:
        """Whether the list holds harmless pictures, for demonstrations."""
        return bool(self._info["flags"] & DEMO)

    @property
    def info(self) -> dict[str, Any]:
        """Epoch, size in bytes, counts of entries, withdrawn ones and digests by kind."""
        return dict(self._info)

    @property
    def hashers(self) -> tuple[HasherInfo, ...]:
        """What pictures can be compared by."""
        return tuple(self.handle.hasher(i) for i in range(self._info["hashers"]))

    def entry(self, index: int) -> Entry:
        """Return one entry, 0-based."""
        return self.handle.entry(index)

    def text(self, kind: Text, key: int, language: str = "en") -> str:
        """Return one of the list's texts, in English where the language is missing; "" if none."""
        return self.handle.words(kind, key, language)
