"""Which tool made a publisher's rows, told by some of the originals."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from doorsill.core import PROFILES, ListHandle
from doorsill.publish.rows import PDQ_BYTES
from doorsill.publish.sections import ID_BYTES
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorsill.publish.rows import Row

_SAME = 2  # bits that another decoder's rounding moves
_NEAR = 31
_WIDEST = 64  # the core searches no farther
_FAR = _WIDEST + 1
_PORTION = 500_000  # rows, 40 MB with what it takes to search them


@dataclass
class Probe:
    """What was found about the originals.

    Attributes:
        originals: With a PDQ hash that says enough (quality 50 or more).
        found: Of them, how many have a row within 31 bits in either profile.
        alike: Originals for which both profiles give one hash: they tell nothing.
        nearest: By profile: distances to the nearest row, of those found and not alike.
    """

    originals: int = 0
    found: int = 0
    alike: int = 0
    nearest: dict[str, list[int]] = field(default_factory=lambda: {each: [] for each in PROFILES})

    def exact(self, profile: str) -> int:
        """Return how many were found within 2 bits, which is what another decoder may move."""
        return sum(each <= _SAME for each in self.nearest[profile])

    def median(self, profile: str) -> int:
        """Return the median distance, 0 where there is none."""
        far = sorted(self.nearest[profile])
        return far[len(far) // 2] if far else 0

    @property
    def profile(self) -> str:
        """The profile that made them, "unknown" where neither explains nine of ten."""
        told = len(self.nearest[PROFILES[0]])
        best = max(PROFILES, key=self.exact)
        return best if told and 10 * self.exact(best) >= 9 * told else "unknown"

    def histogram(self, profile: str) -> dict[int, int]:
        """Return how many originals there are by distance."""
        return dict(sorted(Counter(self.nearest[profile]).items()))


def probe(rows: Iterable[Row], originals: Iterable[Row], least: int = 50) -> Probe:
    """Search rows for originals that were hashed in both profiles here.

    Memory grows with the originals; rows are searched in portions.
    """
    hashed = [hashes for row in originals if (hashes := _both(row, least))]
    nearest = [dict.fromkeys(PROFILES, _FAR) for _ in hashed]
    for portion in _portions(rows):
        for best, own in zip(nearest, hashed, strict=True):
            for profile in PROFILES:
                if hits := portion.search(0, own[profile], _WIDEST, capacity=1):
                    best[profile] = min(best[profile], hits[0][0])
    found = Probe(originals=len(hashed))
    for best, own in zip(nearest, hashed, strict=True):
        if min(best.values()) > _NEAR:
            continue
        found.found += 1
        if own["full"] == own["cpp512"]:
            found.alike += 1
            continue
        for profile in PROFILES:
            found.nearest[profile].append(best[profile])
    return found


def _both(row: Row, least: int) -> dict[str, bytes]:
    """Return a row's hash in each profile, nothing if one is missing or says too little."""
    hashes = {profile: value for profile, value, quality in row.hashes if quality >= least}
    return hashes if set(PROFILES) <= hashes.keys() else {}


def _portions(rows: Iterable[Row]) -> Iterator[ListHandle]:
    """Yield lists of rows' hashes, for the core to search."""
    values = (value for row in rows for _, value, _ in row.hashes)
    while hashes := bytearray().join(islice(values, _PORTION)):
        count = len(hashes) // PDQ_BYTES
        contents = Contents(classes=[(0, 0, 1)], entry_classes=array("H", bytes(2 * count)),
                            entry_ids=bytearray(ID_BYTES * count))  # fmt: skip
        contents.hashers = [
            HasherRows("pdq", "full", hashes=hashes, entries=array("I", range(count)))
        ]
        yield ListHandle(list_bytes(contents))
