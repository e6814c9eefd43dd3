"""A million hashes and ten, one thread, against faiss and usearch: python examples/bench_search.py.

Before anything is timed, 1,000 queries (100 of ten million) at exactly distance 30 and 32 from a
row, and queries near nothing, are answered by doorsill and by brute force in numpy, and compared
row by row.
"""

from __future__ import annotations

import sys
import tempfile
from array import array
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from side_by_side import peer, race
from tables import Goals, Row, against, main

from doorsill import HashList, Trust, core
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

RADIUS = 31
MILLION = 1_000_000
ONCE: dict[str, Goals] = {
    "avx512": {"must": 5, "aim": 6},
    "avx2": {"must": 2.5, "aim": 3.3},
}  # by kernel
TEN_MILLION: Goals = {"must": 2, "aim": 2.4}


def build(hashes: Any) -> bytes:
    """Return a list file with one entry for each hash."""
    rows = HasherRows("pdq", "full", hashes=bytearray(hashes.tobytes()),
                      entries=array("I", range(len(hashes))))  # fmt: skip
    return list_bytes(Contents(classes=[(0, 0, 1)], hashers=[rows],
                               entry_classes=array("H", bytes(2 * len(hashes))),
                               entry_ids=bytearray(6 * len(hashes))))  # fmt: skip


def moved(random: Any, value: Any, bits: int) -> Any:
    """Return a hash with exactly that many bits changed."""
    mask = np.zeros(256, np.uint8)
    mask[random.choice(256, bits, replace=False)] = 1
    return value ^ np.packbits(mask)


def brute_force(hashes: Any, query: Any, radius: int) -> list[tuple[int, int]]:
    """Return (distance, row) of every row within the radius, by the plainest means."""
    different = np.bitwise_xor(hashes.view(np.uint64), query.view(np.uint64))
    bits = (
        np.unpackbits(different.view(np.uint8), axis=1)
        if not hasattr(np, "bitwise_count")
        else None
    )
    far = np.bitwise_count(different).sum(axis=1) if bits is None else bits.sum(axis=1)
    near = np.flatnonzero(far <= radius)
    return sorted((int(far[row]), int(row)) for row in near)


def check(handle: Any, hashes: Any, random: Any, count: int = 1000) -> int:
    """Return how many of the queries got another answer than brute force gives."""
    wrong = 0
    for turn in range(count):
        near = hashes[random.integers(len(hashes))]
        query = moved(random, near, (30, 32)[turn % 2]) if turn % 10 else random.bytes(32)
        query = np.frombuffer(bytes(query), np.uint8)
        for radius in (RADIUS, 32):
            found = [(d, row) for d, row, _ in handle.search(0, query.tobytes(), radius)]
            wrong += found != brute_force(hashes, query, radius)
    return wrong


def opened(hashes: Any) -> Any:
    """Return an open list of these hashes, from a file as hosts have it: in huge pages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.dsl"
        path.write_bytes(build(hashes))
        return HashList.open(path, Trust.none()).handle


def checked(hashes: Any, random: Any) -> Any:
    """Return an open list of these hashes whose answers are right."""
    handle = opened(hashes)
    wrong = check(handle, hashes, random, MILLION * 1000 // len(hashes))
    if wrong:
        sys.exit(f"WRONG: {wrong} of the queries get another answer than brute force gives")
    return handle


def flat(hashes: Any) -> Any:
    """Return faiss's index of these hashes, None without faiss."""
    faiss = peer("faiss")
    if faiss is None:
        return None
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(hashes)
    return index


def searches(rows: int, random: Any) -> Iterator[Row]:
    """Yield what one query takes, matching or not, caches full of its data or not."""
    hashes = random.integers(0, 256, (rows, 32), dtype=np.uint8)
    handle, index = checked(hashes, random), flat(hashes)
    queries = {
        "no match": random.integers(0, 256, 32, dtype=np.uint8),
        "a match": moved(random, hashes[rows // 2], 30),
    }
    few = rows <= MILLION
    goals = ONCE.get(core.kernel(), {}) if few else TEN_MILLION
    for name, query in queries.items():
        runners = {
            "doorsill": partial(handle.search, 0, query.tobytes(), RADIUS),
            "faiss IndexBinaryFlat": index and partial(index.search, query.reshape(1, 32), 1),
        }
        what = f"search {rows // MILLION} million, {name}"
        again = race(what, runners, rounds=9 if few else 2, in_turn=False)
        yield from against(what, again, goals)
        if few:
            what += ", caches full of the other's data"
            yield from against(what, race(what, runners, rounds=51))
    if few:
        yield from at_once(handle, index, hashes, random)


def at_once(handle: Any, index: Any, hashes: Any, random: Any) -> Iterator[Row]:
    """Yield what several queries in one pass take, and a scan by a library without an index."""
    many = random.integers(0, 256, (16, 32), dtype=np.uint8)
    what = "one picture in eight orientations, a million"
    times = race(what, {
        "doorsill": partial(handle.search, 0, many[:8].tobytes(), RADIUS),
        "faiss IndexBinaryFlat": index and partial(index.search, many[:8], 1),
    }, rounds=15)  # fmt: skip
    yield from against(what, times)
    what = "16 hashes in one pass over a million"
    times = race(what, {
        "doorsill": partial(handle.search, 0, many.tobytes(), RADIUS),
        "16 searches": lambda: [handle.search(0, each.tobytes(), RADIUS) for each in many],
    }, rounds=15)  # fmt: skip
    yield from against(what, times, {"must": 3, "aim": 8})
    usearch = peer("usearch.index")
    what = "search 1 million by a scan without an index"
    times = race(what, {
        "doorsill": partial(handle.search, 0, many[:1].tobytes(), RADIUS),
        "usearch": usearch and partial(usearch.search, hashes, many[:1], 1,
                                       usearch.MetricKind.Hamming, exact=True, threads=1),
    }, rounds=5)  # fmt: skip
    yield from against(what, times)


def crowded(random: Any) -> Iterator[Row]:
    """Yield what a query takes of whose neighbour a tenth of the list are near-duplicates.

    Against a scan of all 256 bits of every row for as many, and a query that nothing is near.
    Each is up to 60 bits from the query, so that the first plane tells little of whether it is
    within the radius.
    """
    hashes = random.integers(0, 256, (MILLION, 32), dtype=np.uint8)
    query = hashes[0].copy()
    for row in random.choice(MILLION, MILLION // 10, replace=False):
        hashes[row] = moved(random, query, int(random.integers(0, 61)))
    lonely = random.integers(0, 256, 32, dtype=np.uint8)
    handle, index = opened(hashes), flat(hashes)
    if [(d, r) for d, r, _ in handle.search(0, query.tobytes(), RADIUS)] != brute_force(
        hashes, query, RADIUS
    )[:64]:
        sys.exit("WRONG: among near-duplicates another row is nearest")
    what = "search 1 million, a tenth of it near-duplicates"
    times = race(what, {
        "doorsill": partial(handle.search, 0, query.tobytes(), RADIUS),
        "plain scan, faiss": index
        and partial(index.search, query.reshape(1, 32), 64),
        "nothing near": partial(handle.search, 0, lonely.tobytes(), RADIUS),
    }, rounds=3, in_turn=False)  # fmt: skip
    yield from against(what, times, {"must": 1 / 1.5, "aim": 1 / 1.1})


def measure() -> Iterator[Row]:
    """Yield what searching takes."""
    random = np.random.default_rng(2)
    yield from searches(MILLION, random)
    yield from crowded(random)
    yield from searches(10 * MILLION, random)


if __name__ == "__main__":
    sys.exit(main(measure))
