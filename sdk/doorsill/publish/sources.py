"""A source: one file of rows, and what its publisher says about all of them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from doorsill.errors import RowsError
from doorsill.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from pathlib import Path

    from doorsill.models import Models

_TICK = 4096  # rows between two looks at how far it got


@dataclass
class Source:
    """A file to be read.

    Attributes:
        path: The file, or the folder of originals.
        format: Name of its format, "" to tell by its content.
        map: A column map: the name of a shipped one, or a path ending in .toml.
        publisher: Who vouches for rows that do not say.
        category: Of rows that do not say.
        profile: Which tool made its PDQ hashes: "full", "cpp512" or "unknown".
        flags: Of all its entries: 1 is `seed`, 4 asks for no more than a warning.
        categories: From the source's words (a classification, a label) to the list's; where it is
            given, rows with none of these words are refused.
        isolation: Where originals are decoded, as of a Gate.
        models: By which originals are hashed beside PDQ; None: by PDQ alone.
        progress: Called now and then with bytes done, bytes in all and the name. Whatever it
            raises stops the reading.
        names: Filled while it is read: publishers' names that the source tells, by its own ids.
    """

    path: Path
    format: str = ""
    map: str = ""
    publisher: str = ""
    category: str = ""
    profile: str = "unknown"
    flags: int = 0
    categories: dict[str, str] = field(default_factory=dict)
    isolation: str = "worker"
    models: Models | None = None
    progress: Callable[[int, int, str], None] | None = None
    names: dict[str, str] = field(default_factory=dict)
    _ticks: int = 0
    _size: int = 0

    @property
    def name(self) -> str:
        """The path, for messages."""
        return str(self.path)

    def open(self) -> BufferedReader:
        """Open the file for reading bytes; `RowsError` if it cannot be."""
        try:
            file = open_regular(self.path)
        except OSError as error:
            raise RowsError(
                f"{self.path}: {error.strerror}; name a file of rows, or originals"
            ) from None
        self._size = os.fstat(file.fileno()).st_size
        return file

    def text(self, file: Any) -> TextIO:
        """Return a reader of the file's UTF-8; a stray byte costs its own field, not the file."""
        return io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")

    def tick(self, position: Callable[[], int]) -> None:
        """Count one more row and show now and then how far it got."""
        self._ticks += 1
        if self.progress is not None and self._ticks % _TICK == 0:
            self.progress(position(), self._size, self.path.name)

    def category_of(self, words: list[str]) -> tuple[str, str]:
        """Return the category of a row with these words, and why it has none, "" if it has one."""
        if not self.categories:
            return (words[0] if words else self.category), ""
        found = sorted(self.categories[word] for word in words if word in self.categories)
        if found:
            return found[0], ""
        told = ", ".join(words) or "nothing"
        return "", f"its category ({told}) is not among those that are listed"
