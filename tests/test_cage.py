"""The cage of the decode worker: what a process inside cannot do, and that its proof notices."""

from __future__ import annotations

import pytest

from doorsill import Limits, cage
from workers import caged_alone, needs_cage

pytestmark = needs_cage
MEMORY = Limits().memory

PROOF = """
from doorsill import cage
try:
    cage.prove_outside({memory}, {restrictions})
    cage.enter({memory}, {restrictions})
    cage.prove_inside({memory})
except Exception as error:
    print(error)
"""


def proof(restrictions: int) -> str:
    """Return what the proof of a cage with these restrictions found, "" if it holds."""
    return caged_alone(PROOF.format(memory=MEMORY, restrictions=restrictions))


def test_cage_holds() -> None:
    """Inside the whole cage all probes are denied."""
    assert proof(cage.EVERYTHING) == ""


@pytest.mark.parametrize("missing", cage.NAMES, ids=cage.NAMES.values())
def test_proof_notices(missing: int) -> None:
    """With any one restriction taken out the proof fails, and says what went through."""
    assert cage.NAMES[missing] in proof(cage.EVERYTHING & ~missing)


@pytest.mark.parametrize(
    "deed",
    [
        'open("/etc/hostname")', 'os.stat("/etc")', 'os.listdir("/")', "os.pipe()", "os.fork()",
        "os.kill(os.getppid(), 9)", 'os.memfd_create("x")', "os.dup(0)", 'os.chdir("/")',
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "bytearray(2 << 30)",
        "import socket; socket.socket()", 'os.execv("/bin/true", ["true"])',
    ],
)  # fmt: skip
def test_nothing_goes_out(deed: str) -> None:
    """What Python code inside the cage tries is refused or kills it; it never goes through."""
    code = f"""
import os, resource, socket
from doorsill import cage
cage.enter({MEMORY})
try:
    {deed}
except (OSError, MemoryError, ValueError):
    os._exit(0)
os.write(1, b"went through")
os._exit(0)
"""
    assert caged_alone(code) == ""


def test_threads_start_inside() -> None:
    """Codecs that make threads, such as dav1d, can."""
    code = f"""
import os, threading
from doorsill import cage
cage.enter({MEMORY})
threading.Thread(target=os.write, args=(1, b"here")).start()
"""
    assert caged_alone(code) == "here"
