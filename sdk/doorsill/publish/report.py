"""What became of the rows: counts, and a file with every one that was refused or flagged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

REFUSED, FLAGGED, REVIEW = "refused", "flagged", "review"
_KEPT = 100  # notes in memory; all are in the file


@dataclass
class Report:
    """What became of the rows. As a context it closes its file.

    Attributes:
        path: The file for the notes, one JSON object a line; None for no file.
        entries: In the list, the test card not counted.
        hashes: PDQ rows, the test card's not counted.
        size: Of the list, bytes.
        rows: That were read.
        unusable: Hashes that nothing here can compare, by name.
        withdrawn: Entries of the previous list that are not in this one.
        counts: Notes by kind: "refused", "flagged", and "review", what others say against an
            entry, for its publisher.
        notes: The first of them: origin and reason.
    """

    path: Path | None = None
    entries: int = 0
    hashes: int = 0
    size: int = 0
    rows: int = 0
    unusable: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    _file: TextIO | None = None

    def note(self, origin: str, text: str, kind: str = FLAGGED, publisher: str = "") -> None:
        """Say something about a row."""
        self.counts[kind] += 1
        if len(self.notes) < _KEPT:
            self.notes.append(f"{origin}: {text}")
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("w", encoding="ascii", newline="\n")
        told = {"kind": kind, "origin": origin, "text": text}
        self._file.write(json.dumps(told | ({"publisher": publisher} if publisher else {})) + "\n")

    def __enter__(self) -> Report:  # noqa: PYI034 - `Self` came with Python 3.11
        """Begin; the file of an earlier build goes."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        return self

    @property
    def noted(self) -> int:
        """How many notes there are."""
        return sum(self.counts.values())

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
