"""The report: one HTML file with its plots and pictures inside, and a plain table."""

from __future__ import annotations

import base64
import html
import io
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from columns import NONE, own, partners
from edits import EDITS
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from columns import Column
    from photos import Photo

COLOURS = ("#1b6ca8", "#c44536", "#2a9d8f", "#8a5fbf", "#b8860b", "#555555")
_STOPS = (
    ("as it comes", "warn"),
    ("as it comes", "block"),
    ("agreed blocks", "block"),
    ("no model", "block"),
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .7rem;text-align:right;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}tr.main td:first-child{font-weight:600}th{border-bottom:2px solid #ccd}
figure{display:inline-block;margin:.4rem;text-align:center;font-size:12px}figure img{height:130px;margin:1px}
.note{color:#566;max-width:46rem}svg{display:block;margin:1rem 0}
"""


def table_text(result: dict[str, Any]) -> str:
    """Return recall by edit, and the figures below, as plain text."""
    hashers = result["hashers"]
    names = list(hashers) + (["either"] if "either" in result else [])
    lines = [f"{'edit (* main)':26}" + "".join(f" {name[:15]:>15}" for name in names)]
    first = next(iter(hashers.values()))
    for edit in first["edits"]:
        star = "*" if edit in result["main"] else " "
        cells = [each["edits"][edit]["recall"] for each in hashers.values()]
        if "either" in result:
            cells.append(result["either"]["edits"][edit])
        lines.append(f"{edit + ' ' + star:26}" + "".join(f"{100 * c:15.1f}%" for c in cells))
    rows = [("mean of the main edits", "recall_main", "{:15.1%} "), ("limit", "limit", "{:15d} "),
            ("ms a picture", "milliseconds", "{:15.2f} ")]  # fmt: skip
    for title, key, form in rows:
        cells = [form.format(each[key]) for each in hashers.values()]
        if key == "recall_main" and "either" in result:
            cells.append(form.format(result["either"][key]))
        lines.append(f"{title:26}" + "".join(cells))
    for name, each in hashers.items():
        lines += _figures(name, each)
    if "either" in result:
        shares = ", ".join(f"{r:.1%} for {n}" for n, r in result["either"]["by_size"].items())
        lines.append(f"either, at the limits for lists of so many entries: {shares}")
        shares = ", ".join(
            f"{r['recall_main']:.1%} for {n}" for n, r in result["either"]["shipped"].items()
        )
        lines.append(f"either, as shipped: {shares}")
    if "policy" in result:
        policy = result["policy"]
        for way, told in policy["ways"].items():
            lines.append(
                f"policy, {way}, {policy['entries']} entries, limit {policy['neural_limit']}: unrelated {told['unrelated']}"
            )
    return "\n".join(lines) + "\n"


def _figures(name: str, each: dict[str, Any]) -> list[str]:
    """Return the limits of one hasher, and what comes within them."""
    lines = []
    found = each["false_positives"]
    how = "measured" if each["limit_measured"] else "extrapolated"
    lines.append(
        f"{name}: limit {each['limit']} for 1e-6 a pair ({how} from {each['calibration_pairs']} pairs); on test photos "
        f"{found['hits']} of {found['queries']} queries met one of {found['entries']} unrelated entries "
        f"({found['photos_hit']} of {found['photos']} photos, at most {found['photos_at_most']:.2g} at 95 %) and {found['alike_hits']} a "
        f"look-alike; of {each['look_alikes']['pairs']} pairs of those {each['look_alikes']['share_at_limit']:.2g} are within it"
    )
    for size, at in each["by_size"].items():
        sure = "measured" if at["measured"] else "extrapolated"
        lines.append(
            f"  list of {size}: limit {at['limit']} ({sure}; {at['limit_pessimistic']} by the straight line), recall {at['recall_main']:.1%}, false positives a "
            f"picture {at['false_positive_per_picture_extrapolated']:.1g} (extrapolated)"
        )
        if (own_limit := at["shipped"]) is not None:
            met = own_limit["false_positives"]
            lines.append(
                f"    as shipped: limit {own_limit['limit']}, recall {own_limit['recall_main']:.1%}; {met['hits']} of {met['queries']} queries met an unrelated entry "
                f"({met['photos_hit']} of {met['photos']} photos), {met['alike_hits']} a look-alike ({own_limit['look_alikes']['share_at_limit']:.2g} of pairs)"
            )
    return lines


def _shade(share: float) -> str:
    return f"background:hsl({round(120 * share)},55%,{round(92 - 12 * share)}%)"


def _recall_table(result: dict[str, Any]) -> str:
    hashers = result["hashers"]
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in hashers)
    both, ways = "either" in result, result.get("policy", {"ways": {}})["ways"]
    heads += "<th>either</th>" if both else ""
    heads += "".join(f"<th>{stop.upper()}<br>{way}</th>" for way, stop in _STOPS if ways)
    rows = []
    for edit in next(iter(hashers.values()))["edits"]:
        cells = [each["edits"][edit]["recall"] for each in hashers.values()]
        if both:
            cells.append(result["either"]["edits"][edit])
        cells += [ways[way]["known"][edit][stop] for way, stop in _STOPS if ways]
        shown = "".join(f'<td style="{_shade(c)}">{100 * c:.0f}</td>' for c in cells)
        main = ' class="main"' if edit in result["main"] else ""
        rows.append(f"<tr{main}><td>{html.escape(edit)}</td>{shown}</tr>")
    return f"<table><tr><th>edit</th>{heads}</tr>{''.join(rows)}</table>"


def _plot(name: str, each: dict[str, Any]) -> str:
    """log10 of the share at or below a distance: unrelated, look-alikes, own; the line and limit."""
    bits, w, h, left, low = each["bits"], 760, 300, 60, 9.0
    most = bits * 0.75

    def point(distance: float, share: float) -> str:
        y = h * min(low, -math.log10(max(share, 10**-low))) / low
        return f"{left + w * distance / most:.1f},{10 + y:.1f}"

    parts = []
    curves = (("calibration", COLOURS[0], "unrelated, calibration"), ("test", COLOURS[2], "unrelated, test"),
              ("alike", COLOURS[4], "look-alikes"), ("own", COLOURS[1], "edit to its original"))  # fmt: skip
    for row, (key, colour, label) in enumerate(curves):
        counts = np.array(each["curves"][key], float)
        total = counts.sum()
        if not total:
            continue
        shares = np.cumsum(counts) / total
        points = " ".join(point(d, s) for d, s in enumerate(shares) if s > 0 and d <= most)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(
            f'<text x="{left + w - 200}" y="{h - 60 + 16 * row}" fill="{colour}" font-size="12">{label}</text>'
        )
    first = each["curves"]["first"]
    lines = ((each["curves"]["normal"], NormalDist().cdf, "5 4"),
             (each["curves"]["straight"], lambda power: 10**power, "1 4"))  # fmt: skip
    for (slope, offset), share_of, dashes in lines:
        shares = [(d, share_of(slope * d + offset)) for d in range(first + 1)]
        points = " ".join(point(d, s) for d, s in shares if 10**-low < s <= 1)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[0]}" stroke-dasharray="{dashes}"/>'
        )
    x = left + w * max(0, each["limit"]) / most
    parts.append(
        f'<line x1="{x:.0f}" x2="{x:.0f}" y1="10" y2="{h + 10}" stroke="#333" stroke-dasharray="2 3"/>'
    )
    for power in range(0, int(low) + 1, 3):
        y = 10 + h * power / low
        parts.append(
            f'<text x="4" y="{y + 4:.0f}" font-size="12">1e-{power}</text><line x1="{left}" x2="{left + w}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e4e8ee"/>'
        )
    parts += [
        f'<text x="{left + w * distance / most:.0f}" y="{h + 28}" font-size="12" text-anchor="middle">{distance}</text>'
        for distance in range(0, int(most) + 1, max(8, bits // 16))
    ]
    how = (
        "measured"
        if each["limit_measured"]
        else "extrapolated along the dashed line, a normal tail; the dotted one supposes a straight line and errs on the side of too many"
    )
    return (f"<h3>{html.escape(name)}</h3><p class=note>Share of pairs at or below a distance. Limit for 1e-6 a pair: "
            f"{each['limit']} ({how}).</p><svg width={w + left + 20} height={h + 40}>{''.join(parts)}</svg>")  # fmt: skip


def _figure(images: Sequence[Image.Image], text: str) -> str:
    shown = ""
    for image in images:
        small = ImageOps.contain(image, (170, 130))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=70)
        shown += f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}">'
    return f"<figure>{shown}<figcaption>{html.escape(text)}</figcaption></figure>"


def _sheets(
    name: str, each: dict[str, Any], column: Column, found: Sequence[Photo], seed: int
) -> str:
    by_name = {edit.name: edit for edit in EDITS}

    def edited(edit: str, index: int) -> Image.Image:
        photo = found[index]
        return by_name[edit](photo.open(), f"{seed}/{photo.name}", partners(found, index))

    worst = []
    for edit, said in each["edits"].items():
        if said["recall"] > 0.5:
            d = own(column, edit).astype(int)
            d[d == NONE] = -1
            index = int(d.argmax())
            if d[index] > each["limit"]:
                worst.append((int(d[index]), edit, index))
    worst = sorted(worst, reverse=True)[:12]
    misses = "".join(_figure([found[i].open(), edited(e, i)], f"{e}: {d}") for d, e, i in worst)
    near = "".join(
        _figure([edited(e, q), found[o].open()], f"{d}: {e}") for d, e, q, o in each["nearest"][:12]
    )
    return (f"<h3>{html.escape(name)}: worst misses among edits that it usually sees</h3>{misses or '<p>none</p>'}"
            f"<h3>{html.escape(name)}: nearest photos that are not the same</h3>{near}")  # fmt: skip


def write_report(
    path: Path, result: dict[str, Any], test: Sequence[Column], found: Sequence[Photo], seed: int
) -> str:
    """Write the page; return the plain table."""
    table = table_text(result)
    hashers = result["hashers"]
    figures = "\n".join(line for line in table.splitlines() if ":" in line)
    plots = "".join(_plot(name, each) for name, each in hashers.items())
    sheets = "".join(
        _sheets(name, each, column, found, seed)
        for (name, each), column in zip(hashers.items(), test, strict=True)
    )
    summary = ", ".join(f"{html.escape(n)} {h['recall_main']:.1%}" for n, h in hashers.items())
    if "either" in result:
        summary += f", either {result['either']['recall_main']:.1%}"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>doorsill: evaluation</title><style>{_STYLE}</style>"
        f"<h1>What survives which edit</h1><p class=note>{html.escape(str(result['asked']))}, {result['machine']}, {result['date']}. "
        "Recall in per cent of edited photos whose original is found at the limit for one unrelated pair in a million. "
        "Bold edits are the main ones. A determined person evades any perceptual hash.</p>"
        f"<p><b>Mean over the main edits: {summary}.</b></p>{_recall_table(result)}"
        f"<h2>False positives</h2><pre style='white-space:pre-wrap'>{html.escape(figures)}</pre><h2>Distances</h2>{plots}<h2>Pictures</h2>{sheets}"
    )
    return table
