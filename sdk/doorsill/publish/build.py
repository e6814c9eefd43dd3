"""Builds a hash list from rows and originals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorsill.errors import RowsError
from doorsill.hashes import hash_image
from doorsill.limits import Limits
from doorsill.lists import DEMO, TEST, Text
from doorsill.publish.rows import csv_rows, original_rows
from doorsill.publish.write import Contents, HasherRows, write_list
from doorsill.testcard import test_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from doorsill.publish.rows import Row

_USUAL_BITS = 128  # how many bits of a photograph's PDQ are set: it compares with the median
_ROWS_SUFFIXES = (".csv", ".txt")


@dataclass(frozen=True)
class ListWords:
    """What a list says of itself; one publisher and one category, in one language.

    Attributes:
        profile: How rows from CSV files were hashed: "full", "cpp512" or "unknown".
        limit: The greatest PDQ distance that is a match, 0..64.
        flags: Of every entry, as in the header: 1 is `seed`, not yet reviewed.
    """

    name: str
    publisher: str
    category: str
    message: str = ""
    help_link: str = ""
    appeal_link: str = ""
    language: str = "en"
    demo: bool = False
    epoch: int = 0
    profile: str = "unknown"
    limit: int = 31
    quality: int = 50
    flags: int = 0


@dataclass
class Report:
    """What became of the rows.

    Attributes:
        entries: In the list, the test card not counted.
        hashes: PDQ rows, the test card's not counted.
        size: Of the file, bytes.
        notes: Each row that was refused or flagged: origin and reason.
    """

    entries: int = 0
    hashes: int = 0
    size: int = 0
    notes: list[str] = field(default_factory=list)


def build_list(
    inputs: Sequence[Path],
    output: Path,
    words: ListWords,
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Write a list from CSV files of `hash,quality,name` and from originals or folders of them.

    Every list gets the published test card as its last entry.

    Raises:
        RowsError: An input is missing or no CSV, or not one row of it could be used.
        ListError: The words break the format's rules (length, control characters, https).
    """
    report, contents = Report(), Contents(epoch=words.epoch, flags=DEMO if words.demo else 0)
    contents.texts = _texts(words)
    files, seen = _files(inputs), set[bytes]()
    for done, (path, named) in enumerate(files):
        if progress:
            progress(done, len(files))
        for row in _rows(path, words, limits or Limits(), named=named):
            _add(row, contents, words, report, seen)
    if report.notes and not report.entries:
        raise RowsError(f"{output}: not written, no row was of use; the first: {report.notes[0]}")
    if not report.entries:
        report.notes.append(f"{output}: no row was found; the list holds the test card alone")
    _add_test_card(contents, words)
    report.size = write_list(output, contents)
    return report


def _files(inputs: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Return each file, and whether it was named itself or found in a folder."""
    files: list[tuple[Path, bool]] = []
    for path in inputs:
        if path.is_dir():
            files += [(each, False) for each in sorted(path.rglob("*")) if each.is_file()]
        elif path.exists():
            files.append((path, True))
        else:
            raise RowsError(f"{path}: no such file; name a CSV of hash,quality,name or originals")
    return files


def _rows(path: Path, words: ListWords, limits: Limits, *, named: bool) -> Iterator[Row]:
    if named and path.suffix.lower() in _ROWS_SUFFIXES:
        return csv_rows(path, words.profile)
    return original_rows(path, limits, named=named)


def _section(contents: Contents, words: ListWords, profile: str) -> HasherRows:
    for rows in contents.hashers:
        if rows.profile == profile:
            return rows
    rows = HasherRows("pdq", profile, limit=words.limit, quality=words.quality)
    contents.hashers.append(rows)
    return rows


def _add(row: Row, contents: Contents, words: ListWords, report: Report, seen: set[bytes]) -> None:
    if row.note:
        report.notes.append(f"{row.origin}: {row.note}")
    good = []
    for profile, value, quality in row.hashes:
        if quality < words.quality:
            report.notes.append(f"{row.origin}: quality {quality} is under {words.quality}; "
                                f"its PDQ ({profile}) is left out")  # fmt: skip
            continue
        bits = int.from_bytes(value, "big").bit_count()
        if bits != _USUAL_BITS:
            report.notes.append(f"{row.origin}: {bits} bits are set, a photograph's hash has 128")
        good.append((profile, value))
    if not good and not row.digests:
        return
    told = row.name.encode(errors="replace") + b"".join(value for _, value in good)
    entry_id = hashlib.sha256(told).digest()[:6]
    if entry_id in seen:
        report.notes.append(f"{row.origin}: the same name and hash came before; it is listed once")
        return
    seen.add(entry_id)
    entry = contents.add_entry((0, words.flags, 1), entry_id)
    for profile, value in dict.fromkeys(good):
        rows = _section(contents, words, profile)
        rows.hashes += value
        rows.entries.append(entry)
        report.hashes += 1
    for kind, value in row.digests.items():
        contents.digests[kind].append((value, entry))
    report.entries += 1


def _add_test_card(contents: Contents, words: ListWords) -> None:
    """Add the card to every section, so that each can be proved to be searched."""
    entry = contents.add_entry((1, TEST, 1), b"\0\0\0\0\0\1")
    for profile in [rows.profile for rows in contents.hashers] or ["full"]:
        card = hash_image(test_card(), "full" if profile == "unknown" else profile)
        rows = _section(contents, words, profile)
        rows.hashes += card.bytes
        rows.entries.append(entry)
    contents.digests["sha256"].append((hashlib.sha256(test_card()).digest(), entry))


def _texts(words: ListWords) -> list[tuple[int, int, str, str]]:
    texts = [
        (Text.LIST, 0, words.name),
        (Text.PUBLISHER, 0, words.publisher),
        (Text.CATEGORY, 0, words.category),
        (Text.MESSAGE, 0, words.message),
        (Text.HELP, 0, words.help_link),
        (Text.APPEAL, 0, words.appeal_link),
        (Text.CATEGORY, 1, "test card"),
        (Text.MESSAGE, 1, "This is the harmless doorsill test card. Your list works."),
    ]
    return [(kind, key, words.language, text) for kind, key, text in texts if text]
