"""A list in memory that the processes of one app share, and that nobody can change any more.

The core reads a list in place after checking it once, so its bytes must stay as they are: a mapped
file may be written to or cut by whoever can open it, which would change what was checked or kill
the process (SIGBUS). A memfd of Linux can be sealed: the kernel then refuses writing, cutting and
growing, by anyone, for ever (memfd_create(2), F_ADD_SEALS in fcntl(2)).
"""

from __future__ import annotations

import mmap
import os
from typing import Any

from doorsill.errors import ListError

_HOW = "pass what HashList.share() returned, or the path of a list"


def _seals() -> tuple[Any, int]:
    """Return the module fcntl and the seals that it takes; `ListError` where there are none."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows

        wanted = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
    except (ImportError, AttributeError):
        raise ListError("only Linux can share a list; open it by its path") from None
    return fcntl, wanted


def seal(data: bytes | mmap.mmap) -> int:
    """Return a descriptor of memory with these bytes, sealed; whoever gets it closes it."""
    fcntl, wanted = _seals()
    descriptor = os.memfd_create("doorsill-list", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, wanted | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def mapped(descriptor: int, most: int) -> mmap.mmap:
    """Return all of sealed memory, read-only and without a copy; the descriptor may be closed.

    `ListError` if it can still be changed, is none, or has more than *most* bytes.
    """
    fcntl, wanted = _seals()
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except (OSError, ValueError, OverflowError):  # a number that is no descriptor, or a file's
        found = 0
    if found & wanted != wanted:  # a seal is never taken back, so this stays true
        raise ListError(f"descriptor {descriptor}: not memory sealed against changes; {_HOW}")
    size = os.fstat(descriptor).st_size
    if not 0 < size <= most:
        raise ListError(f"descriptor {descriptor}: empty or larger than {most} bytes; {_HOW}")
    # Private: until Linux 6.7 what is sealed against writing cannot be mapped shared, even to read.
    return mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
