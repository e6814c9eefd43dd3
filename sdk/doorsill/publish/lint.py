"""What is wrong with rows and with lists, as far as hashes tell."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doorsill.core import DIGESTS
from doorsill.lists import TEST
from doorsill.publish.report import FLAGGED, REFUSED, REVIEW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorsill.lists import HashList
    from doorsill.publish.report import Report
    from doorsill.publish.rows import Row
    from doorsill.publish.write import Contents

_USUAL_BITS = 128  # how many bits of a photograph's PDQ are set: it compares with the median
_EMPTY = {hashlib.new(kind, usedforsecurity=False).digest() for kind in DIGESTS}
_NEAR = 31
_AT_A_TIME = 16  # queries of one search
_SAMPLE = 2048  # rows whose neighbours are looked for: about a second over a million
_CROWD = 10  # near-duplicates of one picture that are worth a look


def sift(row: Row, quality: int, report: Report) -> Row:
    """Return what of a row can be listed, and report what cannot and what is odd."""
    usable, why_not = _usable(row, quality, report)
    codes = row.codes if usable or not row.hashes else ()  # what has no detail has no code either
    digests = []
    for kind, value in row.digests:
        if value in _EMPTY:
            why_not.append(f"its {kind} is that of every empty file")
        else:
            digests.append((kind, value))
    nothing = not usable and not codes and not digests and not row.unusable and not row.removed
    for text in (*row.notes, *why_not):
        report.note(row.origin, text, REFUSED if nothing else FLAGGED)
    for text in row.disputes:
        report.note(row.origin, f"{text}: its publisher decides", REVIEW, row.publisher)
    report.unusable.update(row.unusable)
    if (len(usable), len(digests), len(codes)) == (
        len(row.hashes), len(row.digests), len(row.codes)):  # fmt: skip
        return row
    return row._replace(hashes=tuple(usable), digests=tuple(digests), codes=codes)


def _usable(row: Row, least: int, report: Report) -> tuple[list[tuple[str, bytes, int]], list[str]]:
    """Return the PDQ hashes to be listed, and why others are not.

    Of an original, which is hashed in both profiles, `full` is enough: whoever opens the list
    hashes with the very same core.
    """
    usable, why_not = [], []
    has_full = any(profile == "full" for profile, _, _ in row.hashes)
    for profile, value, quality in row.hashes:
        if has_full and profile == "cpp512":
            continue
        bits = int.from_bytes(value, "big").bit_count()
        if not bits:
            why_not.append(f"all bits of its PDQ ({profile}) are zero")
        elif quality < least:
            why_not.append(f"quality {quality} is under {least}; its PDQ ({profile}) is left out")
        else:
            usable.append((profile, value, quality))
            if bits != _USUAL_BITS:
                report.note(row.origin, f"{bits} bits are set, a photograph's hash has 128")
    return usable, why_not


def near_canaries(made: HashList, canaries: Iterable[Row]) -> list[str]:
    """Return the ids of entries within 31 bits of pictures that are known to be harmless."""
    hashes = [value for row in canaries for _, value, _ in row.hashes]
    found: set[str] = set()
    for index, hasher in enumerate(made.hashers):
        if hasher.name != "pdq":
            continue
        for at in range(0, len(hashes), _AT_A_TIME):
            queries = b"".join(hashes[at : at + _AT_A_TIME])
            hits = (made.entry(hit[2]) for hit in made.handle.search(index, queries, _NEAR))
            found |= {entry.id for entry in hits if not entry.flags & TEST}
    return sorted(found)


def crowds(made: HashList, contents: Contents) -> Iterable[tuple[str, int]]:
    """Yield (entry id, rows near it) where one picture seems to be listed over and over.

    Of a large list a sample is looked at, evenly spread over the ids, which are random.
    """
    for index, rows in enumerate(contents.hashers):
        width = rows.width // 8
        if rows.name != "pdq":
            continue
        step = max(1, len(rows.entries) // _SAMPLE)
        for row in range(0, len(rows.entries), step):
            query = bytes(rows.hashes[width * row : width * (row + 1)])
            near = len(made.handle.search(index, query, _NEAR))
            if near > _CROWD:
                yield made.entry(rows.entries[row]).id, near
