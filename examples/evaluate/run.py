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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bars import bars
from columns import (
    FILL,
    NONE,
    Column,
    folder_numbers,
    hash_set,
    own,
    set_of,
    strangers,
)
from edits import CALIBRATING, EDITS, MAIN
from hashers import Checked, named
from measure import histogram, quantiles
from photos import photos
from policy import weigh
from report import write_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hashers import Hasher
    from numpy.typing import NDArray

PAIR = 1e-6
"""Share of unrelated pairs at which hashers are compared."""

SIZES = (1_000, 10_000, 100_000, 1_000_000)
"""Entries of lists."""


def judge(
    hasher: Hasher,
    calibration: Column,
    test: Column,
    folders: tuple[NDArray[np.int64], ...],
    per_picture: float,
) -> dict[str, Any]:
    """Return everything measured of one hasher."""
    tail, *_ = strangers(calibration, folders[0], hasher.bits)
    unrelated, alike, nearest, near = strangers(test, folders[1], hasher.bits)
    limit, measured = tail.limit(PAIR)
    mine = {name: own(test, name).astype(np.int64) for name in test.edited}
    main = np.concatenate([mine[e.name] for e in MAIN])

    def at_limit(most: int) -> dict[str, Any]:
        return {
            "recall_main": float(np.mean(main <= most)),
            "false_positives": near.within(most),
            "look_alikes": {
                "pairs": alike.pairs,
                "share_at_limit": alike.below[most] / max(1, alike.pairs) if most >= 0 else 0.0,
            },
        }

    by_size = {}
    for size in SIZES:
        at, sure = tail.limit(per_picture / size)
        shipped = hasher.shipped(size)
        by_size[str(size)] = {
            "shipped": None if shipped is None else {"limit": shipped} | at_limit(shipped),
            "limit": at,
            "measured": sure,
            "limit_pessimistic": tail.limit(per_picture / size, pessimistic=True)[0],
            "false_positive_per_picture_extrapolated": min(1.0, size * unrelated.share(at)[0]),
            "recall_main": float(np.mean(main <= at)),
        }
    edits = {
        name: {
            "recall": float(np.mean(d <= limit)),
            "distances": quantiles(d[d < NONE]),
            "gated": float(np.mean(d == NONE)),
        }
        for name, d in mine.items()
    }
    return {
        "bits": hasher.bits,
        "limit": limit,
        "limit_measured": measured,
        "calibration_pairs": tail.pairs,
        "test_pairs": unrelated.pairs,
        "test_share_at_limit": unrelated.share(limit),
        **at_limit(limit),
        "edits": edits,
        "by_size": by_size,
        "originals_below_quality": float(1 - test.good.mean()),
        "milliseconds": float(1000 * np.median(test.seconds)),
        "curves": {
            "calibration": tail.counts.tolist(),
            "test": unrelated.counts.tolist(),
            "alike": alike.counts.tolist(),
            "straight": tail.straight,
            "normal": tail.normal,
            "first": tail.first,
            "own": histogram(main, hasher.bits).tolist(),
        },
        "nearest": nearest[:24],
    }


def either(test: Sequence[Column], limits: Sequence[int]) -> dict[str, float]:
    """Return the recall of each edit where any of the hashers, each at its own limit, matches."""
    found = {}
    for name in test[0].edited:
        hits = np.zeros(len(test[0].edited[name]), bool)
        for column, limit in zip(test, limits, strict=True):
            hits |= own(column, name).astype(np.int64) <= limit
        found[name] = float(hits.mean())
    return found


def together(test: Sequence[Column], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what any of the hashers finds: edits, and the main ones at limits by list size.

    `shipped` are limits that the SDK itself sets, and what is found there.
    """

    def recall(limits: list[int]) -> dict[str, Any]:
        found = either(test, limits)
        return {"edits": found, "recall_main": float(np.mean([found[each.name] for each in MAIN]))}

    sizes = [[each["by_size"][str(size)] for each in results] for size in SIZES]
    return recall([each["limit"] for each in results]) | {
        "by_size": {
            str(size): recall([each["limit"] for each in at])["recall_main"]
            for size, at in zip(SIZES, sizes, strict=True)
        },
        "shipped": {
            str(size): recall([each["shipped"]["limit"] for each in at])
            for size, at in zip(SIZES, sizes, strict=True)
            if all(each["shipped"] for each in at)
        },
    }


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--calibrate", required=True, help="folder or zip, or a part: photos.zip:0/2"
    )
    parser.add_argument("--test", required=True, help="likewise; no photo of the other")
    parser.add_argument(
        "--hasher",
        action="append",
        required=True,
        help="pdq, pdqhash, phash, whash or a config.json; pdq first, for the policy",
    )
    parser.add_argument(
        "--originals", type=int, default=2000, help="photos of each set that are entries"
    )
    parser.add_argument(
        "--queries", type=int, default=300, help="photos of each set that are edited"
    )
    parser.add_argument("--edits", choices=("main", "all"), default="all")
    parser.add_argument(
        "--per-picture",
        type=float,
        default=1e-4,
        help="false positives for a picture that limits by list size allow",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("report"))
    return parser.parse_args()


def main() -> None:
    """Run it."""
    asked = arguments()
    hashers = [named(name) for name in asked.hasher]
    if len({hasher.name for hasher in hashers}) < len(hashers):
        raise SystemExit("two hashers have one name; give each config a name of its own")
    edits = EDITS if asked.edits == "all" else MAIN
    sets = [
        set_of(photos(spec, asked.seed), asked.originals) for spec in (asked.calibrate, asked.test)
    ]
    if set(sets[0]) & set(sets[1]):
        raise SystemExit(
            "calibration and test share photos: give parts, as photos.zip:0/2 and :1/2"
        )
    print("calibration", file=sys.stderr)
    calibration = hash_set(hashers, sets[0], asked.queries, CALIBRATING, asked.seed)
    print("test", file=sys.stderr)
    test = hash_set(hashers, sets[1], asked.queries, edits, asked.seed + 1)
    folders = folder_numbers(sets[0][:-FILL]), folder_numbers(sets[1][:-FILL])
    results = {
        h.name: judge(h, c, t, folders, asked.per_picture)
        for h, c, t in zip(hashers, calibration, test, strict=True)
    }
    result: dict[str, Any] = {
        "asked": {key: str(value) for key, value in vars(asked).items()},
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": time.strftime("%Y-%m-%d"),
        "main": [e.name for e in MAIN],
        "hashers": results,
    }
    neural = [i for i, name in enumerate(asked.hasher) if name.endswith(".json")]
    if neural and asked.hasher[0].startswith("pdq"):
        # PDQ as the SDK asks it, of parts too, where that is among them.
        pair = [asked.hasher.index("pdq+parts") if "pdq+parts" in asked.hasher else 0, neural[0]]
        columns = [test[i] for i in pair]
        chosen = [results[hashers[i].name] for i in pair]
        result["either"] = together(columns, chosen)
        if isinstance(model := hashers[neural[0]], Checked):
            result["policy"] = weigh(columns[0], columns[1], model.file, folders[1])
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "result.json").write_text(json.dumps(result, indent=1, default=float))
    table = write_report(asked.out / "report.html", result, test, sets[1], asked.seed + 1)
    (asked.out / "table.txt").write_text(table)
    (asked.out / "recall.svg").write_text(bars(result, result["main"]))
    print(table)


if __name__ == "__main__":
    main()
