"""Distances, the tail of unrelated ones, limits, bounds: the arithmetic of the report."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint8]
    Counts = NDArray[np.int64]

ENOUGH = 10
"""Pairs of photos that must lie at or below a distance before its share counts as measured."""

_TOO_NEAR = 0.05  # shares above this are the middle of the distribution, not its tail
_POINTS = 3  # distances that a line needs
_DOUBT = 0.05  # that a bound does not hold


def distances(queries: Codes, entries: Codes) -> NDArray[np.uint16]:
    """Return the distance of the nearest view of each query to the nearest hash of each entry.

    Args:
        queries: (q, views, bytes).
        entries: (n, hashes, bytes).
    """
    words = queries.view(np.uint64), entries.view(np.uint64)
    best = np.full((len(queries), len(entries)), 65535, np.uint16)
    for view, which in itertools.product(range(queries.shape[1]), range(entries.shape[1])):
        total = np.zeros(best.shape, np.uint16)
        for word in range(words[1].shape[2]):
            differ = words[0][:, view, word, None] ^ words[1][None, :, which, word]
            total += np.bitwise_count(differ)
        np.minimum(best, total, out=best)
    return best


@dataclass
class Tail:
    """The distances of unrelated pairs: counts at each distance, and two lines through their tail.

    Both are fitted over the two lowest decades in which at least `ENOUGH` pairs lie. `normal`
    supposes a normal distribution's tail (the quantile of the share is linear in the distance); it
    gives the limits. `straight` supposes that log10 of the share is linear; as the curve bends
    downwards, it errs on the side of too many, and says how much hangs on the fit. Near-duplicates
    among the pairs would bend both, and the plot shows it.

    Attributes:
        counts: Of edited photos and entries.
        photos: Of photos and entries, each pair at its nearest edit: twenty edits of one photo are
            no twenty witnesses. None: each pair of `counts` is one of its own.
    """

    counts: Counts
    photos: Counts | None = None

    def __post_init__(self) -> None:
        self.pairs = int(self.counts.sum())
        self.below = np.cumsum(self.counts)
        self.enough = np.cumsum(self.counts if self.photos is None else self.photos) >= ENOUGH
        shares = self.below / max(1, self.pairs)
        known = np.flatnonzero(self.enough & (shares < _TOO_NEAR))
        used = known[shares[known] <= 100 * shares[known[0]]] if len(known) else known
        self.first = int(used[0]) if len(used) else 0
        # Too few points for a line: say nothing optimistic, every share is 1.
        self.straight, self.normal = (0.0, 0.0), (0.0, 9.0)
        if len(used) >= _POINTS:
            quantile = [NormalDist().inv_cdf(float(share)) for share in shares[used]]
            self.straight = _line(used, np.log10(shares[used]))
            self.normal = _line(used, np.array(quantile))

    def share(self, distance: int, *, pessimistic: bool = False) -> tuple[float, bool]:
        """Return the share of pairs at or below a distance, and whether it was measured."""
        if distance < 0:
            return 0.0, True
        at = min(distance, len(self.below) - 1)
        if self.enough[at]:
            return float(self.below[at] / self.pairs), True
        if pessimistic:
            return float(min(1.0, 10 ** (self.straight[0] * distance + self.straight[1]))), False
        return NormalDist().cdf(self.normal[0] * distance + self.normal[1]), False

    def limit(self, share: float, *, pessimistic: bool = False) -> tuple[int, bool]:
        """Return the greatest distance that at most that share reaches; whether it was measured.

        -1 for none.
        """
        best, measured = -1, False
        for distance in range(len(self.below)):
            found, sure = self.share(distance, pessimistic=pessimistic)
            if found > share:
                return best, measured or (sure and share * self.pairs >= ENOUGH)
            best, measured = distance, sure
        return best, measured


def _line(x: NDArray[Any], y: NDArray[Any]) -> tuple[float, float]:
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset)


def upper(found: int, of: int) -> float:
    """Return the bound that a rate keeps at 95 %: 3 / n for none found (Poisson, one-sided)."""
    if not of:
        return 1.0
    low, high = float(found), found + 10 + 5 * math.sqrt(found + 1)
    k = np.arange(found + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, found + 1)))])
    for _ in range(60):
        mean = (low + high) / 2
        # In logarithms: from 745 on e^-mean alone is nothing.
        total = np.exp(k * math.log(mean) - mean - factorials).sum()
        low, high = (mean, high) if total > _DOUBT else (low, mean)
    return min(1.0, high / of)


def histogram(values: NDArray[Any], bits: int) -> Counts:
    """Return how often each distance 0..bits occurs."""
    return np.bincount(values.ravel(), minlength=bits + 1)[: bits + 1].astype(np.int64)


def quantiles(values: NDArray[Any]) -> list[int]:
    """Return the 1st, 10th, 50th, 90th and 99th percentile."""
    return [int(v) for v in np.percentile(values, (1, 10, 50, 90, 99))] if len(values) else []
