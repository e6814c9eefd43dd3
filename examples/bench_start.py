"""What doorsill adds to a Python client: bytes on disk, seconds at its start, memory.

    python examples/bench_start.py

Each start is a process of its own; the least of fifteen is given, since other work on a machine
only adds. The clock starts before doorsill is imported and stops when the test card was stopped,
which is when the client may claim protection.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

from side_by_side import machine

RUNS = 15
START = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {examples!r})
def held(pid="self"):
    status = Path(f"/proc/{{pid}}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024
def workers():
    return [pid for each in Path("/proc/self/task").glob("*/children")
            for pid in each.read_text().split()]
def busy(pid):
    return int(Path(f"/proc/{{pid}}/schedstat").read_text().split()[0]) / 1e6
before, start, cpu = held(), time.perf_counter(), time.process_time()
from importlib.resources import files
from doorsill import Gate, HashList, Trust
from hook import Hook
data = files("doorsill").joinpath("data")
hook = Hook(Gate(HashList.open(str(data / "demo.dsl"), Trust.none()), isolation={isolation!r}))
ready, cpu = time.perf_counter(), time.process_time() - cpu
cpu = 1000 * cpu + sum(map(busy, workers()))
photo = data.joinpath("coffee.jpg").read_bytes()
hook.gate.screen(photo)
again = time.perf_counter()
hook.gate.screen(photo)
done = time.perf_counter()
print(json.dumps([1000 * (ready - start), cpu, 1000 * (done - again), held() - before,
                  sum(map(held, workers()))]))
"""


def start(isolation: str) -> list[float]:
    """Return the least ms until ready, CPU ms of that, ms of a later photo, MB here and beside."""
    code = START.format(examples=str(Path(__file__).parent), isolation=isolation)
    command = [sys.executable, "-c", code]
    runs = [json.loads(subprocess.check_output(command)) for _ in range(RUNS)]
    return [min(each) for each in zip(*runs, strict=True)]


def size(package: str) -> float:
    """Return MB of a package as installed."""
    paths = [Path(str(file.locate())) for file in files(package) or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def main() -> None:
    """Print all."""
    print(machine())
    for package in ("doorsill", "cffi", "pycparser", "pillow"):
        print(f"{package:<10} {size(package):6.2f} MB installed")
    for isolation in ("worker", "inline"):
        ready, cpu, photo, here, beside = start(isolation)
        print(f"{isolation:<7} ready after {ready:.0f} ms ({cpu:.0f} of a processor), a photo in "
              f"{photo:.1f} ms; {here:.0f} MB here, {beside:.0f} MB beside")  # fmt: skip


if __name__ == "__main__":
    main()
