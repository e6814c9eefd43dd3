"""Times ThreatExchange rows to a list, and what releases cost to fetch.

    python examples/bench_build.py rows 1000000      rows to a list, seconds and memory
    python examples/bench_build.py deltas 3000000    sizes of deltas, and CDN bytes a day

Rows are digests of numbers: they look like hashes and are of no picture.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from doorsill.deltas import apply_delta
from doorsill.publish.build import ListWords, build_list
from doorsill.publish.delta import make_delta
from doorsill.publish.diff import Alignment
from doorsill.publish.sections import ListFile

WORDS = ListWords(name="bench", publisher="bench", category="bench")


def photo_like(number: int) -> bytes:
    """Return 32 bytes of which half the bits are set, as in the hashes of photographs."""
    half = hashlib.md5(b"%d" % number, usedforsecurity=False).digest()
    return half + bytes(255 - byte for byte in half)


def write_te(path: Path, rows: int) -> None:
    """Write a cache file of ThreatExchange's command line with that many PDQ indicators."""
    with path.open("w", encoding="ascii") as file:
        for number in range(rows):
            value = photo_like(number).hex()
            file.write(f"{value},{number},2024-05-01T10:00:00+0000,media_priority_s0\n")


def rows(count: int) -> None:
    """Build a list from a cache file and print what that took."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "simple.HASH_PDQ.te"
        write_te(source, count)
        start, busy = time.perf_counter(), time.process_time()
        report = build_list([source], Path(folder) / "list.dsl", WORDS, report=Path(folder) / "r")
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} rows: {report.entries} entries, {report.size} bytes, {report.noted} notes")
    print(f"{seconds:.1f} s, {busy:.1f} of them at work; peak memory {peak} MB")


def release(folder: Path, count: int, churn: int, name: str, previous: Path | None) -> Path:
    """Build a list of PDQ and MD5 rows of which the first *churn* went and as many came."""
    source, output = folder / f"{name}.csv", folder / f"{name}.dsl"
    with source.open("w", encoding="ascii") as file:
        file.write("hash,md5\n")
        for number in range(churn, count + churn):
            digest = hashlib.md5(b"file %d" % number, usedforsecurity=False).hexdigest()
            file.write(f"{photo_like(number).hex()},{digest}\n")
    build_list([source], output, WORDS, previous=previous)
    source.unlink()
    return output


def deltas(count: int) -> None:
    """Print sizes of deltas: one entry withdrawn, and 0.1 % changed (half added, half removed)."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        first = release(folder, count, 0, "first", None)
        print(f"{count} entries, PDQ and MD5: {first.stat().st_size} bytes")
        for what, churn in (("one withdrawn", 0), ("0.1 % changed", count // 2000)):
            if churn:
                second = release(folder, count, churn, "second", first)
            else:
                second = release(folder, count - 1, 0, "second", first)
            start = time.perf_counter()
            old = ListFile.open(first)
            delta = make_delta(Alignment(old, ListFile.open(second)))
            made = time.perf_counter()
            apply_delta(old.data, delta)
            applied = time.perf_counter()
            print(f"{what}: {len(delta)} bytes, made in {made - start:.1f} s, "
                  f"applied in {applied - made:.2f} s")  # fmt: skip
            if churn:
                print(f"950 million clients: {950e6 * len(delta) / 1e12:.0f} TB a day")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MB")


if __name__ == "__main__":
    {"rows": rows, "deltas": deltas}[sys.argv[1]](int(sys.argv[2]))
