"""The one form in which everything that a publisher has comes to `build`: `Row`.

Rows go to disk as JSON Lines, one object a line, so that originals are hashed once, by whoever
may hold them, and a list is built from the file as often as anyone wants to check it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill.core import DIGESTS, SECTION_PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

PDQ_BYTES = 32
CODE_BYTES = 64  # of the widest neural hash
DIGEST_BYTES = {"sha256": 32, "sha1": 20, "md5": 16}
MAX_NAME = 4096  # characters; longer ones are no name
SUFFIX = ".jsonl"
LATEST = 1 << 62  # seconds; any later time is a mistake
_HEX = frozenset("0123456789abcdefABCDEF")


class Row(NamedTuple):
    """What one publisher says of one picture or file.

    Rows with the same key speak of the same thing: those of the latest time count, and among them
    all together, unless one says that it is removed.

    Attributes:
        key: The source's own name for it; only its digest goes into the list.
        origin: File and line or record, for the report.
        publisher: Who vouches for it.
        category: Of its publisher.
        time: Seconds since 1970 of the last change, 0 where the source does not say.
        removed: Whether its publisher took it back.
        flags: As in the header: 1 is `seed`, 4 asks for no more than a warning.
        hashes: (profile, 32 bytes, quality) of each frame.
        digests: (kind, bytes) of the file.
        unusable: Names of hashes that nothing here can compare, such as PhotoDNA.
        notes: Why something was left out.
        disputes: What others say against it; for its publisher to decide.
        codes: (digest of the model's file in hex, bytes) of neural hashes.
    """

    key: str
    origin: str
    publisher: str = ""
    category: str = ""
    time: int = 0
    removed: bool = False
    flags: int = 0
    hashes: tuple[tuple[str, bytes, int], ...] = ()
    digests: tuple[tuple[str, bytes], ...] = ()
    unusable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    codes: tuple[tuple[str, bytes], ...] = ()


def parse_hash(text: str, bytes_: int, what: str) -> tuple[bytes, str]:
    """Return the bytes of so many in hex and "", or nothing and what is wrong."""
    if len(text) == 2 * bytes_ and text.isalnum():
        try:
            return bytes.fromhex(text), ""
        except ValueError:
            pass
    if not set(text) <= _HEX:
        return b"", f"the {what} is not hexadecimal"
    return b"", f"a {what} has {2 * bytes_} hex digits, not {len(text)}"


def parse_quality(text: str) -> tuple[int, str]:
    """Return 0..100 and "", or 0 and what is wrong; 100 where nothing is said."""
    try:
        quality = int(text.strip() or 100)
    except ValueError:
        return 0, "the quality is no number"
    if not 0 <= quality <= 100:  # noqa: PLR2004 - PDQ's range
        return 0, f"quality {quality} is not in 0..100"
    return quality, ""


def row_line(row: Row) -> str:
    """Return a row as one line of a rows file, without what only a report needs."""
    fields: dict[str, Any] = {"key": row.key}
    for name in ("publisher", "category", "time", "removed", "flags"):
        if value := getattr(row, name):
            fields[name] = value
    fields["pdq"] = [[profile, value.hex(), quality] for profile, value, quality in row.hashes]
    if row.codes:
        fields["codes"] = [[model, value.hex()] for model, value in row.codes]
    fields |= {kind: value.hex() for kind, value in row.digests}
    for name in ("unusable", "notes", "disputes"):
        if value := getattr(row, name):
            fields[name] = list(value)
    return json.dumps(fields, ensure_ascii=True) + "\n"


def read_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a rows file; what is no such line is a row with nothing but a note."""
    with source.open() as file:
        for number, line in enumerate(file, 1):
            origin = f"{source.name}:{number}"
            try:
                yield _told(_row(json.loads(line), origin), source)
            except (
                ValueError,
                TypeError,
                KeyError,
                AttributeError,
                ArithmeticError,
                RecursionError,
            ):
                yield Row("", origin, notes=("this line is no row; see `doorsill list rows`",))
            source.tick(file.tell)


def _told(row: Row, source: Source) -> Row:
    """Return the row with what the source says of all its rows."""
    publisher = row.publisher or source.publisher
    category, why = source.category_of([row.category] if row.category else [])
    row = row._replace(key=f"{publisher}\0{row.key}", publisher=publisher, category=category,
                       flags=row.flags | source.flags)  # fmt: skip
    if not why:
        return row
    return row._replace(hashes=(), digests=(), codes=(), notes=(*row.notes, why))


def _row(fields: dict[str, Any], origin: str) -> Row:
    hashes = []
    for profile, text, quality in fields.get("pdq", []):
        if profile not in SECTION_PROFILES or not 0 <= int(quality) <= 100:  # noqa: PLR2004
            raise ValueError(profile)
        hashes.append((profile, _exact(text, PDQ_BYTES), int(quality)))
    digests = [(kind, _exact(fields[kind], DIGEST_BYTES[kind])) for kind in DIGESTS
               if kind in fields]  # fmt: skip
    codes = [(_exact(model, 32).hex(), _code(text)) for model, text in fields.get("codes", [])]
    key, publisher, category = (str(fields.get(name, "")) for name in
                                ("key", "publisher", "category"))  # fmt: skip
    time = int(fields.get("time", 0))
    if not 0 <= time < LATEST:
        raise ValueError(time)
    if not key or max(map(len, (key, publisher, category))) > MAX_NAME:
        raise ValueError(origin)
    unusable, notes, disputes = (tuple(map(str, fields.get(name, ()))) for name in
                                 ("unusable", "notes", "disputes"))  # fmt: skip
    return Row(key, origin, publisher, category, time,
               bool(fields.get("removed", False)), int(fields.get("flags", 0)) & 5,
               tuple(hashes), tuple(digests), unusable, notes, disputes, tuple(codes))  # fmt: skip


def _code(text: str) -> bytes:
    value = bytes.fromhex(text)
    if not value or len(value) % 16 or len(value) > CODE_BYTES:
        raise ValueError(text)
    return value


def _exact(text: str, size: int) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != size:
        raise ValueError(text)
    return value
