"""The policy as a whole: edited photos screened by the C core against a list of both hashes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import upper

from doorsill import core
from doorsill.policy import Policy
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from columns import Column
    from numpy.typing import NDArray

_MODEL = bytes(range(32))  # any digest: both sides use the same
_ACTIONS = ("send", "warn", "block")
_MOST = 31  # PDQ's usual limit; a list allows at most 64, and the policy 31


def _list(
    columns: Sequence[Column], limits: Sequence[int], entries: NDArray[np.int64], bits: int
) -> bytes:
    contents = Contents()
    rows = (
        HasherRows("pdq", "full", limit=max(0, min(_MOST, limits[0])), quality=50),
        HasherRows(
            "measured",
            "full",
            width=bits,
            limit=max(0, min(bits // 4, limits[1])),
            quality=0,
            model=_MODEL,
        ),
    )
    for index in entries:
        entry = contents.add_entry((0, 0, 1), int(index).to_bytes(6, "big"))
        for each, column in zip(rows, columns, strict=True):
            if column.good[index]:
                each.hashes += column.originals[index].tobytes()
                each.entries.append(entry)
    contents.hashers = list(rows)
    contents.texts = [
        (0, 0, "en", "evaluation"),
        (1, 0, "en", "evaluation"),
        (2, 0, "en", "photos"),
    ]
    return list_bytes(contents)


def weigh(
    columns: Sequence[Column], results: Sequence[dict[str, Any]], folders: NDArray[np.int64]
) -> dict[str, Any]:
    """Return how often each action follows, for known photos by edit and for unrelated ones.

    Every other folder's photos are listed; queries from the other folders are unrelated. The neural
    limit is the calibrated one, or a quarter of the width, which the core allows at most.
    """
    bits = results[1]["bits"]
    listed = np.flatnonzero(folders % 2 == 0)
    handle = core.ListHandle(_list(columns, [r["limit"] for r in results], listed, bits))
    policy = Policy()
    known: dict[str, Counter[str]] = {}
    unrelated: Counter[str] = Counter()
    for name, hashed in columns[0].edited.items():
        known[name] = Counter()
        for index, (pdq, neural) in enumerate(zip(hashed, columns[1].edited[name], strict=True)):
            quality = 100 if pdq.good else 0
            raw = pdq.codes.tobytes() * 2 + bytes((quality, quality))
            view = core.CoreView(core.Pdq(raw), ((_MODEL, neural.codes[0].tobytes()),))
            action = _ACTIONS[core.screen([handle], [view], [], core.READ_WHOLE, policy).action]
            (known[name] if folders[index] % 2 == 0 else unrelated)[action] += 1
    of = unrelated.total()
    return {
        "entries": len(listed),
        "neural_limit": max(0, min(bits // 4, results[1]["limit"])),
        "known": {
            name: {a: found[a] / max(1, found.total()) for a in _ACTIONS}
            for name, found in known.items()
        },
        "unrelated": {
            "queries": of,
            **{a: unrelated[a] for a in _ACTIONS},
            "block_at_most": upper(unrelated["block"], of),
        },
    }
