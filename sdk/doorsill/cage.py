"""The cage of the decode worker: entering it, and proving that it holds.

A process in the cage can use the memory that it has, compute, and read and write the pipes that
it was given. `native/cage/cage.h` lists what it can no longer do.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from doorsill._native import ffi, lib
from doorsill.errors import IsolationError

if TYPE_CHECKING:
    from collections.abc import Iterable

SOCKET = int(lib.DOORSILL_CAGE_SOCKET)
OPEN = int(lib.DOORSILL_CAGE_OPEN)
FORK = int(lib.DOORSILL_CAGE_FORK)
EXEC = int(lib.DOORSILL_CAGE_EXEC)
KILL = int(lib.DOORSILL_CAGE_KILL)
PTRACE = int(lib.DOORSILL_CAGE_PTRACE)
EXECUTABLE = int(lib.DOORSILL_CAGE_EXECUTABLE)
PATHS = int(lib.DOORSILL_CAGE_PATHS)
MEMORY = int(lib.DOORSILL_CAGE_MEMORY)
EVERYTHING = int(lib.DOORSILL_CAGE_EVERYTHING)

NAMES = {
    SOCKET: "open a socket",
    OPEN: "open a file",
    FORK: "start a process",
    EXEC: "run a program",
    KILL: "send a signal",
    PTRACE: "trace a process",
    EXECUTABLE: "make memory that can be run",
    PATHS: "open a file past Landlock",
    MEMORY: "take more memory than it may",
}
_DEADLY = (SOCKET, EXEC, PTRACE)  # whoever tries is killed, so they are tried in other processes
_EPERM, _ENOMEM, _EACCES = 1, 12, 13  # the `errno` module costs an import

CPU_SECONDS = 300  # of a worker's whole life; it retires long before
_DESCRIPTORS = 16
_MOST_ASKED = 2 << 30  # bytes that no worker gets, whatever the limits are
_NO_ANSWER = 255


def missing() -> str:
    """Return what this system lacks for a cage, "" if nothing."""
    lacking = lib.doorsill_cage_missing()
    return bytes(ffi.string(lacking)).decode() if lacking else ""


def require() -> None:
    """Raise `IsolationError` where this system has no cage."""
    if lacking := missing():
        raise IsolationError(
            f"pictures cannot be decoded in a caged process: this system lacks {lacking}. "
            'Pass isolation="inline" to decode in your own process, or hand over decoded pixels'
        )


def enter(memory: int, restrictions: int = EVERYTHING) -> None:
    """Lock this process up for good; it must have one thread.

    Args:
        memory: Bytes that it may take beside those that it has now.
        restrictions: All of them, unless a test wants to see that the proof notices.
    """
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - pathlib costs an import
        raise IsolationError("a codec left a thread running, which the cage would not hold")
    _bound(memory if restrictions & MEMORY else None)
    failed = lib.doorsill_cage_enter(restrictions)
    if failed:
        raise IsolationError(f"the kernel refused the cage: {os.strerror(failed)}")


def _bound(memory: int | None) -> None:
    import resource  # noqa: PLC0415 - exists on Unix only

    bounds = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
    }
    if memory is not None:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib costs an import
            taken = int(file.read().split()[0]) * resource.getpagesize()
        bounds[resource.RLIMIT_AS] = taken + memory
    for name, most in bounds.items():
        hard = resource.getrlimit(name)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (bound, bound))


def prove_outside(memory: int, restrictions: int = EVERYTHING) -> None:
    """Show, before entering, what can only be shown by a process that is lost by it.

    Raises:
        IsolationError: Something forbidden went through.
    """
    tried = {_sacrifice(memory, restrictions, each): each for each in _DEADLY}
    alone = _sacrifice(memory, restrictions & PATHS, PATHS)  # seccomp would refuse it first
    ends = {child: os.waitpid(child, 0)[1] for child in (*tried, alone)}
    held = {each: os.WIFSIGNALED(ends[child]) and os.WTERMSIG(ends[child]) == signal.SIGSYS
            for child, each in tried.items()}  # fmt: skip
    held[PATHS] = os.WIFEXITED(ends[alone]) and os.WEXITSTATUS(ends[alone]) == _EACCES
    _judge(each for each, denied in held.items() if not denied)


def _sacrifice(memory: int, restrictions: int, probe: int) -> int:
    """Return the process that enters the cage and tries *probe*; its status is the errno."""
    child = os.fork()
    if child == 0:
        status = _NO_ANSWER
        try:
            enter(memory, restrictions)
            status = lib.doorsill_cage_try(probe, 0)
        finally:
            os._exit(status)
    return child


def prove_inside(memory: int) -> None:
    """Show, once inside, that what is forbidden is refused.

    Raises:
        IsolationError: Something forbidden went through.
    """
    expected = {OPEN: _EPERM, FORK: _EPERM, KILL: _EPERM, EXECUTABLE: _EPERM, MEMORY: _ENOMEM}
    size = max(_MOST_ASKED, memory + 1)
    _judge(each for each, errno in expected.items() if lib.doorsill_cage_try(each, size) != errno)


def _judge(passed: Iterable[int]) -> None:
    if names := ", ".join(NAMES[each] for each in passed):
        raise IsolationError(f"the cage does not hold: a process inside could {names}")
