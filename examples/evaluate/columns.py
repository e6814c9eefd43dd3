"""What hashers make of photos and their edits, and how near those come to each other."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from measure import Tail, distances, histogram, upper

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edits import Edit
    from hashers import Hashed, Hasher
    from numpy.typing import NDArray
    from photos import Photo
    from PIL import Image

    from doorsill.core import CoreView

NONE = 65535
"""A distance where a photo has no hash that counts."""

FILL = 60
"""Photos at the end of each set that are no entries: what collages are filled with. Their folders
have no entries, or a collage would come near its filling's own twin."""

_STEP = 64  # queries whose distances are in memory at once


@dataclass
class Column:
    """What one hasher makes of one set of photos."""

    originals: NDArray[np.uint8]  # (n, hashes, bytes): as a list would hold them
    good: NDArray[np.bool_]  # (n): which of them a publisher would list
    edited: dict[str, list[Hashed]] = field(default_factory=dict)
    views: dict[str, list[list[CoreView]]] = field(default_factory=dict)  # as the SDK reads them
    seconds: list[float] = field(default_factory=list)


def hash_all(hasher: Hasher, column: Column, images: Iterable[Image.Image]) -> list[Hashed]:
    """Return the codes of images, timed."""
    found = []
    for image in images:
        begun = time.perf_counter()
        found.append(hasher(image))
        column.seconds.append(time.perf_counter() - begun)
    return found


def set_of(found: Sequence[Photo], originals: int) -> list[Photo]:
    """Return so many photos for entries, fewer if there are not enough, then `FILL` others."""
    numbers = folder_numbers(found)
    filling: list[int] = []
    for number in dict.fromkeys(numbers[::-1].tolist()):
        if len(filling) >= FILL:
            break
        filling += np.flatnonzero(numbers == number).tolist()
    if len(found) <= FILL:
        raise SystemExit(f"{len(found)} photos are too few: {FILL} are put aside to fill collages")
    aside = set(filling)
    entries = [photo for index, photo in enumerate(found) if index not in aside]
    return entries[:originals] + [found[index] for index in filling[:FILL]]


def partners(found: Sequence[Photo], index: int) -> list[Image.Image]:
    """Return what a photo of a set is put beside in a collage."""
    return [found[-1 - (3 * index + k) % FILL].open() for k in range(3)]


def hash_set(
    hashers: Sequence[Hasher],
    found: Sequence[Photo],
    queries: int,
    edits: Sequence[Edit],
    seed: int,
) -> list[Column]:
    """Return what each hasher makes of the photos, and of the edits of the first so many.

    The last `FILL` photos are no entries.
    """
    columns = [Column(np.empty(0, np.uint8), np.empty(0, bool)) for _ in hashers]
    plain: list[list[Hashed]] = [[] for _ in hashers]
    listed: list[list[NDArray[np.uint8]]] = [[] for _ in hashers]
    for index, photo in enumerate(found[:-FILL]):
        image = photo.open()
        for each, codes, hasher, column in zip(plain, listed, hashers, columns, strict=True):
            each.extend(hash_all(hasher, column, [image]))
            codes.append(hasher.listed(image))
        if index < queries:
            others = partners(found, index)
            for edit in edits:
                edited = edit(image, f"{seed}/{photo.name}", others)
                for hasher, column in zip(hashers, columns, strict=True):
                    column.edited.setdefault(edit.name, []).extend(
                        hash_all(hasher, column, [edited])
                    )
                    if read := hasher.read(edited):
                        column.views.setdefault(edit.name, []).append(read)
        if index % 50 == 49:
            print(f"  {index + 1} of {len(found) - FILL} photos", file=sys.stderr, flush=True)
    for column, each, codes in zip(columns, plain, listed, strict=True):
        column.originals = np.stack(codes)
        column.good = np.array([hashed.good for hashed in each])
    return columns


def strangers(
    column: Column, folders: NDArray[np.int64], bits: int
) -> tuple[Tail, Tail, list[Any], Nearest]:
    """Return the distances of edited photos to others: unrelated, look-alikes, and the nearest.

    Look-alikes share a folder. The nearest are (distance, edit, query, other), unrelated ones; last
    comes how near each query gets.
    """
    unrelated, alike = np.zeros(bits + 1, np.int64), np.zeros(bits + 1, np.int64)
    nearest: list[tuple[int, str, int, int]] = []
    found: list[tuple[NDArray[Any], ...]] = []
    entries = np.flatnonzero(column.good)
    photos = max(len(hashed) for hashed in column.edited.values())
    pairs = np.full((photos, len(entries)), NONE, np.uint16)  # at their nearest edits
    for edit, hashed in column.edited.items():
        who = np.array([i for i, each in enumerate(hashed) if each.good], np.int64)
        for at in range(0, len(who), _STEP):
            part = who[at : at + _STEP]
            d = distances(np.stack([hashed[i].codes for i in part]), column.originals[entries])
            same = folders[part][:, None] == folders[entries][None]
            others = same & (part[:, None] != entries[None])
            alike += histogram(d[others], bits)
            unrelated += histogram(d[~same], bits)
            of_alike = np.where(others, d, NONE).min(1)
            d[same] = NONE
            found.append((part, d.min(1), of_alike))
            pairs[part] = np.minimum(pairs[part], d)
            best = d.argmin(1)
            nearest += [
                (int(d[i, b]), edit, int(part[i]), int(entries[b])) for i, b in enumerate(best)
            ]
    of_photos = histogram(pairs[pairs < NONE], bits)
    near = Nearest(len(entries), *(np.concatenate(each) for each in zip(*found, strict=True)))
    return Tail(unrelated, of_photos), Tail(alike), sorted(nearest)[:400], near


def own(column: Column, edit: str) -> NDArray[np.uint16]:
    """Return the distance of each edited photo to its own original; NONE where nothing counts."""
    found = [
        int(distances(hashed.codes[None], column.originals[i : i + 1])[0, 0])
        if hashed.good and column.good[i]
        else NONE
        for i, hashed in enumerate(column.edited[edit])
    ]
    return np.array(found, np.uint16)


class Nearest(NamedTuple):
    """How near edited photos come to entries that are not theirs, each array (queries,)."""

    entries: int
    photos: NDArray[np.int64]  # which photo was edited
    strangers: NDArray[np.uint16]  # the distance of the nearest entry of another folder
    alike: NDArray[np.uint16]  # of the nearest other one of its own folder; NONE if there is none

    def within(self, limit: int) -> dict[str, Any]:
        """Return how many come within a limit: of strangers (`hits`), of look-alikes.

        The bound is on the share of photos of which any edit meets a stranger: edits of one photo
        are not independent.
        """
        met = len(set(self.photos[self.strangers <= limit].tolist()))
        of = len(set(self.photos.tolist()))
        return {
            "entries": self.entries,
            "queries": len(self.photos),
            "hits": int((self.strangers <= limit).sum()),
            "alike_hits": int((self.alike <= limit).sum()),
            "photos": of,
            "photos_hit": met,
            "photos_at_most": upper(met, of),
        }


def folder_numbers(found: Sequence[Photo]) -> NDArray[np.int64]:
    """Return one number for each kind; photos of a source of one kind count each alone."""
    kinds = [photo.kind for photo in found]
    if len(set(kinds)) == 1:
        return np.arange(len(found))
    return np.unique(kinds, return_inverse=True)[1].astype(np.int64)
