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
    from collections.abc import Iterable, Sequence

    from columns import Column
    from numpy.typing import NDArray

_MODEL = bytes(range(32))  # any digest: both sides use the same
_ACTIONS = ("send", "warn", "block")
_MOST = 31  # PDQ's usual limit; a list allows at most 64, and the policy 31


def pair_rows(limits: Sequence[int], bits: int, name: str, model: bytes) -> list[HasherRows]:
    """Return empty rows of PDQ and of a neural hasher, limits as far as the core allows."""
    pdq, neural = max(0, min(_MOST, limits[0])), max(0, min(bits // 4, limits[1]))
    return [
        HasherRows("pdq", "full", limit=pdq, quality=50),
        HasherRows(name, "full", width=bits, limit=neural, quality=0, model=model),
    ]


def list_of(codes: Iterable[Sequence[bytes]], rows: list[HasherRows]) -> bytes:
    """Return a list with an entry for each tuple of hashes, one after the other for each hasher."""
    contents = Contents()
    for number, each in enumerate(codes):
        entry = contents.add_entry((0, 0, 1), number.to_bytes(6, "big"))
        for row, code in zip(rows, each, strict=True):
            row.hashes += code
            row.entries.extend([entry] * (8 * len(code) // row.width))
    contents.hashers = rows
    contents.texts = [(number, 0, "en", "evaluation") for number in range(3)]
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
    rows = pair_rows([result["limit"] for result in results], bits, "measured", _MODEL)
    codes = (
        [column.originals[n].tobytes() if column.good[n] else b"" for column in columns]
        for n in listed
    )
    handle = core.ListHandle(list_of(codes, rows))
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
        "neural_limit": rows[1].limit,
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
