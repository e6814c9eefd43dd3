"""Measure hashers and the whole policy on edited photos, and write a report.

    python run.py --calibrate photos.zip:0/2 --test photos.zip:1/2 --out report --hasher pdq ...

Limits come from the calibration photos and their edits alone; recall and false positives from the
test photos. Writes `result.json`, `table.txt` and `report.html` into the folder.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from edits import EDITS, MAIN, Edit
from hashers import Hashed, named
from measure import Tail, distances, histogram, quantiles, upper
from photos import Photo, photos
from policy import weigh
from report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hashers import Hasher
    from numpy.typing import NDArray
    from PIL import Image

PAIR = 1e-6
"""Share of unrelated pairs at which hashers are compared."""

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_STEP = 64  # queries whose distances are in memory at once


@dataclass
class Column:
    """What one hasher makes of one set of photos."""

    originals: NDArray[np.uint8]  # (n, bytes): as a list would hold them
    good: NDArray[np.bool_]  # (n): which of them a publisher would list
    edited: dict[str, list[Hashed]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def hash_all(hasher: Hasher, column: Column, images: Iterable[Image.Image]) -> list[Hashed]:
    """Return the codes of images, timed."""
    found = []
    for image in images:
        begun = time.perf_counter()
        found.append(hasher(image))
        column.seconds.append(time.perf_counter() - begun)
    return found


def hash_set(hashers: Sequence[Hasher], found: Sequence[Photo], queries: int, edits: Sequence[Edit],
             seed: int) -> list[Column]:  # fmt: skip
    """Return what each hasher makes of the photos, and of the edits of the first so many."""
    columns = [Column(np.empty(0, np.uint8), np.empty(0, bool)) for _ in hashers]
    plain: list[list[Hashed]] = [[] for _ in hashers]
    for index, photo in enumerate(found):
        image = photo.open()
        for each, hasher, column in zip(plain, hashers, columns, strict=True):
            each += hash_all(hasher, column, [image])
        if index < queries:
            others = [found[(index + k) % len(found)].open() for k in (1, 2, 3)]
            for edit in edits:
                edited = edit(image, f"{seed}/{photo.name}", others)
                for hasher, column in zip(hashers, columns, strict=True):
                    column.edited.setdefault(edit.name, []).extend(hash_all(hasher, column, [edited]))
        if index % 50 == 49:  # noqa: PLR2004 - now and then
            print(f"  {index + 1} of {len(found)} photos", file=sys.stderr, flush=True)
    for column, each in zip(columns, plain, strict=True):
        column.originals = np.stack([hashed.codes[0] for hashed in each])
        column.good = np.array([hashed.good for hashed in each])
    return columns


def strangers(column: Column, folders: NDArray[np.int64], bits: int) -> tuple[Tail, Tail, list[Any]]:
    """Return the distances of edited photos to others: unrelated, look-alikes, and the nearest.

    Look-alikes share a folder. The nearest are (distance, edit, query, other), unrelated ones.
    """
    unrelated, alike = np.zeros(bits + 1, np.int64), np.zeros(bits + 1, np.int64)
    nearest: list[tuple[int, str, int, int]] = []
    entries = np.flatnonzero(column.good)
    for edit, hashed in column.edited.items():
        who = np.array([i for i, each in enumerate(hashed) if each.good], np.int64)
        for at in range(0, len(who), _STEP):
            part = who[at : at + _STEP]
            d = distances(np.stack([hashed[i].codes for i in part]), column.originals[entries])
            same = folders[part][:, None] == folders[entries][None]
            alike += histogram(d[same & (part[:, None] != entries[None])], bits)
            unrelated += histogram(d[~same], bits)
            d[same] = 65535
            best = d.argmin(1)
            nearest += [(int(d[i, b]), edit, int(part[i]), int(entries[b])) for i, b in enumerate(best)]
    return Tail(unrelated), Tail(alike), sorted(nearest)[:400]


def own(column: Column, edit: str) -> NDArray[np.uint16]:
    """Return the distance of each edited photo to its own original; 65535 where nothing counts."""
    found = [
        int(distances(hashed.codes[None], column.originals[i : i + 1])[0, 0])
        if hashed.good and column.good[i] else 65535
        for i, hashed in enumerate(column.edited[edit])
    ]  # fmt: skip
    return np.array(found, np.uint16)


def false_positives(column: Column, folders: NDArray[np.int64], limit: int) -> dict[str, Any]:
    """Return how many edited photos come within a limit of any unrelated entry."""
    entries = np.flatnonzero(column.good)
    hits = of = 0
    for hashed in column.edited.values():
        who = np.array([i for i, each in enumerate(hashed) if each.good], np.int64)
        for at in range(0, len(who), _STEP):
            part = who[at : at + _STEP]
            d = distances(np.stack([hashed[i].codes for i in part]), column.originals[entries])
            d[folders[part][:, None] == folders[entries][None]] = 65535
            hits += int((d.min(1) <= limit).sum()) if limit >= 0 else 0
            of += len(part)
    return {"entries": len(entries), "queries": of, "hits": hits, "at_most": upper(hits, of)}


def folder_numbers(found: Sequence[Photo]) -> NDArray[np.int64]:
    """Return one number for each folder; photos of a source without folders count each alone."""
    folders = [photo.folder for photo in found]
    if len(set(folders)) == 1:
        return np.arange(len(found))
    return np.unique(folders, return_inverse=True)[1].astype(np.int64)


def judge(hasher: Hasher, calibration: Column, test: Column, folders: tuple[NDArray[np.int64], ...],
          per_picture: float) -> dict[str, Any]:  # fmt: skip
    """Return everything measured of one hasher."""
    tail, _, _ = strangers(calibration, folders[0], hasher.bits)
    unrelated, alike, nearest = strangers(test, folders[1], hasher.bits)
    limit, measured = tail.limit(PAIR)
    by_size = {}
    for size in SIZES:
        at, sure = tail.limit(per_picture / size)
        by_size[str(size)] = {
            "limit": at, "measured": sure,
            "limit_pessimistic": tail.limit(per_picture / size, pessimistic=True)[0],
            "false_positive_per_picture_extrapolated": min(1.0, size * unrelated.share(at)[0]),
            "recall_main": float(np.mean([np.mean(own(test, e.name) <= at) if at >= 0 else 0 for e in MAIN
                                          if e.name in test.edited])),
        }  # fmt: skip
    edits = {}
    for name in test.edited:
        d = own(test, name)
        edits[name] = {"recall": float(np.mean(d <= limit)) if limit >= 0 else 0.0,
                       "distances": quantiles(d[d < 65535]),  # noqa: PLR2004 - no distance
                       "gated": float(np.mean(d == 65535))}  # noqa: PLR2004
    main = [edits[e.name]["recall"] for e in MAIN if e.name in edits]
    return {
        "bits": hasher.bits, "limit": limit, "limit_measured": measured,
        "calibration_pairs": tail.pairs, "test_pairs": unrelated.pairs,
        "test_share_at_limit": unrelated.share(limit),
        "recall_main": float(np.mean(main)), "edits": edits, "by_size": by_size,
        "false_positives": false_positives(test, folders[1], limit),
        "look_alikes": {"pairs": alike.pairs, "share_at_limit": alike.below[max(limit, 0)] / max(1, alike.pairs)},
        "originals_below_quality": float(1 - test.good.mean()),
        "milliseconds": float(1000 * np.median(test.seconds)),
        "curves": {"calibration": tail.counts.tolist(), "test": unrelated.counts.tolist(),
                   "alike": alike.counts.tolist(), "straight": tail.straight, "normal": tail.normal, "first": tail.first,
                   "own": histogram(np.concatenate([own(test, e.name) for e in MAIN if e.name in test.edited]),
                                    hasher.bits).tolist()},
        "nearest": nearest[:24],
    }  # fmt: skip


def either(test: Sequence[Column], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the recall of each edit where any of the hashers, each at its own limit, matches."""
    return {
        name: float(np.mean(np.any([own(column, name) <= result["limit"] if result["limit"] >= 0
                                    else np.zeros(len(column.edited[name]), bool)
                                    for column, result in zip(test, results, strict=True)], axis=0)))
        for name in test[0].edited
    }  # fmt: skip


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calibrate", required=True, help="folder or zip, or a part: photos.zip:0/2")
    parser.add_argument("--test", required=True, help="likewise; no photo of the other")
    parser.add_argument("--hasher", action="append", required=True, help="pdq, pdqhash, phash, whash or a config.json; the first is compared by the policy with the first model")
    parser.add_argument("--originals", type=int, default=2000, help="photos of each set that are entries")
    parser.add_argument("--queries", type=int, default=300, help="photos of each set that are edited")
    parser.add_argument("--edits", choices=("main", "all"), default="all")
    parser.add_argument("--per-picture", type=float, default=1e-4, help="false positives for a picture that limits by list size allow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("report"))
    return parser.parse_args()


def main() -> None:
    """Run it."""
    asked = arguments()
    hashers = [named(name) for name in asked.hasher]
    edits = EDITS if asked.edits == "all" else MAIN
    sets = [photos(spec, asked.seed)[: asked.originals] for spec in (asked.calibrate, asked.test)]
    if set(sets[0]) & set(sets[1]):
        raise SystemExit("calibration and test share photos: give parts, as photos.zip:0/2 and :1/2")
    print("calibration", file=sys.stderr)
    calibration = hash_set(hashers, sets[0], asked.queries, MAIN, asked.seed)
    print("test", file=sys.stderr)
    test = hash_set(hashers, sets[1], asked.queries, edits, asked.seed + 1)
    folders = folder_numbers(sets[0]), folder_numbers(sets[1])
    results = {h.name: judge(h, c, t, folders, asked.per_picture)
               for h, c, t in zip(hashers, calibration, test, strict=True)}  # fmt: skip
    result: dict[str, Any] = {
        "asked": {key: str(value) for key, value in vars(asked).items()},
        "machine": f"{platform.machine()} {platform.python_implementation()} {platform.python_version()}",
        "date": time.strftime("%Y-%m-%d"),
        "main": [e.name for e in MAIN], "hashers": results,
    }  # fmt: skip
    neural = [i for i, name in enumerate(asked.hasher) if name.endswith(".json")]
    if neural and asked.hasher[0] == "pdq":
        pair = [0, neural[0]]
        columns = [test[i] for i in pair]
        chosen = [results[hashers[i].name] for i in pair]
        merged = either(columns, chosen)
        result["either"] = {"edits": merged, "recall_main": float(np.mean([merged[e.name] for e in MAIN if e.name in merged]))}
        result["policy"] = weigh(columns, chosen, folders[1])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "result.json").write_text(json.dumps(result, indent=1, default=float))
    table = write_report(asked.out / "report.html", result, test, sets[1], asked.seed + 1)
    (asked.out / "table.txt").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
