"""A million hashes, one thread, against faiss and usearch: python examples/bench_search.py [ROWS].

Before anything is timed, 1,000 queries at exactly distance 30 and 32 from a row, and queries
near nothing, are answered by doorsill and by brute force in numpy, and compared row by row.
"""

from __future__ import annotations

import sys
import tempfile
from array import array
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from side_by_side import machine, peer, race

from doorsill import HashList, Trust
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from doorsill.core import ListHandle

RADIUS = 31


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


def opened(data: bytes, rows: int) -> ListHandle:
    """Time the opening of a list file, and return it open."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.dsl"
        path.write_bytes(data)
        runners: dict[str, Any] = {
            "doorsill": partial(HashList.open, path, Trust.none()),
            "reading the file": path.read_bytes,
        }
        race(f"opening an unsigned list of {rows:,} ({len(data) / 1e6:.0f} MB)", runners, rounds=5)
        return HashList.open(path, Trust.none()).handle


def main(rows: int) -> int:
    """Print the tables; 1 if an answer is wrong."""
    faiss, usearch = peer("faiss"), peer("usearch.index")
    random = np.random.default_rng(2)
    hashes = random.integers(0, 256, (rows, 32), dtype=np.uint8)
    print(machine())
    handle = opened(build(hashes), rows)
    count = min(1000, 1_000_000_000 // rows)
    wrong = check(handle, hashes, random, count)
    print(f"\n{count} queries against brute force at radius {RADIUS} and 32: {wrong} wrong")
    if wrong:
        return 1
    flat, hamming = None, usearch and usearch.MetricKind.Hamming
    if faiss:
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexBinaryFlat(256)
        flat.add(hashes)
    queries = {
        "no match": random.integers(0, 256, 32, dtype=np.uint8),
        "one match at 30": moved(random, hashes[rows // 2], 30),
    }
    for name, query in queries.items():
        one = query.reshape(1, 32)
        runners = {
            "doorsill": partial(handle.search, 0, query.tobytes(), RADIUS),
            "faiss IndexBinaryFlat k=1": flat and partial(flat.search, one, 1),
            "faiss IndexBinaryFlat range": flat and partial(flat.range_search, one, RADIUS + 1),
        }
        title = f"{rows:,} hashes, one query, {name}"
        race(f"{title}, caches full of the others' data", runners, rounds=25)
        race(f"{title}, again and again", runners, rounds=25, in_turn=False)
    eight = random.integers(0, 256, (8, 32), dtype=np.uint8)
    runners = {
        "doorsill": partial(handle.search, 0, eight.tobytes(), RADIUS),
        "faiss IndexBinaryFlat k=1": flat and partial(flat.search, eight, 1),
        "faiss IndexBinaryFlat range": flat and partial(flat.range_search, eight, RADIUS + 1),
    }
    race(f"{rows:,} hashes, a picture: eight orientations at once", runners, rounds=25)
    runners = {
        "doorsill": partial(handle.search, 0, query.tobytes(), RADIUS),
        "usearch exact": usearch
        and partial(usearch.search, hashes, one, 1, hamming, exact=True, threads=1),
    }
    race(f"{rows:,} hashes, one query, a scan without an index", runners, rounds=5)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
