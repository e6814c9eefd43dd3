"""What tests of the decode worker share: gates, workers that are none, and fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doorsill import Gate, cage, hash_image
from drawn import saved, scene
from lists import hash_list

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_cage = pytest.mark.skipif(cage.missing() != "", reason=f"no cage here: {cage.missing()}")

# Whether .ci/full runs, which asks for more examples, and for other ones each time.
LONG = "DOORSILL_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("DOORSILL_EXAMPLES", "100"))

SCENE = scene()
DATA = saved(SCENE, "PNG")
LISTED = hash_list(pdq={0: hash_image(SCENE).bytes})

# A worker that is none: what it does with pictures is the code put in its place.
FAKE = """
import os, struct, sys, time
from doorsill import wire
source, sink = os.fdopen(0, "rb"), os.fdopen(1, "wb", buffering=0)
limits, files = wire.unpack_start(source.read)
sink.write(wire.pack_ready("", [""] * len(files)))
while header := source.read(wire.REQUEST.size):
    data = source.read(wire.REQUEST.unpack(header)[0])
    sink.write(wire.TAKEN)
    {deed}
"""

TROUBLED = """
import os
from doorsill import wire
os.write(1, wire.pack_ready("the cage does not hold"))
"""


def acting(deed: str) -> list[str]:
    """Return the command line of a worker that does *deed* with each picture."""
    return [sys.executable, "-c", FAKE.format(deed=deed)]


@contextmanager
def opened(**options: Any) -> Iterator[Gate]:
    """Give a gate before one listed picture."""
    with Gate(LISTED, **options) as gate:
        yield gate


def workers(gate: Gate) -> list[int]:
    """Return the process ids of a gate's workers."""
    assert gate._pool is not None  # noqa: SLF001 - likewise
    return [each.process.pid for each in gate._pool._all]  # noqa: SLF001 - no host needs them


def peak(pid: int) -> int:
    """Return the most bytes that a process has held in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def caged_alone(code: str) -> str:
    """Run *code* in a fresh Python, which has one thread, and return what it printed."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return done.stdout.decode()
