"""Every bench but that of building, in one table: python examples/bench_all.py.

`--markdown`, `--plot` and `--results` say where to write it. DOORSILL_KERNEL=avx2 forces a kernel.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import bench_hash
import bench_screen
import bench_search
import bench_size
from tables import Row, main

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure() -> Iterator[Row]:
    """Yield the rows of all of them."""
    for bench in (bench_hash, bench_screen, bench_search, bench_size):
        yield from bench.measure()


if __name__ == "__main__":
    sys.exit(main(measure))
