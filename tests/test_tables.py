"""What the benches print: the goals that are kept and missed, Markdown, the plot, the README."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples"))

import bench_readme  # noqa: E402 - from the folder above
import tables  # noqa: E402 - likewise

ROWS = [
    tables.Row("kept", 2, "peer <1>", 12, must=5, aim=6),
    tables.Row("missed", 2, "peer", 9, must=5, aim=6),
    tables.Row("a bound kept", 1.0001, "peer", 9, "MB", must=1, bound=True),
    tables.Row("a bound missed", 2, "", 0, "MB", must=1, bound=True),
    tables.Row("asked by nobody", 150, "", 0),
]


def test_goals() -> None:
    """A ratio must reach its goal, a bound must not be passed; the table says where they do not."""
    assert [row.short for row in ROWS] == [False, True, False, True, False]
    kept, missed, *_, alone = (row.cells() for row in ROWS)
    assert kept == ("kept", "2 ms", "peer <1> 12 ms", "6 x", "5 x", "6 x")
    assert missed[4] == "5 x, short"
    assert alone == ("asked by nobody", "150 ms", "", "", "", "")


def test_markdown() -> None:
    """Every line has as many columns as the head, with the goals and without."""
    for goals, columns in ((True, 6), (False, 4)):
        lines = tables.markdown(ROWS, goals=goals).splitlines()
        assert len(lines) == 2 + len(ROWS)
        assert {line.count("|") for line in lines} == {columns + 1}


def test_plot() -> None:
    """The plot is XML with a bar for each row that has a peer."""
    tree = ET.fromstring(tables.plot(ROWS, "a <machine>"))  # noqa: S314 - our own
    bars = [each for each in tree.iter() if each.tag.endswith("rect")]
    assert len(bars) == 1 + 3


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table replaces what stands between the marks and nothing else; no marks, no change."""
    results, page = tmp_path / "results.json", tmp_path / "README.md"
    monkeypatch.setattr(bench_readme, "README", page)
    tables.write(ROWS, "a machine", results)
    page.write_text(f"before\n{bench_readme.BEGIN}\nold\n{bench_readme.END}\nafter\n")
    assert 0 == bench_readme.main([results])
    text = page.read_text()
    assert tables.markdown(ROWS[:4], goals=False) in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    page.write_text("no marks\n")
    assert 1 == bench_readme.main([results])
    assert "no marks\n" == page.read_text()


def test_marks_of_the_readme() -> None:
    """The README has the marks, and numbers between them."""
    _, _, rest = (ROOT / "README.md").read_text().partition(bench_readme.BEGIN)
    table, end, _ = rest.partition(bench_readme.END)
    assert end
    assert table.count("\n|") > len(ROWS)
