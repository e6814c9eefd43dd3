"""Mutated files, all the way: each gets one verdict, soon, and the host notices nothing."""

from __future__ import annotations

import time
from collections import Counter

import pytest

import mutations
from doorsill import Verdict
from workers import EXAMPLES, LONG, needs_cage, opened, peak, workers

COUNT = 2 * EXAMPLES  # files of each kind
FIRST = time.time_ns() if LONG else 0  # other files each time in .ci/full
LATEST = 5.0  # seconds
MOST = 512_000_000  # bytes of a worker


@pytest.mark.parametrize("kind", mutations.KINDS)
def test_the_mutator(kind: str) -> None:
    """It gives the same file again, hardly ever the one that it began with, and knows parts."""
    files = [mutations.mutated(kind, seed) for seed in range(100)]
    assert files == [mutations.mutated(kind, seed) for seed in range(100)]
    assert len(set(files) - set(mutations.seeds(kind))) > 90
    for seed in mutations.seeds(kind):
        found = mutations.parts(kind, seed)
        assert len(found) > 5
        assert max(part.end for part in found) >= 0.9 * len(seed) or kind in ("JPEG", "TIFF")


@needs_cage
@pytest.mark.parametrize("kind", mutations.KINDS)
def test_mutated_files(kind: str) -> None:
    """One verdict for each file, within 5 s, from workers that stay under 512 MB."""
    outcomes: Counter[str] = Counter()
    deadly = []
    slowest, most, at = 0.0, 0, 0
    with opened() as gate:
        for seed in range(FIRST, FIRST + COUNT):
            data = mutations.mutated(kind, seed)
            start = time.monotonic()
            verdict = gate.screen(data)
            took = time.monotonic() - start
            assert isinstance(verdict, Verdict)
            assert took < LATEST, (kind, seed)
            if took > slowest:
                slowest, at = took, seed
            outcomes[verdict.outcome.value] += 1
            if "crash" in verdict.reason:
                deadly.append(seed)
            most = max([most, *(peak(pid) for pid in workers(gate))])
    print(f"{kind} from {FIRST}: {dict(outcomes)}, slowest {slowest:.2f} s ({at}), "
          f"a worker's most {most / 1e6:.0f} MB")  # fmt: skip
    assert sum(outcomes.values()) == COUNT
    assert most < MOST
    assert deadly == []  # it is contained, and worth a look all the same
