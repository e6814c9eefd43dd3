"""Distances, the tail of unrelated ones, limits, bounds: the arithmetic of the report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint8]
    Counts = NDArray[np.int64]

ENOUGH = 10
"""Pairs that must lie at or below a distance before its share counts as measured."""


def distances(queries: Codes, entries: Codes) -> NDArray[np.uint16]:
    """Return the distance of the nearest view of each query to each entry.

    Args:
        queries: (q, views, bytes).
        entries: (n, bytes).
    """
    words = queries.view(np.uint64), entries.view(np.uint64)
    best = np.full((len(queries), len(entries)), 65535, np.uint16)
    for view in range(queries.shape[1]):
        total = np.zeros(best.shape, np.uint16)
        for word in range(words[1].shape[1]):
            differ = words[0][:, view, word, None] ^ words[1][None, :, word]
            total += np.bitwise_count(differ)
        np.minimum(best, total, out=best)
    return best


@dataclass
class Tail:
    """The distances of unrelated pairs: counts at each distance, and a line through their tail.

    The line is fitted to log10 of the share at or below a distance, over the two lowest decades in
    which at least `ENOUGH` pairs lie. Such a curve bends downwards (a normal distribution's does), so the line
    errs on the side of too many; two modes or near-duplicates among the pairs would break that, and the
    plot shows it.
    """

    counts: Counts

    def __post_init__(self) -> None:
        self.pairs = int(self.counts.sum())
        below = np.cumsum(self.counts)
        known = np.flatnonzero(below >= ENOUGH)
        share = np.log10(np.maximum(below, 1) / max(1, self.pairs))
        used = known[(share[known] <= share[known[0]] + 2) & (share[known] < -1)] if len(known) else known
        if len(used) < 3:  # noqa: PLR2004 - too few for a line: say nothing optimistic
            used = np.arange(3)
            share = np.zeros(max(3, len(share)))
        self.slope, self.offset = (float(v) for v in np.polyfit(used, share[used], 1))
        self.first = int(used[0])
        self.below = below

    def share(self, distance: int) -> tuple[float, bool]:
        """Return the share of unrelated pairs at or below a distance, and whether it was measured."""
        if distance < 0:
            return 0.0, True
        at = min(distance, len(self.below) - 1)
        if self.below[at] >= ENOUGH:
            return float(self.below[at] / self.pairs), True
        return 10 ** (self.slope * distance + self.offset), False

    def limit(self, share: float) -> tuple[int, bool]:
        """Return the greatest distance that at most that share of pairs reaches; -1 for none."""
        best, measured = -1, True
        for distance in range(len(self.below)):
            found, sure = self.share(distance)
            if found > share:
                break
            best, measured = distance, sure
        # Where the next distance was measured and this one was not, it lies between: say so.
        return best, measured


def upper(found: int, of: int) -> float:
    """Return the bound that a rate keeps at 95 %: 3 / n for none found (Poisson, one-sided)."""
    if not of:
        return 1.0
    low, high = 0.0, found + 10 + 5 * math.sqrt(found + 1)
    for _ in range(60):
        mean = (low + high) / 2
        term = total = math.exp(-mean)
        for k in range(1, found + 1):
            term *= mean / k
            total += term
        low, high = (mean, high) if total > 0.05 else (low, mean)  # noqa: PLR2004 - 95 %
    return min(1.0, high / of)


def histogram(values: NDArray[np.uint16], bits: int) -> Counts:
    """Return how often each distance 0..bits occurs."""
    return np.bincount(values.ravel(), minlength=bits + 1)[: bits + 1].astype(np.int64)


def quantiles(values: NDArray[np.uint16]) -> list[int]:
    """Return the 1st, 10th, 50th, 90th and 99th percentile."""
    return [int(v) for v in np.percentile(values, (1, 10, 50, 90, 99))] if len(values) else []
