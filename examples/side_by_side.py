"""Times several ways of doing one thing, in turn, in one run, and prints them as ratios.

Shared by the benches. Runs alternate, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import importlib
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def peer(module: str) -> Any:
    """Return a peer's module, or None after saying that it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"(peer {module} is not installed: pip install 'doorsill[bench]')")
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
) -> None:
    """Print median, spread and doorsill's ratio to each; None stands for a missing peer.

    In turn, every run finds the caches full of another's data; else each repeats on its own.
    """
    present = {name: run for name, run in runners.items() if run is not None}
    times: dict[str, list[float]] = {name: [] for name in present}
    for run in present.values():
        run()  # warm
    pairs = [pair for _ in range(rounds) for pair in present.items()]
    for name, run in pairs if in_turn else sorted(pairs, key=lambda pair: pair[0]):
        start = time.perf_counter()
        run()
        times[name].append(1000 * (time.perf_counter() - start))
    print(f"\n{title}\n  {'':28}{'median ms':>11}{'min..max':>20}{'doorsill is':>16}")
    ours = statistics.median(times["doorsill"])
    for name in runners:
        if name not in present:
            print(f"  {name:28}{'not installed':>11}")
            continue
        middle = statistics.median(times[name])
        spread = f"{min(times[name]):.2f}..{max(times[name]):.2f}"
        ratio = "" if name == "doorsill" else f"{middle / ours:.1f} x faster"
        print(f"  {name:28}{middle:>11.2f}{spread:>20}{ratio:>16}")
