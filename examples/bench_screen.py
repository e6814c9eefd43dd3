"""A file to hashes and to a verdict, against what a server uses: python examples/bench_screen.py.

doorsill: `Gate.read` and `Gate.screen`, in the caged worker, the digests and a million entries with
it. Peers: threatexchange's hash of the file, and a search by faiss.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_hash import photo
from bench_search import RADIUS, build, flat
from PIL import Image, ImageFilter
from side_by_side import peer, race
from tables import Goals, Row, against, main

from doorsill import Gate, HashList, Outcome, Trust, hash_image

if TYPE_CHECKING:
    from collections.abc import Iterator

GOALS: dict[str, Goals] = {
    "JPEG": {"must": 5.5, "aim": 9},
    "PNG": {"must": 2, "aim": 2.3},
    "WEBP": {"must": 2.5, "aim": 2.8},
}


def encoded(picture: Image.Image, kind: str) -> bytes:
    """Return the picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, kind, quality=88)
    return file.getvalue()


def peer_screen(pdq: Any, index: Any, data: bytes) -> bool:
    """Return whether the peers find the picture."""
    value, _ = pdq.pdq_from_bytes(data)
    query = np.frombuffer(bytes.fromhex(value), np.uint8).reshape(1, 32)
    distances, _ = index.search(query, 1)
    return bool(distances[0][0] <= RADIUS)


def decoded(data: bytes) -> None:
    """Decode a picture and do nothing with it."""
    Image.open(io.BytesIO(data)).load()


def eighth(data: bytes) -> None:
    """Decode a JPEG's luma at an eighth of its size, the least to make a PDQ of it from."""
    opened = Image.open(io.BytesIO(data))
    opened.draft("L", (opened.width // 8, opened.height // 8))
    opened.load()


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread on one core, and the workers of a gate whose first picture it screens."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def album(gate: Gate, data: bytes, kind: str) -> Iterator[Row]:
    """Yield what an album takes at once, against one picture after the other.

    Of a single picture the host makes the digests on a second core while a worker decodes, so what
    one core takes is measured as well.
    """
    pictures = [data] * 10

    def in_turn(by: Gate) -> list[Outcome]:
        return [by.screen(each).outcome for each in pictures]

    def in_turn_alone() -> list[Outcome]:
        with one_core():
            return in_turn(alone)

    with Gate(gate.lists) as alone:
        if [each.outcome for each in gate.screen_many(pictures)] != in_turn_alone():
            sys.exit("WRONG: an album gets other verdicts than its pictures")
        what = f"album of 10 x 12 MP {kind} on all cores"
        times = race(what, {
            "doorsill": lambda: list(gate.screen_many(pictures)),
            "one after the other, on one core": in_turn_alone,
            "one after the other, digests on a second": partial(in_turn, gate),
        }, rounds=5)  # fmt: skip
    for row in against(what, times):
        yield replace(row, must=1.7, aim=1.9)


def measure() -> Iterator[Row]:
    """Yield what screening takes, from a file on."""
    pdq = peer("threatexchange.signal_type.pdq.pdq_hasher")
    random = np.random.default_rng(3)
    hashes = random.integers(0, 256, (1_000_000, 32), dtype=np.uint8)
    listed = Image.fromarray(photo(4000, 3000))
    hashes[123456] = np.frombuffer(hash_image(listed).bytes, np.uint8)
    index = flat(hashes)
    soft = encoded(listed.filter(ImageFilter.GaussianBlur(2)), "JPEG")
    files = {f"{kind}": encoded(listed, kind) for kind in GOALS} | {"JPEG, soft": soft}
    with Gate(HashList(build(hashes), Trust.none())) as gate:
        for kind, data in files.items():
            name = f"12 MP {kind} ({len(data) / 1e6:.1f} MB)"
            if gate.screen(data).outcome is not Outcome.MATCH:
                sys.exit(f"WRONG: the listed picture as {kind} does not match")
            if pdq and pdq.pdq_from_bytes(data)[0] != hash_image(data).hex:
                sys.exit(f"WRONG: {kind} hashes otherwise than by threatexchange")
            times = race(f"{name} to hashes and digests", {
                "doorsill": partial(gate.read, data),
                "threatexchange": pdq and partial(pdq.pdq_from_bytes, data),
                "Pillow, decoding alone": partial(decoded, data),
            })  # fmt: skip
            yield from against(f"{name} to hashes and digests", times, GOALS.get(kind, {}))
            times = race(f"{name} to verdict, a million entries", {
                "doorsill": partial(gate.screen, data),
                "threatexchange, faiss": pdq and index and partial(peer_screen, pdq, index, data),
            })  # fmt: skip
            yield from against(f"{name} to verdict, a million entries", times)
            if pdq and kind.startswith("JPEG"):
                # A path that may only clear stays out, for tests/test_reduced.py leads it astray;
                # its decoder alone would fall short of the 15 x that was asked for.
                pixels = np.asarray(Image.open(io.BytesIO(data)))
                what = f"{name}, its luma at an eighth, no hash"
                times = race(what, {
                    "Pillow's draft": partial(eighth, data),
                    "pdqhash alone": partial(pdq.pdqhash.compute, pixels),
                })  # fmt: skip
                mine, theirs = times.items()
                yield Row(what, mine[1], *theirs, must=15, aim=25)
        for kind in ("JPEG", "JPEG, soft"):
            yield from album(gate, files[kind], kind)


if __name__ == "__main__":
    sys.exit(main(measure))
