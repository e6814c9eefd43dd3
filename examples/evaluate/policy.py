"""The policy as a whole: what the SDK reads of edited photos, decided on a list of both hashes.

Three ways: as it comes; where the host lets AGREED block; and on a device without the model, where
PDQ is alone and blocks. As it comes a list with neural hashes never blocks by a hash.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hashers import GATE
from measure import upper

from doorsill import core
from doorsill.policy import Policy
from doorsill.publish.write import Contents, HasherRows, list_bytes
from doorsill.verdict import ACTIONS, Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from columns import Column
    from numpy.typing import NDArray

    from doorsill.neural import ModelFile

WAYS = {
    "as it comes": (Policy(), True),
    "agreed blocks": (Policy(agreed=Action.BLOCK), True),
    "no model": (Policy(), False),
}
"""The host's rules, and whether its device has the model."""


def pair_rows(file: ModelFile, entries: int) -> list[HasherRows]:
    """Return empty rows of PDQ and of a model in a list of so many entries, with their limits."""
    name, bits, limit = file.config.name, file.config.bits, file.config.limit(entries)
    return [
        HasherRows("pdq", "full", limit=Policy().pdq_limit, quality=GATE),
        HasherRows(name, "full", width=bits, limit=limit, quality=0, model=file.digest),
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
    pdq: Column, neural: Column, file: ModelFile, folders: NDArray[np.int64]
) -> dict[str, Any]:
    """Return how often each action follows, in each way: for known photos by edit, for others.

    Every other folder's photos are listed; queries from the other folders are unrelated, and the
    bound is on the share of those photos of which any edit is stopped.

    Args:
        pdq: What it makes of the photos, for the list.
        neural: Likewise, and what the SDK reads of their edits.
        file: The neural hasher's.
        folders: A number for the folder of each photo.
    """
    listed = np.flatnonzero(folders % 2 == 0)
    codes = (
        [column.originals[n].tobytes() if column.good[n] else b"" for column in (pdq, neural)]
        for n in listed
    )
    rows = pair_rows(file, len(listed))
    handle = core.ListHandle(list_of(codes, rows))
    told = {way: _acts(handle, neural, folders, way) for way in WAYS}
    return {"entries": len(listed), "neural_limit": rows[1].limit, "ways": told}


def _acts(
    handle: core.ListHandle, read: Column, folders: NDArray[np.int64], way: str
) -> dict[str, Any]:
    policy, coded = WAYS[way]
    known: dict[str, Counter[str]] = {}
    unrelated: Counter[str] = Counter()
    strangers, stopped = set[int](), set[int]()
    for name, pictures in read.views.items():
        known[name] = Counter()
        for index, views in enumerate(pictures):
            shown = views if coded else [replace(view, codes=()) for view in views]
            raw = core.screen([handle], shown, [], core.READ_WHOLE, policy)
            action = ACTIONS[raw.action]
            if folders[index] % 2 == 0:
                known[name][action.value] += 1
                continue
            unrelated[action.value] += 1
            strangers.add(index)
            if action != Action.SEND:
                stopped.add(index)
    return {
        "known": {
            name: {a.value: found[a.value] / max(1, found.total()) for a in ACTIONS}
            for name, found in known.items()
        },
        "unrelated": {
            **{a.value: unrelated[a.value] for a in ACTIONS},
            "photos": len(strangers),
            "photos_stopped": len(stopped),
            "photos_stopped_at_most": upper(len(stopped), len(strangers)),
        },
    }
