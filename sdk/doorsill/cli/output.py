"""What the commands print with: safe text, colour, tables, a progress bar, JSON lines."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# The commands' exit statuses, beside argparse's own 2 for a wrong command line.
OK, MATCHED, TROUBLE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141

_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_ACTIONS = {"send": "green", "warn": "yellow", "block": "red"}
_BAR = 24


def clean(text: object) -> str:
    """Return *text* with every control, bidi and other invisible character written out.

    Names of files and texts of lists are strangers' words: they must not move the cursor.
    """
    return "".join(c if c.isprintable() else _written_out(c) for c in str(text))


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def has_colour(stream: TextIO) -> bool:
    """Tell whether *stream* is a terminal whose owner has nothing against colour."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def paint(text: str, *names: str, stream: TextIO | None = None) -> str:
    """Return *text* in that colour or weight where *stream*, usually stdout, shows it."""
    if not names or not has_colour(stream or sys.stdout):
        return text
    codes = ";".join(str(_CODES[name]) for name in names)
    return f"\x1b[{codes}m{text}\x1b[0m"


def action_word(action: str, width: int = 5) -> str:
    """Return an action, padded; the one that stops a picture stands in capitals."""
    word = action.upper() if action == "block" else action
    return paint(f"{word:<{width}}", "bold", _ACTIONS[action])


def emit(fields: dict[str, Any]) -> None:
    """Print one object as one line of JSON, in ASCII whatever the names in it."""
    print(json.dumps(fields))


def complain(message: object) -> None:
    """Print what went wrong to stderr, as one line."""
    sys.stdout.flush()
    print(f"doorsill: {clean(message)}", file=sys.stderr)


def fields(rows: Iterable[tuple[str, object]], indent: str = "  ") -> None:
    """Print names and values in two columns."""
    pairs = list(rows)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        print(f"{indent}{paint(f'{name:<{width}}', 'dim')}  {clean(value)}".rstrip())


def table(header: Sequence[str], rows: Iterable[Sequence[object]], indent: str = "  ") -> None:
    """Print rows in columns, numbers to the right."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    print(paint(indent + _aligned(header, widths), "dim"))
    for row in cells:
        print(indent + _aligned(row, widths))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    sides = (">" if cell.isdigit() else "<" for cell in cells)
    placed = (f"{c:{s}{w}}" for c, s, w in zip(cells, sides, widths, strict=True))
    return "  ".join(placed).rstrip()


class Progress:
    """A bar on stderr, only where stderr is a terminal and there is more than one step."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._shown = False

    def show(self, done: int, total: int, name: str = "") -> None:
        """Draw the bar over the line that the cursor stands in."""
        if total <= 1:
            return
        full = _BAR * done // total
        self.line(f"{'━' * full}{'╌' * (_BAR - full)} {done}/{total}  {clean(name)}")

    def show_bytes(self, done: int, total: int, name: str = "") -> None:
        """Draw how much of a file is read; without a total, what is being done."""
        mega = 1 << 20
        if total > mega:
            self.show(done // mega, total // mega + 1, f"MB  {name}")
        else:
            self.line(clean(f"{name}  {done or ''}"))

    def line(self, line: str) -> None:
        """Write over the line that the cursor stands in, where stderr is a terminal."""
        if not sys.stderr.isatty():
            return
        self._shown = True
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K{line[:width]}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Wipe the bar, so that a line can be printed."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def over(self, names: Sequence[str]) -> Iterator[str]:
        """Yield *names*, showing each while it is worked on."""
        try:
            for done, name in enumerate(names):
                self.show(done, len(names), name)
                yield name
        finally:
            self.clear()
