"""Sealed lists, opened: an ordinary list file with columns that only a sealing server opens."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill import accept, core
from doorsill.errors import ListError
from doorsill.files import open_regular
from doorsill.lists import HashList
from doorsill.sealed import protocol
from doorsill.sealed.oprf import library
from doorsill.sealed.protocol import CLEAR_BYTES, RECORD_BYTES, SLOTS_BYTES

if TYPE_CHECKING:
    import mmap
    import os
    from collections.abc import Iterator

    from doorsill.limits import Limits
    from doorsill.releases import Release
    from doorsill.sealed.asking import Carry
    from doorsill.sealed.tokens import Tokens
    from doorsill.trust import Trust

INFO = struct.Struct("<HHIII32s32s")  # version, zero, sealing epoch, rows, entries, keys
KIND_INFO, KIND_CLEAR, KIND_SLOTS, KIND_RECORDS = range(12, 16)
KINDS = range(KIND_INFO, KIND_RECORDS + 1)
NO_KEY = bytes(32)

_HEADER = struct.Struct("<8sHHIQQII20x")  # as in native/FORMAT.md; the checksum follows
_SECTION = struct.Struct("<HHHHQQ")
_HEADER_BYTES = 64
_MOST_SECTIONS = 256
_PLANE, _ENTRY_CLASSES, _ENTRY_IDS, _CLASSES = 2, 4, 5, 6  # kinds of sections
_CLASS_BYTES = 16
_REQUIRED = 1  # without it a reader that knows no sealed lists would find the test card alone
_MOST_ALIKE = 64  # rows of one clear plane that are tried: near-duplicates, or a hostile list


class SealedInfo(NamedTuple):
    """What a sealed list says of itself and its server.

    `entries` leaves the test card out; keys are of 32 bytes. Without tokens `token_key` is zeros.
    """

    version: int
    epoch: int
    rows: int
    entries: int
    public_key: bytes
    token_key: bytes


class Section(NamedTuple):
    """One line of a list file's section table."""

    kind: int
    flags: int
    a: int
    b: int
    offset: int
    length: int


def table(data: Any) -> list[Section]:
    """Return the section table at the beginning of a list file; `ListError` if it is cut short."""
    if len(data) < _HEADER_BYTES:
        raise ListError("too short for a hash list; name a file made by `doorsill list seal`")
    count = _HEADER.unpack_from(data)[3]
    if count > _MOST_SECTIONS or _HEADER_BYTES + _SECTION.size * count > len(data):
        raise ListError("the section table is cut short; fetch the list again")
    return [
        Section(*_SECTION.unpack_from(data, _HEADER_BYTES + _SECTION.size * i))
        for i in range(count)
    ]


def sections(data: Any) -> list[Section]:
    """Return the section table of a whole list file; `ListError` if a line of it points outside.

    Whatever else is wrong with them the core says, when it opens the open part.
    """
    found = table(data)
    if any(each.offset + each.length > len(data) for each in found):
        raise ListError("a section lies outside the file; fetch the list again")
    if sum(each.length for each in found) > len(data):  # else what is copied could be larger
        raise ListError("sections overlap; fetch the list again")
    return found


def is_sealed(data: Any) -> bool:
    """Tell whether a list file has a sealed part; its first 6,208 bytes are enough."""
    try:
        return any(each.kind in KINDS for each in table(data))
    except ListError:
        return False


def open_any(path: str | os.PathLike[str], trust: Trust, limits: Limits | None = None) -> HashList:
    """Open a list, or a folder into which one was accepted, sealed or not; as `HashList.open`."""
    file = Path(path)
    if file.is_dir() and (state := accept.read_state(file)) is not None:
        file = accept.list_path(file, state[1].sha256)
    try:
        with open_regular(file) as opened:
            sealed = is_sealed(opened.read(_HEADER_BYTES + _SECTION.size * _MOST_SECTIONS))
    except (OSError, ValueError):
        sealed = False  # whatever is wrong with it is said when it is opened
    return (SealedList if sealed else HashList).open(path, trust, limits=limits)


def frame_of(data: Any) -> bytearray:
    """Return a sealed list's open part as a list file of its own: texts, classes, the test card."""
    kept = [each for each in sections(data) if each.kind not in KINDS]
    at = _HEADER_BYTES + _SECTION.size * len(kept)
    table, body = bytearray(), bytearray()
    for each in kept:
        body += bytes(-(at + len(body)) % 64)
        offset = at + len(body)
        table += _SECTION.pack(*each[:4], offset, each.length)
        body += data[each.offset : each.offset + each.length]
    magic, major, minor, _, size, epoch, entries, flags = _HEADER.unpack_from(data)
    stored = struct.unpack_from("<I", data, _HEADER.size)[0]
    whole = (
        bytes(data[: _HEADER.size]),
        bytes(data[_HEADER_BYTES : _HEADER_BYTES + _SECTION.size * len(sections(data))]),
    )
    if size != len(data) or zlib.crc32(whole[1], zlib.crc32(whole[0])) != stored:
        raise ListError("the file is cut short or its header is damaged; fetch the list again")
    header = _HEADER.pack(magic, major, minor, len(kept), at + len(body), epoch, entries, flags)
    checksum = struct.pack("<I", zlib.crc32(table, zlib.crc32(header)))
    return bytearray().join((header, checksum, table, body))


def _places(frame: bytearray) -> tuple[list[int], int]:
    """Return where the open part's planes, class and id lie, and how many classes it has.

    Each has to stand there once, for else the core might look elsewhere.
    """
    found = sections(frame)
    planes = sorted((each.a, each.b, each.offset) for each in found if each.kind == _PLANE)
    single = {kind: [each for each in found if each.kind == kind]
              for kind in (_ENTRY_CLASSES, _ENTRY_IDS, _CLASSES)}  # fmt: skip
    if [plane[:2] for plane in planes] != [(0, 0), (0, 1)] or any(
        len(each) != 1 for each in single.values()
    ):
        raise ListError("its open part is not that of a sealed list; fetch it again")
    at = [single[kind][0].offset for kind in (_ENTRY_CLASSES, _ENTRY_IDS)]
    return [*(plane[2] for plane in planes), *at], single[_CLASSES][0].length // _CLASS_BYTES


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Put the list's name before what is wrong with it."""
    try:
        yield
    except ListError as error:
        raise ListError(f"{path or 'the list'}: {error}") from None


class SealedList(HashList):
    """A sealed list; like a `HashList` it is shared by any number of gates and threads.

    Its open part holds names, texts and the test card, its sealed part what pictures are asked for.

    Attributes:
        sealed: What it says of its server.
        carry: The host's function that carries a question to the server; see `served_by`.
        tokens: What is spent on questions, where the server wants it.
    """

    is_sealed = True
    carry: Carry | None = None
    tokens: Tokens | None = None

    def __init__(
        self,
        data: bytes | mmap.mmap,
        trust: Trust,
        *,
        path: str = "",
        release: Release | None = None,
    ) -> None:
        """Open the list in these bytes; see `HashList.open` for files."""
        with _named(path):
            self._frame = frame_of(data)
        super().__init__(bytes(self._frame), trust, path=path, release=release)
        self._size = len(data)
        with _named(path):
            self._take(data)

    def _take(self, data: Any) -> None:
        """Find and check the sealed part."""
        found = {each.kind: each for each in sections(data) if each.kind in KINDS}
        if set(found) != set(KINDS) or found[KIND_INFO].length != INFO.size:
            raise ListError("it is not sealed; open it with HashList.open")
        if any(each.flags != _REQUIRED for each in found.values()):
            raise ListError("its sealed part is not marked as required; seal it again")
        version, _, *rest = INFO.unpack_from(data, found[KIND_INFO].offset)
        if version != protocol.VERSION:
            raise ListError("it is sealed by a newer doorsill, update yours")
        self.sealed = SealedInfo(version, *rest)
        rows = self.sealed.rows
        sizes = {KIND_CLEAR: CLEAR_BYTES, KIND_SLOTS: SLOTS_BYTES, KIND_RECORDS: RECORD_BYTES}
        if any(found[kind].length != rows * size for kind, size in sizes.items()):
            raise ListError("its sealed columns are not of one length; fetch it again")
        pdq = self.hashers
        if len(pdq) != 1 or pdq[0].name != "pdq" or pdq[0].rows != 1 or self._info["entries"] != 1:
            raise ListError("its open part holds more than the test card; seal it again")
        view = memoryview(data)
        self._clear, self._slots, self._records = (
            view[found[kind].offset : found[kind].offset + found[kind].length] for kind in sizes
        )
        self._patches, self._classes = _places(self._frame)

    def served_by(self, carry: Carry, tokens: Tokens | None = None) -> SealedList:
        """Return this list, to be asked about through the host's function from now on.

        Args:
            carry: Takes a question, 1,196 bytes, and returns what the sealing server answered; a
                coroutine function, or a plain one. It bounds its own time, and does not try twice:
                a question holds a token, which is spent once. What it raises ends in the verdict.
            tokens: The purse that questions are paid from, where the server wants it.

        Raises:
            DoorsillError: The package voprf is not installed.
        """
        library()
        self.carry, self.tokens = carry, tokens
        return self

    def __len__(self) -> int:
        """Return the number of entries, the test card not counted."""
        return self.sealed.entries

    @property
    def info(self) -> dict[str, Any]:
        """As of any list; size is the whole file's, entries are the open part's: the test card."""
        return super().info | {"size": self._size}

    def candidate(self, clear_planes: bytes) -> tuple[int, int] | None:
        """Return row and query of the row nearest to any of these clear planes, 16 bytes each."""
        found = core.nearest(self._clear, clear_planes, protocol.RADIUS)
        return None if found is None else found[1:]

    def alike(self, row: int) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield clear plane, slots and record of a row and of those behind it that look the same.

        Rows stand in the order of their clear planes.
        """
        clear = self._at(self._clear, row, CLEAR_BYTES)
        for at in range(row, min(row + _MOST_ALIKE, self.sealed.rows)):
            if self._at(self._clear, at, CLEAR_BYTES) != clear:
                return
            yield (clear, self._at(self._slots, at, SLOTS_BYTES),
                   self._at(self._records, at, RECORD_BYTES))  # fmt: skip

    @staticmethod
    def _at(column: memoryview, row: int, size: int) -> bytes:
        return bytes(column[size * row : size * (row + 1)])

    def opened(self, clear: bytes, record: bytes) -> HashList | None:
        """Return a list of one entry, for the core to weigh; None if it names no class of ours."""
        second, class_, entry_id = protocol.RECORD.unpack(record)
        if class_ >= self._classes:
            return None
        data = bytearray(self._frame)
        values = (clear, second, struct.pack("<H", class_), entry_id)
        for at, value in zip(self._patches, values, strict=True):
            data[at : at + len(value)] = value
        return HashList(bytes(data), self.trust, path=self.path, release=self.release)
