"""One plot: what each hasher finds of each main edit."""

from __future__ import annotations

import html
from typing import Any

COLOURS = ("#9db4c0", "#2a6f97", "#c8553d", "#588157", "#8d6a9f", "#b8860b", "#555555", "#1b9aaa")
_LABEL, _WIDTH, _BAR, _GAP = 130, 420, 7, 6  # pixels


def bars(result: dict[str, Any], edits: list[str]) -> str:
    """Return an SVG of shares found, a group of bars for each edit, the means below."""
    rows = {name: {e: each["edits"][e]["recall"] for e in edits} | {"mean": each["recall_main"]}
            for name, each in result["hashers"].items()}  # fmt: skip
    if "either" in result:
        either = result["either"]
        for name, found in (("either", either), *(
            (f"shipped, {size}", either["shipped"][size])
            for size in ("1000", "100000") if size in either["shipped"]
        )):  # fmt: skip
            rows[name] = {e: found["edits"][e] for e in edits} | {"mean": found["recall_main"]}
    group = _BAR * len(rows) + _GAP
    high = 30 + group * (len(edits) + 1)
    parts = []
    x = 8
    if len(rows) > len(COLOURS):
        raise SystemExit(f"more than {len(COLOURS)} hashers cannot be told apart in one plot")
    for name, colour in zip(rows, COLOURS, strict=False):
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="17">{html.escape(name)}</text>')
        x += 28 + 6 * len(name)
    for row, edit in enumerate([*edits, "mean"]):
        top = 28 + row * group
        bold = ' font-weight="bold"' if edit == "mean" else ""
        middle = top + (group - _GAP) / 2 + 4
        parts.append(
            f'<text x="{_LABEL - 8}" y="{middle:.0f}" text-anchor="end"{bold}>{edit}</text>'
        )
        for at, (recalls, colour) in enumerate(zip(rows.values(), COLOURS, strict=False)):
            wide = max(1, _WIDTH * recalls[edit])
            size = f'width="{wide:.0f}" height="{_BAR - 1}"'
            parts.append(f'<rect x="{_LABEL}" y="{top + at * _BAR}" {size} fill="{colour}"/>')
    size = f'width="{_LABEL + _WIDTH + 20}" height="{high}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
