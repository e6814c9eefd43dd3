"""Times several ways of doing one thing, in turn, in one run.

Shared by the benches. Runs alternate, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import importlib
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_WARM, _TIMED = 10, 10  # runs before the other's turn


def peer(module: str) -> Any:
    """Return a peer's module, or None after saying that it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"{module} is missing: pip install 'doorsill[bench]'", file=sys.stderr)
        return None


def machine() -> str:
    """Return processor, Python and the core's kernel."""
    from doorsill import core  # noqa: PLC0415 - the benches choose the kernel first

    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, Python {platform.python_version()}, kernel {core.kernel()}"


def race(
    title: str,
    runners: dict[str, Callable[[], Any] | None],
    *,
    rounds: int = 7,
    in_turn: bool = True,
) -> dict[str, float]:
    """Say on stderr how it went, and return the medians in milliseconds; None: a missing peer.

    In turn, every run finds the caches full of another's data; else they take turns at running
    again and again, of which the first runs do not count.
    """
    present = {name: run for name, run in runners.items() if run is not None}
    times: dict[str, list[float]] = {name: [] for name in present}
    for run in present.values():
        run()  # warm
    for name, run in [pair for _ in range(rounds) for pair in present.items()]:
        for _ in range(0 if in_turn else _WARM):
            run()
        for _ in range(1 if in_turn else _TIMED):
            start = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - start))
    spread = [f"{name} {min(taken):.2f}..{max(taken):.2f} ms" for name, taken in times.items()]
    print(f"{title}: {', '.join(spread)}", file=sys.stderr)
    return {name: statistics.median(taken) for name, taken in times.items()}
