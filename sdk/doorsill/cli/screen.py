"""`doorsill screen`: verdicts on files and folders, and how each came about."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from doorsill.cli.files import complain_of_stale, open_gate, walk
from doorsill.cli.output import (
    MATCHED,
    OK,
    TROUBLE,
    Progress,
    action_word,
    clean,
    complain,
    emit,
    paint,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from doorsill.gate import Gate
    from doorsill.lists import HashList
    from doorsill.reading import HashedView, Reading
    from doorsill.verdict import Match, Verdict

_RADIUS = 64  # bits, the farthest that the core searches PDQ
_NEAREST = 3


def screen(args: argparse.Namespace) -> int:
    """Print a verdict for each file; tell by the exit status what was found."""
    files, broken = walk(args.paths)
    gate = open_gate(args.lists, args.isolation, args.trust, args.tier)
    found: Counter[str] = Counter()
    unchecked: Counter[str] = Counter()
    progress = Progress()
    for path in progress.over(files):
        start = time.perf_counter()
        reading = gate.read(path)
        verdict = gate.decide(reading, start=start)
        progress.clear()
        found[verdict.outcome.value] += 1
        found[verdict.action.value] += 1
        unchecked.update(verdict.unchecked)
        if not reading.digests:  # not one byte was read: the name may be wrong
            why = verdict.reason.removeprefix("file: ")
            complain(f"{path}: {why}; check the name and permissions")
        if args.json:
            emit(_fields(path, verdict, list(_explained(gate, reading)) if args.explain else None))
        else:
            _print(path, verdict)
            if args.explain:
                _print_explained(gate, reading, verdict)
    if not args.json:
        _print_summary(len(files), found)
        for what, count in sorted(unchecked.items()):
            complain(f"not compared in {count} of them: {what}")
        complain_of_stale(gate.lists)
    if found["match"]:
        return MATCHED
    return TROUBLE if found["unreadable"] or broken or not files else OK


def _fields(path: str, verdict: Verdict, views: list[dict[str, Any]] | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "path": path,
        "outcome": verdict.outcome.value,
        "action": verdict.action.value,
        "evidence": verdict.evidence.value,
        "reason": verdict.reason,
        "quality": verdict.quality,
        "coverage": verdict.coverage,
        "protection": verdict.protection,
        "trust": verdict.trust,
        "stale": verdict.stale,
        "unchecked": verdict.unchecked,
        "milliseconds": round(verdict.milliseconds, 3),
        "sha256": verdict.sha256,
        "matches": [_match_fields(match) for match in verdict.matches],
    }
    return made if views is None else made | {"views": views}


def _match_fields(match: Match) -> dict[str, Any]:
    plain = vars(match) | {"evidence": match.evidence.value, "action": match.action.value}
    first = ("list", "entry", "category", "hasher", "distance")
    return {name: plain[name] for name in first} | plain


def _print(path: str, verdict: Verdict) -> None:
    outcome = verdict.outcome.value.replace("_", " ")
    spent = f"{verdict.milliseconds:7.1f} ms"
    print(f"{action_word(verdict.action.value)}  {outcome:<12}  {spent}  {clean(path)}")
    if verdict.outcome.value != "clear":
        print(f"       {clean(verdict.reason)}")
    for match in verdict.matches:
        print(paint(f"       {clean(_match_line(match))}", "dim"))


def _match_line(match: Match) -> str:
    apart = f"{match.hasher}, {match.distance} bits apart"
    how = apart if match.profile else f"same {match.hasher}"
    view = f", {match.view}" if match.view not in ("", "as shown") else ""
    return f"{match.list} · {match.category} · entry {match.entry} · {how}{view}"


def _print_summary(count: int, found: Counter[str]) -> None:
    parts = [f"{found[action]} {action}" for action in ("send", "warn", "block") if found[action]]
    files = "1 file" if count == 1 else f"{count} files"
    says = ", ".join(parts) or "nothing to screen"
    print(f"{files}: {says}. Checked on this device; doorsill sends nothing.")


# ---- --explain


def _explained(gate: Gate, reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield each view with its hashes and what is nearest to it in every list."""
    for view in reading.views:
        yield {
            "view": view.label,
            "hashes": [
                {
                    "hasher": "pdq",
                    "profile": profile,
                    "hash": view.pdq.hash(profile).hex(),
                    "quality": view.pdq.quality(profile),
                }
                for profile in ("full", "cpp512")
            ],
            "codes": [{"model": model.hex(), "hash": code.hex()} for model, code in view.codes],
            "nearest": [near for each in gate.lists for near in _nearest(each, view)],
        }


def _nearest(each: HashList, view: HashedView) -> Iterator[dict[str, Any]]:
    """Yield, for each section of a list, the rows nearest to a view, turned perhaps."""
    for index, hasher in enumerate(each.hashers):
        if hasher.model:
            queries = [("", 0, code) for model, code in view.codes if model.hex() == hasher.model]
        else:
            profiles = ("full", "cpp512") if hasher.profile == "unknown" else (hasher.profile,)
            queries = [(profile, turn, view.pdq.hash(profile, turn))
                       for profile in profiles for turn in range(8)]  # fmt: skip
        radius = max(_RADIUS * hasher.width // 256, hasher.limit)
        hits = sorted(
            (distance, turn, profile, entry)
            for profile, turn, query in queries
            for distance, _, entry in each.handle.search(index, query, radius, _NEAREST)
        )
        for distance, turn, profile, entry in hits[:_NEAREST]:
            yield {
                "list": each.name,
                "section": index,
                "hasher": hasher.name,
                "entry": each.entry(entry).id,
                "profile": profile,
                "orientation": turn,
                "distance": distance,
                "limit": hasher.limit,
            }


def _print_explained(gate: Gate, reading: Reading, verdict: Verdict) -> None:
    for view in _explained(gate, reading):
        print(f"       view: {clean(view['view'])}")
        for made in view["hashes"]:
            print(f"         pdq {made['profile']:<6} {made['hash']}  quality {made['quality']}")
        for near in view["nearest"]:
            turned = f", orientation {near['orientation']}" if near["orientation"] else ""
            how = near["profile"] or near["hasher"]
            where = f"entry {near['entry']} in {clean(near['list'])} ({how}{turned})"
            print(f"         {near['distance']:3} bits of {near['limit']} allowed: {where}")
        if not view["nearest"]:
            print(f"         no entry within {_RADIUS} bits")
    for name, value in zip(("sha256", "sha1", "md5"), *reading.digests[:1], strict=False):
        print(f"       {name:<6} {value.hex()}")
    for part in reading.unread:
        print(f"       not read: {clean(part)}")
    print(f"       rule: {clean(verdict.reason)}")
    evidence = verdict.evidence.value.replace("_", " ")
    print(f"       action: {verdict.action.value}, evidence: {evidence}")
