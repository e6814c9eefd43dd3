"""The work of sealing: rows in portions, on all cores; it goes on where it was stopped."""

from __future__ import annotations

import hashlib
import hmac
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from doorsill.limits import cores
from doorsill.sealed import protocol
from doorsill.sealed.keys import sealing_info
from doorsill.sealed.oprf import Server
from doorsill.sealed.protocol import CLEAR_BYTES, KEY_BYTES, RECORD, ROW_BYTES, SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedRandom
    from pathlib import Path

PLAIN_BYTES = CLEAR_BYTES + RECORD.size
_PORTION = 1000  # rows, half a second of one core
_DIGEST_BYTES = 32


class Sealer:
    """Seals rows of one sealing epoch."""

    def __init__(self, seed: bytes, epoch: int) -> None:
        """Derive the keys."""
        self._server = Server(seed, sealing_info(epoch))
        self._seed = seed
        self._epoch = epoch

    def row(self, plain: bytes) -> bytes:
        """Return a clear plane with its slots and its sealed record.

        The record's key is derived from all of the row, so that the same row is always sealed to
        the same bytes, and rows that differ in one bit have keys that do not tell so.
        """
        clear, record = plain[:CLEAR_BYTES], plain[CLEAR_BYTES:]
        label = b"doorsill-sealed/v1 key " + self._epoch.to_bytes(4, "little")
        key = hmac.digest(self._seed, label + plain, "sha512")[:KEY_BYTES]
        sealed = protocol.seal_record(key, clear, record)
        tag = sealed[-protocol.TAG_BYTES :]
        second = int.from_bytes(RECORD.unpack(record)[0], "big")
        slots = b"".join(self._slot(clear, second, key, slot, tag) for slot in range(SLOTS))
        return clear + slots + sealed

    def _slot(self, clear: bytes, second: int, key: bytes, slot: int, tag: bytes) -> bytes:
        bits = protocol.reading(second, slot)
        output = self._server.output(protocol.oprf_input(self._epoch, clear, slot, bits))
        return protocol.xor(key, protocol.pad(output, slot, tag))


def sealed_rows(  # noqa: PLR0913, PLR0917 - what it is about, and how it is done
    work: Path,
    plain: list[bytes],
    seed: bytes,
    epoch: int,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[bytes]:
    """Return rows sealed, in their order; *work* keeps portions that are done.

    What it holds of another list, seed or epoch, or what a crash left broken, is done anew.
    """
    about = hashlib.sha256(b"".join((seed, epoch.to_bytes(4, "little"), *plain))).digest()
    head = hmac.digest(seed, b"doorsill-sealed/v1 work " + about, "sha256")
    with _opened(work) as file:
        made = _resume(file, head, len(plain))
        rest = (plain[i : i + _PORTION] for i in range(len(made), len(plain), _PORTION))
        for rows in _all_sealed(rest, seed, epoch, jobs or cores()):
            made += _cut(rows)
            file.write(rows + hashlib.sha256(rows).digest())
            if progress is not None:
                progress(len(made), len(plain))
    return made


def _opened(path: Path) -> BufferedRandom:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _cut(rows: bytes) -> list[bytes]:
    return [rows[at : at + ROW_BYTES] for at in range(0, len(rows), ROW_BYTES)]


def _resume(file: BufferedRandom, head: bytes, count: int) -> list[bytes]:
    """Return rows of the portions that are whole, and leave the file at their end."""
    made: list[bytes] = []
    good = file.read(len(head)) == head
    while good and len(made) < count:
        size = ROW_BYTES * min(_PORTION, count - len(made))
        rows, digest = file.read(size), file.read(_DIGEST_BYTES)
        good = hashlib.sha256(rows).digest() == digest
        made += _cut(rows) if good else []
    portions = -(-len(made) // _PORTION)
    end = len(head) + ROW_BYTES * len(made) + _DIGEST_BYTES * portions if made else 0
    file.seek(end)
    file.truncate()
    if not made:
        file.write(head)
    return made


def _all_sealed(
    portions: Iterator[list[bytes]], seed: bytes, epoch: int, jobs: int
) -> Iterator[bytes]:
    """Yield portions sealed, in their order; only a few wait at a time."""
    if jobs == 1:
        _prepare(seed, epoch)
        yield from map(_portion, portions)
        return
    spawned = multiprocessing.get_context("spawn")  # a fork of a host with threads can hang
    with ProcessPoolExecutor(jobs, spawned, _prepare, (seed, epoch)) as pool:
        waiting = [pool.submit(_portion, each) for each in islice(portions, 2 * jobs)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(_portion, each) for each in islice(portions, 1)]
        finally:
            for each in waiting:
                each.cancel()


_sealers: list[Sealer] = []  # of a process of the pool, which seals for one list


def _prepare(seed: bytes, epoch: int) -> None:
    _sealers[:] = [Sealer(seed, epoch)]


def _portion(rows: list[bytes]) -> bytes:
    return b"".join(map(_sealers[0].row, rows))
