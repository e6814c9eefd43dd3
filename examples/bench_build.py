"""Times ThreatExchange rows to a list, and what releases cost to fetch.

    python examples/bench_build.py rows 1000000      rows to a list, seconds and memory
    python examples/bench_build.py deltas 3000000    sizes of deltas, and CDN bytes a day

Rows are SHA-256 digests of numbers: they look like hashes and are of no picture.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from doorsill.publish.build import ListWords, build_list

WORDS = ListWords(name="bench", publisher="bench", category="bench")



def write_te(path: Path, rows: int) -> None:
    """Write a cache file of ThreatExchange's command line with that many PDQ indicators."""
    with path.open("w", encoding="ascii") as file:
        for number in range(rows):
            value = hashlib.sha256(b"%d" % number).hexdigest()
            file.write(f"{value},{number},2024-05-01T10:00:00+0000,media_priority_s0\n")


def rows(count: int) -> None:
    """Build a list from a cache file and print what that took."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "simple.HASH_PDQ.te"
        write_te(source, count)
        start = time.perf_counter()
        report = build_list([source], Path(folder) / "list.dsl", WORDS, report=Path(folder) / "r")
        seconds = time.perf_counter() - start
        noted = (Path(folder) / "r").stat().st_size if (Path(folder) / "r").exists() else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} rows: {report.entries} entries, {report.size} bytes, {seconds:.1f} s, "
          f"peak memory {peak} MB, {report.noted} notes ({noted} bytes)")  # fmt: skip


if __name__ == "__main__":
    {"rows": rows}[sys.argv[1]](int(sys.argv[2]))
