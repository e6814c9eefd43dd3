"""Small lists and ready hashes for tests."""

from __future__ import annotations

import hashlib

from doorsill import HashList, Trust
from doorsill.core import CoreView, Pdq
from doorsill.publish.write import Contents, HasherRows, list_bytes

MODEL = hashlib.sha256(b"a model").digest()


def flip(value: bytes, bits: int) -> bytes:
    """Return the value with that many of its bits changed, spread over all of it."""
    number = int.from_bytes(value, "big")
    width = 8 * len(value)
    for i in range(bits):
        number ^= 1 << (i * 37 % width)  # 37 is odd: no bit comes twice in any power-of-two width
    return number.to_bytes(len(value), "big")


def ready_pdq(full: bytes, quality: int = 100, cpp512: bytes | None = None) -> Pdq:
    """Return a Pdq whose unturned hashes are given; the other orientations are far away."""
    far = [hashlib.sha256(b"far %d" % i).digest() for i in range(7)]
    raw = b"".join([full, *far, cpp512 or hashlib.sha256(b"far").digest(), *far])
    return Pdq(raw + bytes([quality, quality]))


def view(full: bytes, neural: bytes | None = None, quality: int = 100) -> CoreView:
    """Return a view with a ready PDQ and, if given, a code of the test's model."""
    return CoreView(ready_pdq(full, quality), ((MODEL, neural),) if neural else ())


def hash_list(*, pdq: dict[int, bytes], neural: dict[int, bytes] | None = None, entries: int = 8,
              flags: int = 0, digests: dict[str, list[tuple[bytes, int]]] | None = None,
              profile: str = "full", limit: int = 31) -> HashList:  # fmt: skip
    """Return an open list with these PDQ and neural rows by entry."""
    contents = Contents()
    for entry in range(entries):
        contents.add_entry((0, flags, 1), bytes([entry]) * 6)
    rows = HasherRows("pdq", profile, limit=limit)
    contents.hashers = [rows]
    for entry, value in sorted(pdq.items()):
        rows.hashes += value
        rows.entries.append(entry)
    if neural:
        second = HasherRows("model", "full", limit=50, quality=0, model=MODEL)
        for entry, value in sorted(neural.items()):
            second.hashes += value
            second.entries.append(entry)
        contents.hashers.append(second)
    contents.digests |= digests or {}
    return HashList(list_bytes(contents), Trust.none())
