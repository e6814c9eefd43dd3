"""Millions of rows on disk, and what is left of them once all have spoken.

A temporary SQLite database holds the rows, so that memory stays small whatever comes. What comes
out depends on the set of rows alone, never on their order.
"""

from __future__ import annotations

import hashlib
import sqlite3
from array import array
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill.core import DIGESTS, SECTION_PROFILES
from doorsill.publish.rows import CODE_BYTES, DIGEST_BYTES, PDQ_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorsill.publish.rows import Row

_ID_BYTES = 6
_BATCH = 8192
# A value is a byte for its kind and its bytes; digests come first, as in the list.
_KINDS = (*DIGESTS, *SECTION_PROFILES, "code", "unusable")
_SIZES = [
    *(1 + DIGEST_BYTES[kind] for kind in DIGESTS),
    *(1 + PDQ_BYTES for _ in SECTION_PROFILES),
    1 + CODE_BYTES,  # zeros fill it up: all are of one model
    1,
]
_UNUSABLE = bytes([len(_KINDS) - 1])  # something is known of it, though nothing that can match
_SCHEMA = """
CREATE TABLE said (key BLOB, time INT, removed INT, publisher TEXT, category TEXT, flags INT,
                   content BLOB, origin TEXT);
CREATE TABLE item (number INTEGER PRIMARY KEY, id BLOB, publisher TEXT, category TEXT, flags INT,
                   content BLOB, origin TEXT);
CREATE TABLE link (value BLOB, category TEXT, flags INT, item INT);
CREATE TABLE together (root INT, item INT);
CREATE TABLE named (item INTEGER PRIMARY KEY, id BLOB, root INT);
"""


class Settled(NamedTuple):
    """One entry to be: all who vouch for it and all by which it can be compared."""

    id: bytes
    category: str
    flags: int
    publishers: frozenset[str]
    hashes: tuple[tuple[str, bytes], ...]
    digests: tuple[tuple[str, bytes], ...]
    codes: tuple[bytes, ...] = ()


class _Said(NamedTuple):
    """A row as the database has it."""

    key: bytes
    time: int
    removed: int
    publisher: str
    category: str
    flags: int
    content: bytes
    origin: str

    @property
    def whose(self) -> tuple[str, str, int]:
        return self.publisher, self.category, self.flags

    def item(self, values: set[bytes]) -> tuple[Any, ...]:
        """Return what is kept of all rows that say the same as this one, but for their values."""
        told = self.publisher.encode() + b"\0" + self.key
        id_ = hashlib.sha256(told).digest()[:_ID_BYTES]
        return id_, *self.whose, b"".join(sorted(values)), self.origin


def _content(row: Row) -> bytes:
    values = {bytes([_KINDS.index(kind)]) + value for kind, value in row.digests}
    values |= {bytes([_KINDS.index(profile)]) + value for profile, value, _ in row.hashes}
    code = bytes([_KINDS.index("code")])
    values |= {code + value.ljust(CODE_BYTES, b"\0") for _, value in row.codes}
    if row.unusable:
        values.add(_UNUSABLE)
    return b"".join(sorted(values))


def _values(content: bytes) -> list[bytes]:
    if len(content) == _SIZES[content[0]]:
        return [content]
    values, at = [], 0
    while at < len(content):
        size = _SIZES[content[at]]
        values.append(content[at : at + size])
        at += size
    return values


def _storable(text: str) -> str:
    """Return a text that is UTF-8; names of files and JSON may hold halves of characters."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _is_digest(value: bytes) -> bool:
    return value[0] < len(DIGESTS)


class Store:
    """Rows on disk. Use as a context.

    The file is SQLite's own temporary one: it has no name once it is open, so that nothing of a
    publisher's rows stays behind, whatever ends the process.
    """

    def __init__(self, note: Callable[[str, str], None]) -> None:
        """Open an empty one; *note* is called with an origin and what is to be said about it."""
        self._note = note
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
            f"PRAGMA temp_store=FILE; {_SCHEMA}"
        )
        self._database.execute("BEGIN")
        self._batch: list[tuple[Any, ...]] = []
        self._items = 0
        self._kinds: set[int] = set()

    def __enter__(self) -> Store:  # noqa: PYI034 - `Self` came with Python 3.11
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the file up."""
        self._database.close()

    def add(self, row: Row) -> None:
        """Take a row that has a key."""
        self._batch.append((hashlib.sha256(row.key.encode("utf-8", "replace")).digest(), row.time,
                            row.removed, _storable(row.publisher), _storable(row.category),
                            row.flags, _content(row), _storable(row.origin)))  # fmt: skip
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO said VALUES (?,?,?,?,?,?,?,?)", self._batch)
        self._batch.clear()

    def settle(self, show: Callable[[str], None]) -> None:
        """Find what is to be listed, once all rows are in; *show* is told of each step."""
        self._flush()
        show("keeping the latest rows")
        self._settle()
        show("joining publishers")
        self._join()

    def publishers(self) -> set[str]:
        """Return the ids of all who vouch for anything."""
        return {name for (name,) in self._database.execute("SELECT DISTINCT publisher FROM item")}

    def categories(self) -> set[str]:
        """Return the names of all categories."""
        return {name for (name,) in self._database.execute("SELECT DISTINCT category FROM item")}

    def _settle(self) -> None:
        """Keep what each key says last, and note by what it could be the same as another's."""
        rows = self._database.execute("SELECT * FROM said ORDER BY key, time DESC, removed DESC, "
                                      "publisher, category, flags, content, origin")  # fmt: skip
        for _, of_key in groupby(rows, key=itemgetter(0)):
            self._batch += self._latest(map(_Said._make, of_key))
            if len(self._batch) >= _BATCH:
                self._insert_items()
        self._insert_items()
        self._database.execute("DROP TABLE said")

    def _latest(self, rows: Iterator[_Said]) -> Iterator[tuple[Any, ...]]:
        """Yield an item for each publisher, category and flags of a key, from its rows, last first.

        Rows may be many, so none is kept but the contents that differ.
        """
        first: _Said | None = None
        before: _Said | None = None
        values: set[bytes] = set()
        for row in rows:
            first = first or row
            if row.time < first.time:
                self._note(row.origin, f"superseded by {first.origin}")
            elif first.removed:
                self._note(row.origin, "removed by its publisher" if row.removed
                           else f"removed by its publisher at {first.origin}")  # fmt: skip
            elif row.content:  # the others were refused, which was reported
                if before is not None and before.whose != row.whose:
                    yield before.item(values)
                    before, values = None, set()
                if before is not None:
                    told = ("the same came before at {}; it is listed once"
                            if before.content == row.content
                            else "joined with {}, which has the same name")  # fmt: skip
                    self._note(row.origin, told.format(before.origin))
                before = row
                values.update(_values(row.content))
        if before is not None:
            yield before.item(values)

    def _insert_items(self) -> None:
        links: list[tuple[object, ...]] = []
        for number, (_, _, category, flags, content, _) in enumerate(self._batch, self._items + 1):
            values = _values(content)
            self._kinds.update(value[0] for value in values)
            digests = [value for value in values if _is_digest(value)]
            if not digests and content != _UNUSABLE:
                digests = [b"\xff" + content]  # no digest: the same if all hashes are
            links += ((value, category, flags, number) for value in digests)
        self._items += len(self._batch)
        self._database.executemany("INSERT INTO item (id, publisher, category, flags, content, "
                                   "origin) VALUES (?,?,?,?,?,?)", self._batch)  # fmt: skip
        self._database.executemany("INSERT INTO link VALUES (?,?,?,?)", links)
        self._batch.clear()

    def _join(self) -> None:
        """Give items of one category that share a digest, or all hashes, one number and id."""
        parent = array("I", range(self._items + 1))
        joined = self._link(parent)
        self._database.execute("DROP TABLE link")
        self._database.executemany("INSERT INTO together VALUES (?,?)",
                                   ((_root(parent, item), item) for item, is_ in enumerate(joined)
                                    if is_))  # fmt: skip
        self._name_groups()

    def _link(self, parent: array[int]) -> bytearray:
        """Unite items in *parent* and say of each whether it was."""
        joined = bytearray(len(parent))
        rows = self._database.execute("SELECT value, category, flags, item FROM link "
                                      "ORDER BY value, category, flags, item")  # fmt: skip
        last: tuple[bytes, str, int, int] = (b"", "", 0, 0)
        for row in rows:
            if row[0] == last[0]:
                if row[1:3] == last[1:3]:
                    a, b = _root(parent, last[3]), _root(parent, row[3])
                    parent[max(a, b)] = min(a, b)
                    joined[last[3]] = joined[row[3]] = 1
                else:
                    self._note(
                        self._origin(row[3]),
                        f"also listed as {last[1] or 'no category'}, "
                        f"flags {last[2]}, at {self._origin(last[3])}; both stay",
                    )
            last = row
        return joined

    def _origin(self, item: int) -> str:
        found = self._database.execute(
            "SELECT origin FROM item WHERE number = ?", (item,)
        ).fetchone()
        return str(found[0])

    def _name_groups(self) -> None:
        """Give each group one id and number, unless it contradicts itself."""
        rows = self._database.execute(
            "SELECT root, number, id, content, origin FROM together JOIN item ON item = number "
            "ORDER BY root, number"
        )
        named: list[tuple[int, bytes, int]] = []
        for _, of_root in groupby(rows, key=itemgetter(0)):
            for group in self._consistent(list(of_root)):
                first, id_ = group[0], min(each[2] for each in group)
                named += ((each[1], id_, first[1]) for each in group)
                for each in group[1:]:
                    self._note(each[4], f"the same as {first[4]}; one entry for all who vouch")
            if len(named) >= _BATCH:
                self._database.executemany("INSERT INTO named VALUES (?,?,?)", named)
                named.clear()
        self._database.executemany("INSERT INTO named VALUES (?,?,?)", named)

    def _consistent(self, group: list[tuple[int, int, bytes, bytes, str]]
                    ) -> list[list[tuple[int, int, bytes, bytes, str]]]:  # fmt: skip
        """Return the group, or its parts of equal content if one file would have two digests."""
        seen: dict[int, bytes] = {}
        for each in group:
            for value in _values(each[3]):
                if _is_digest(value) and seen.setdefault(value[0], value) != value:
                    self._note(each[4], f"shares a digest with {group[0][4]} but has another "
                               f"{_KINDS[value[0]]}; not joined")  # fmt: skip
                    by_content = sorted(group, key=itemgetter(3, 1))
                    return [list(same) for _, same in groupby(by_content, key=itemgetter(3))]
        return [group]

    def profiles(self) -> list[str]:
        """Return in which profiles there are PDQ hashes, once settled."""
        return [profile for profile in SECTION_PROFILES if _KINDS.index(profile) in self._kinds]

    def entries(self) -> Iterator[Settled]:
        """Yield what is to be listed, in the order of ids."""
        rows = self._database.execute(
            "SELECT ifnull(named.id, item.id), ifnull(root, number), category, flags, publisher, "
            "content FROM item LEFT JOIN named ON item = number ORDER BY 1, 2, 5, 6"
        )
        for (id_, _, category, flags), group in groupby(rows, key=itemgetter(0, 1, 2, 3)):
            publishers: set[str] = set()
            contents: set[bytes] = set()
            for row in group:
                publishers.add(row[4])
                contents.add(row[5])
            values = {value for content in contents for value in _values(content)}
            told = [(_KINDS[value[0]], value[1:]) for value in sorted(values - {_UNUSABLE})]
            yield Settled(
                id_, category, flags, frozenset(publishers),
                tuple(each for each in told if each[0] in SECTION_PROFILES),
                tuple(each for each in told if each[0] in DIGESTS),
                tuple(value for kind, value in told if kind == "code"),
            )  # fmt: skip


def _root(parent: array[int], item: int) -> int:
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item
