"""What hashers make of photos and their edits, and how near those come to each other."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import Tail, distances, histogram, upper

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edits import Edit
    from hashers import Hashed, Hasher
    from numpy.typing import NDArray
    from photos import Photo
    from PIL import Image

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
        if index % 50 == 49:
            print(f"  {index + 1} of {len(found) - FILL} photos", file=sys.stderr, flush=True)
    for column, each, codes in zip(columns, plain, listed, strict=True):
        column.originals = np.stack(codes)
        column.good = np.array([hashed.good for hashed in each])
    return columns


def strangers(
    column: Column, folders: NDArray[np.int64], bits: int
) -> tuple[Tail, Tail, list[Any]]:
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
            d[same] = NONE
            best = d.argmin(1)
            nearest += [
                (int(d[i, b]), edit, int(part[i]), int(entries[b])) for i, b in enumerate(best)
            ]
    return Tail(unrelated), Tail(alike), sorted(nearest)[:400]


def own(column: Column, edit: str) -> NDArray[np.uint16]:
    """Return the distance of each edited photo to its own original; NONE where nothing counts."""
    found = [
        int(distances(hashed.codes[None], column.originals[i : i + 1])[0, 0])
        if hashed.good and column.good[i]
        else NONE
        for i, hashed in enumerate(column.edited[edit])
    ]
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
            d[folders[part][:, None] == folders[entries][None]] = NONE
            hits += int((d.min(1) <= limit).sum()) if limit >= 0 else 0
            of += len(part)
    return {"entries": len(entries), "queries": of, "hits": hits, "at_most": upper(hits, of)}


def folder_numbers(found: Sequence[Photo]) -> NDArray[np.int64]:
    """Return one number for each folder; photos of a source without folders count each alone.

    Folders whose names begin with the same word are one: `cougar_body` and `cougar_face` of
    caltech101 are cut from the same photos.
    """
    folders = [re.sub("_[^/]*$", "", photo.folder) for photo in found]
    if len(set(folders)) == 1:
        return np.arange(len(found))
    return np.unique(folders, return_inverse=True)[1].astype(np.int64)
