"""One table of what benches measured: on the terminal, as Markdown, as a plot, as JSON."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from side_by_side import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Goals = dict[str, float]
"""`must` and `aim` of a row."""

HEAD = ("", "doorsill", "peer", "", "must", "aim")


@dataclass(frozen=True)
class Row:
    """One thing measured: medians, where less is better.

    Attributes:
        what: The thing.
        ours: What doorsill takes, in *unit*.
        peer: Who else was measured, "" for none.
        theirs: What that takes.
        unit: Of both.
        must: The ratio that it must show; where *bound*, what doorsill may take at most.
        aim: The same, hoped for. 0: nobody asked for one.
        bound: Whether those are bounds and no ratios.
    """

    what: str
    ours: float
    peer: str
    theirs: float
    unit: str = "ms"
    must: float = 0
    aim: float = 0
    bound: bool = False

    @property
    def ratio(self) -> float:
        """How many times the peer takes what doorsill takes, 0 without a peer."""
        return self.theirs / self.ours if self.peer else 0

    @property
    def short(self) -> bool:
        """Whether it must show more."""
        over = self.ours > 1.001 * self.must  # headers, of which an entry pays its share
        return bool(self.must) and (over if self.bound else self.ratio < self.must)

    def cells(self) -> tuple[str, ...]:
        """Return the row's words, in the order of `HEAD`."""
        of = self.unit if self.bound else "x"
        must = f"{round(self.must, 2):g} {of}{', short' if self.short else ''}" if self.must else ""
        return (
            self.what,
            _amount(self.ours, self.unit),
            f"{self.peer} {_amount(self.theirs, self.unit)}" if self.peer else "",
            f"{self.ratio:.3g} x" if self.peer else "",
            must,
            f"{round(self.aim, 2):g} {of}" if self.aim else "",
        )


def _amount(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"  # noqa: PLR2004


def plain(rows: list[Row]) -> str:
    """Return the table for a terminal."""
    table = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )


def markdown(rows: list[Row], *, goals: bool = True) -> str:
    """Return the table in Markdown, without the last two columns if not *goals*."""
    last = len(HEAD) if goals else -2
    rule = ("---", "---:", "---:", "---:", "---", "---")
    lines = (HEAD, rule, *(row.cells() for row in rows))
    return "".join(f"| {' | '.join(line[:last])} |\n" for line in lines)


_WIDE, _TEXT, _LINE, _TENFOLD = 960, 470, 22, 140  # pixels; the last for a factor of ten


def plot(rows: list[Row], title: str) -> str:
    """Return an SVG of the ratios on a logarithmic scale; a tick stands where each must be."""
    from math import log10  # noqa: PLC0415 - plots alone

    shown = [row for row in rows if row.peer]
    high = _LINE * (len(shown) + 3)

    def at(ratio: float) -> float:
        return _TEXT + _TENFOLD * max(-0.2, min(2.4, log10(ratio)))

    size = f'width="{_WIDE}" height="{high}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect {size} fill="white"/>',
        f'<text x="8" y="17" font-weight="bold">{escape(title)}</text>',
    ]
    for mark in (1, 2, 5, 10, 20, 50, 100):
        x = at(mark)
        parts.append(f'<path d="M{x:.1f} {2 * _LINE}V{high - 8}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{2 * _LINE - 5}" text-anchor="middle">{mark} x</text>')
    for number, row in enumerate(shown):
        y, end = _LINE * (number + 2), at(row.ratio)
        colour = "#c0392b" if row.short else "#2e7d5b"
        left, wide = min(at(1), end), max(1, abs(end - at(1)))
        parts.append(f'<text x="{_TEXT - 45}" y="{y + 15}" text-anchor="end">'
                     f"{escape(row.what)}</text>")  # fmt: skip
        parts.append(f'<rect x="{left:.1f}" y="{y + 4}" width="{wide:.1f}" height="{_LINE - 8}" '
                     f'fill="{colour}"/>')  # fmt: skip
        need = at(row.theirs / row.must if row.bound else row.must) if row.must else at(1)
        if row.must:
            parts.append(f'<path d="M{need:.1f} {y + 1}v{_LINE - 2}" stroke="black"/>')
        parts.append(f'<text x="{max(end, need, at(1)) + 6:.1f}" y="{y + 15}">{row.ratio:.3g} x '
                     f"{escape(row.peer)}</text>")  # fmt: skip
    return "\n".join([*parts, "</svg>\n"])


def main(measure: Callable[[], Iterable[Row]]) -> int:
    """Measure, print the table and write what the command line asks for."""
    parser = argparse.ArgumentParser()
    for name, what in (("markdown", "the table"), ("plot", "an SVG"), ("results", "JSON")):
        parser.add_argument(f"--{name}", type=Path, help=f"where to write {what}")
    asked = parser.parse_args()
    rows = list(measure())
    title = f"{machine()}, {dt.datetime.now(dt.timezone.utc):%Y-%m-%d}"
    print(f"\n{title}\n{plain(rows)}")
    if asked.markdown:
        asked.markdown.write_text(f"{title}\n\n{markdown(rows)}", encoding="utf-8")
    if asked.plot:
        asked.plot.write_text(plot(rows, title), encoding="utf-8")
    if asked.results:
        write(rows, title, asked.results)
    return 0


def write(rows: list[Row], title: str, path: Path) -> None:
    """Write rows as JSON; the title says which machine, and when."""
    written = {"title": title, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(written, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[str, list[Row]]:
    """Return (machine and date, rows) of what `write` wrote."""
    written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return written["title"], [Row(**each) for each in written["rows"]]


def against(what: str, times: Mapping[str, float], goals: Goals | None = None,
            **options: Any) -> Iterator[Row]:  # fmt: skip
    """Yield a row for each peer that `side_by_side.race` timed; *goals* are those for the first."""
    peers = [name for name in times if name != "doorsill"]
    for name in peers:
        goal = goals if goals and name == peers[0] else {}
        must, aim = goal.get("must", 0), goal.get("aim", 0)
        yield Row(what, times["doorsill"], name, times[name], must=must, aim=aim, **options)
