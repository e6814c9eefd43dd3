"""The audit as one HTML page that needs nothing else, for people who do not read logs."""

from __future__ import annotations

import time
from collections import Counter
from html import escape
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorsill.publish.audit import Audit, Epoch, Withdrawal

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 860, 190, 62, 26, 14
_MOST_BARS = 120  # more epochs are drawn in groups, so that a bar stays visible
_DAY = 86400
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#1d2433}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2.2rem}
p.lead{color:#4a5568;margin-top:0}table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;color:#4a5568;font-weight:600}td,th{padding:.25rem .6rem;border-bottom:1px solid #e2e8f0}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.good{color:#166534}.bad{color:#9f1239}
.box{border-left:4px solid;padding:.5rem 1rem;background:#f7fafc}svg{width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:#4a5568}figure{margin:0}figcaption{font-size:14px;color:#4a5568}
.scroll{max-height:420px;overflow:auto}code{font-size:13px;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#111827;color:#e5e7eb}svg text,p.lead,th,figcaption{fill:#9ca3af;
color:#9ca3af}.box{background:#1f2937}td,th{border-color:#374151}.good{color:#86efac}.bad{color:#fda4af}}
"""


def day(moment: int) -> str:
    """Return the day of a time in POSIX seconds."""
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(moment))
    except (OverflowError, OSError, ValueError):
        return "an impossible day"


def _plain(number: float) -> str:
    return f"{number:,.0f}".replace(",", "\u202f")


def page(found: Audit) -> str:
    """Return the page."""
    epochs = found.epochs
    name = epochs[-1].manifest.one("list") if epochs else "A log without releases"
    parts = [f"<h1>{escape(name)}</h1>", _lead(found), _finding(found), _changes(epochs), _entries(epochs),
             _withdrawn(found.withdrawals, epochs), _counts(epochs), _signers(epochs), _gaps(epochs),
             _every(epochs), _meaning(found)]  # fmt: skip
    return (f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Audit of {escape(name)}</title><style>{_STYLE}</style>{''.join(parts)}</html>\n")  # fmt: skip


def _lead(found: Audit) -> str:
    epochs = found.epochs
    if not epochs:
        what = "No release of it can be read." if found.leaves else "Nothing was published."
        return f"<p class=lead>{what}</p>"
    last = epochs[-1].manifest
    releases = "1 release" if len(epochs) == 1 else f"{len(epochs)} releases"
    return (f"<p class=lead>{releases} of a hash list, from {day(epochs[0].manifest.number('issued'))} to "
            f"{day(last.number('issued'))}; {_plain(last.number('entries'))} entries today. A hash list names known "
            "pictures by numbers; it holds no pictures. This page was made from the publisher's public log alone, "
            "and from lists and signatures that were kept.</p>")  # fmt: skip


def _finding(found: Audit) -> str:
    if not found.problems:
        return ("<div class='box good'><strong>The log is sound.</strong> Every release is one entry of the log, in "
                f"order, and the log's root follows from them: nothing was removed or rewritten. {_signed(found)}</div>")  # fmt: skip
    items = "".join(f"<li>{escape(problem)}</li>" for problem in found.problems)
    return f"<div class='box bad'><strong>Not as it should be:</strong><ul>{items}</ul></div>"


def _signed(found: Audit) -> str:
    """Say what was checked of signatures; problems say what failed."""
    if found.signed is None:
        return "Signatures were not checked: no trust policy was given."
    kept = (
        "no proofs were given"
        if found.proofs is None
        else f"of {found.proofs} releases the kept proof holds"
    )
    return f"A log of the trust policy has signed its newest tree; {kept}."


def _axis(most: float, labels: tuple[str, str]) -> str:
    lines = []
    for share in (0, 0.5, 1):
        y = _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
        value = most * share
        words = _plain(value) if most >= 4 or value == int(value) else f"{value:.1f}"  # noqa: PLR2004 - small axes
        lines.append(f"<line x1={_LEFT} x2={_WIDTH} y1={y:.1f} y2={y:.1f} stroke='#cbd5e1' stroke-width=.7 />"
                     f"<text x={_LEFT - 8} y={y + 4:.1f} text-anchor=end>{words}</text>")  # fmt: skip
    return "".join(lines) + (f"<text x={_LEFT} y={_HEIGHT - 6}>{escape(labels[0])}</text>"
                             f"<text x={_WIDTH} y={_HEIGHT - 6} text-anchor=end>{escape(labels[1])}</text>")  # fmt: skip


def _bars(
    series: Sequence[tuple[str, Sequence[int]]], labels: tuple[str, str], caption: str
) -> str:
    """Draw bars side by side for each place; series are (colour, values) of one length."""
    step = -(-len(series[0][1]) // _MOST_BARS) or 1
    grouped = [(colour, [sum(values[at : at + step]) for at in range(0, len(values), step)])
               for colour, values in series]  # fmt: skip
    most = max(max(values, default=0) for _, values in grouped) or 1
    room = (_WIDTH - _LEFT) / max(len(grouped[0][1]), 1)
    wide = min(room * 0.8 / len(grouped), 26)
    drawn = []
    for number, (colour, values) in enumerate(grouped):
        for at, value in enumerate(values):
            high = value / most * (_HEIGHT - _BOTTOM - _TOP)
            x = _LEFT + at * room + (room - wide * len(grouped)) / 2 + number * wide
            drawn.append(f"<rect x={x:.1f} y={_HEIGHT - _BOTTOM - high:.1f} width={wide:.1f} "
                         f"height={high:.1f} fill='{colour}'><title>{value}</title></rect>")  # fmt: skip
    return _figure(_axis(most, labels) + "".join(drawn), caption)


def _figure(drawing: str, caption: str) -> str:
    return (f"<figure><svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='{escape(caption, quote=True)}'>"
            f"{drawing}</svg><figcaption>{escape(caption)}</figcaption></figure>")  # fmt: skip


def _ends(epochs: list[Epoch]) -> tuple[str, str]:
    return tuple(
        f"epoch {e.number}, {day(e.manifest.number('issued'))}" for e in (epochs[0], epochs[-1])
    )  # type: ignore[return-value] # two of them


def _numbers(epochs: list[Epoch], key: str) -> list[int]:
    return [epoch.manifest.number(key) for epoch in epochs]


def _changes(epochs: list[Epoch]) -> str:
    if len(epochs) <= 1:
        return ""
    after = epochs[1:]  # the first release adds everything
    series = [("#2563eb", _numbers(after, "added")), ("#d97706", _numbers(after, "removed"))]
    capped = [str(e.number) for e in after if e.manifest.one("over_cap")]
    note = (
        f" Larger than the publisher's own cap, with a reason: epoch {', '.join(capped)}."
        if capped
        else ""
    )
    return "<h2>What changed in each release</h2>" + _bars(
        series, _ends(after), "Blue: entries added. Orange: entries removed. The first release is left out, it "
        f"adds everything.{note}")  # fmt: skip


def _entries(epochs: list[Epoch]) -> str:
    if not epochs:
        return ""
    return "<h2>How long the list is</h2>" + _bars(
        [("#64748b", _numbers(epochs[:: -(-len(epochs) // _MOST_BARS)], "entries"))],
        _ends(epochs),
        "Entries.",
    )


def _withdrawn(gone: list[Withdrawal], epochs: list[Epoch]) -> str:
    told = sum(_numbers(epochs, "withdrawn"))
    words = f"<p>{_plain(told)} entries were withdrawn in all, as the manifests say. "
    if not gone:
        return f"<h2>Withdrawals</h2>{words}Without kept lists it cannot be told how long they had been listed.</p>"
    days = sorted(each.seconds / _DAY for each in gone)
    words += (f"Of {len(gone)} the kept lists tell how long they had been listed: half of them up to {median(days):.1f} days, "
              f"the longest {days[-1]:.1f} days. Someone may have been stopped wrongly for that long.</p>")  # fmt: skip
    ends = [1, 3, 7, 14, 30, 90, 365]
    counts = Counter(sum(d > end for end in ends) for d in days)
    bars = [("#d97706", [counts[i] for i in range(len(ends) + 1)])]
    return f"<h2>Withdrawals</h2>{words}" + _bars(
        bars, ("up to 1 day", "more than a year"), "Days from the first listing to the withdrawal; the bars end at "
        "1, 3, 7, 14, 30, 90 and 365 days.")  # fmt: skip


def _cell(tag: str, value: object, *, number: bool) -> str:
    shown = _plain(value) if isinstance(value, int) else escape(str(value))
    return f"<{tag}{' class=n' if number else ''}>{shown}</{tag}>"


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    numbers = [isinstance(value, int) for value in rows[0]] if rows else [False] * len(head)

    def line(tag: str, values: Sequence[object]) -> str:
        cells = (_cell(tag, value, number=n) for value, n in zip(values, numbers, strict=True))
        return f"<tr>{''.join(cells)}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"


def _counts(epochs: list[Epoch]) -> str:
    if not epochs:
        return ""
    first, last = epochs[0].manifest, epochs[-1].manifest
    parts = []
    for key, title in (("category", "Categories"), ("publisher", "Publishers that vouch")):
        was, is_ = first.counts(key), last.counts(key)
        rows = [(name, was.get(name, 0), is_.get(name, 0)) for name in dict.fromkeys([*is_, *was])]
        parts.append(f"<h2>{title}</h2>" + _rows(("name", "first release", "last release"), rows))
    return "".join(parts)


def _signers(epochs: list[Epoch]) -> str:
    kept = [epoch for epoch in epochs if epoch.tier]
    if not kept:
        return ("<h2>Who signed</h2><p>No proofs were kept, so this page cannot say who signed. "
                "Give a folder of them by --releases.</p>")  # fmt: skip
    counts = Counter(name for epoch in kept for name in epoch.signers)
    rows = [
        (name, count, f"{100 * count / len(kept):.0f} %") for name, count in counts.most_common()
    ]
    return (f"<h2>Who signed</h2><p>Of {len(kept)} releases the proofs are kept. Witnesses say that everyone gets "
            "the same list; approvers say that they rebuilt it from the rows and checked it.</p>"
            + _rows(("witness or approver", "releases", "share"), rows))  # fmt: skip


def _gaps(epochs: list[Epoch]) -> str:
    if len(epochs) <= 1:
        return ""
    moments = _numbers(epochs, "issued")
    hours = [max(0, b - a) // 3600 for a, b in pairwise(moments)]
    longest = max(range(len(hours)), key=hours.__getitem__)
    return "<h2>Gaps between releases</h2>" + _bars(
        [("#7c3aed", hours)], _ends(epochs[1:]), f"Hours since the release before. The longest gap, {_plain(hours[longest])} hours, "
        f"came before epoch {epochs[longest + 1].number}.")  # fmt: skip


def _every(epochs: list[Epoch]) -> str:
    head = ("epoch", "day", "entries", "added", "removed", "tier", "signed by", "list kept")
    rows = [(e.number, day(e.manifest.number("issued")), *(e.manifest.number(k) for k in ("entries", "added", "removed")),
             e.tier or "no proof kept", ", ".join(e.signers), "yes" if e.list else "no") for e in epochs]  # fmt: skip
    return f"<h2>Every release</h2><div class=scroll>{_rows(head, rows)}</div>"


def _meaning(found: Audit) -> str:
    root = found.checkpoint.text if found.checkpoint else ""
    return ("<h2>What this page shows, and what it does not</h2><p>It shows that the log holds these releases and no "
            "others, and who signed them. It does not show that each entry deserves to be listed: nobody can see "
            "that from hashes. Check it yourself: keep the three lines below, ask the publisher's log again in a "
            "month, and run <code>doorsill audit log LOG --since FILE</code>.</p>"
            f"<pre><code>{escape(root)}</code></pre>")  # fmt: skip
