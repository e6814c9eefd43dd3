"""Opening files whose names come from outside, and replacing files at once."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from doorsill.errors import DoorsillError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader
    from pathlib import Path

PART = ".part-"
"""What the names of files begin with that are still being written, or that a crash left."""


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading; `OSError` if it is a pipe, a device or a folder.

    A pipe would wait for a writer for ever, a device would never end.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # not everywhere
    descriptor = os.open(path, os.O_RDONLY | flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", os.fspath(path))
    return os.fdopen(descriptor, "rb")


def read_small(path: str | os.PathLike[str], most: int) -> bytes:
    """Return all of a file; `OSError` if it has more than *most* bytes or is no regular file."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(0, f"larger than {most} bytes", os.fspath(path))
    return data


def write_atomically(path: Path, data: Any) -> None:
    """Replace a file at once: whoever opens it sees the old bytes or the new ones, never a part.

    Both survive a loss of power: bytes are on the disk before the name is, and the name before this
    returns. `OSError` names *path*, leaves the old file, and a full disk nothing beside it. Who may
    read it is for the umask to say, as of any file.
    """
    try:
        _replace(path, data)
        sync_folder(path.parent)
    except OSError as error:  # it names the part, which is gone again
        raise OSError(error.errno, error.strerror, str(path)) from None


def _replace(path: Path, data: Any) -> None:
    part = path.parent / f"{PART}{os.urandom(8).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(part, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def refuse_overwriting(output: Path, inputs: Iterable[Path]) -> None:
    """Raise `DoorsillError` if writing *output* would change what is read: rows, originals, a key.

    An output in a folder that is read is refused, too: the next run would read it.
    """
    place = output.resolve()
    for each in inputs:
        given = each.resolve()
        linked = output.exists() and given.exists() and output.samefile(given)
        if linked or given == place:
            raise DoorsillError(f"{output}: is what is read; name another file to write to")
        if given in place.parents:
            raise DoorsillError(
                f"{output}: lies in {each}, which is read; name a file outside it to write to"
            )


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps them by itself
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
