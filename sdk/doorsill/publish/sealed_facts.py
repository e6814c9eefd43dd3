"""What a manifest says of a sealed list: what anybody can work out without opening it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.publish.diff import Changes
from doorsill.sealed.lists import KIND_CLEAR, KIND_RECORDS, SealedList
from doorsill.sealed.protocol import CLEAR_BYTES, RECORD_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from doorsill.publish.sections import ListFile


def _rows(file: ListFile) -> set[bytes]:
    """Return what tells rows apart: a row that stays is sealed to the same bytes."""
    clear, records = file.section(KIND_CLEAR), file.section(KIND_RECORDS)
    return {
        clear[CLEAR_BYTES * row : CLEAR_BYTES * (row + 1)]
        + records[RECORD_BYTES * (row + 1) - TAG_BYTES : RECORD_BYTES * (row + 1)]
        for row in range(len(clear) // CLEAR_BYTES)
    }


def sealed_changes(before: ListFile | None, new: ListFile) -> Changes:
    """Count rows that came and went; under another key all of them have."""
    rows = _rows(new)
    old = _rows(before) if before is not None else set()
    return Changes(len(old), len(rows), added=len(rows - old), removed=len(old - rows))


def sealed_facts(sealed: SealedList) -> list[str]:
    """Return the lines about how it is compared, and by which keys."""
    hasher, about = sealed.hashers[0], sealed.sealed
    return [
        f"hasher pdq {hasher.profile} 256 {hasher.limit} {hasher.quality} {about.rows} -",
        " ".join(("sealed", str(about.version), str(about.epoch), str(about.rows),
                  about.public_key.hex(), about.token_key.hex())),
    ]  # fmt: skip
