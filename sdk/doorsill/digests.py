"""Digests of files of any size, a piece at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from doorsill.core import DIGESTS
from doorsill.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Digests = tuple[bytes, bytes, bytes]
"""sha256, sha1 and md5 of one file."""

PIECE = 1 << 20
"""Bytes that are read and digested at a time: they stay in the cache."""


class TooLong(Exception):  # noqa: N818 - not an error: it ends as UNREADABLE
    """A file has more bytes than may be digested."""


def digest(data: bytes) -> Digests:
    """Return the digests that lists may hold of a file."""
    return of_pieces((data,))


def of_pieces(
    pieces: Iterable[bytes], check: Callable[[], None] = lambda: None, most: int | None = None
) -> Digests:
    """Return the digests of what these pieces are together.

    Args:
        pieces: Of the file, in order.
        check: Called at each piece; what it raises passes through.
        most: Bytes, None for any.

    Raises:
        TooLong: There are more bytes.
    """
    import hashlib  # noqa: PLC0415 - OpenSSL, loaded while a worker decodes

    sums = [hashlib.new(kind, usedforsecurity=False) for kind in DIGESTS]
    size = 0
    for piece in pieces:
        check()  # a file may grow as fast as it is read
        size += len(piece)
        if most is not None and size > most:
            raise TooLong
        for each in sums:
            each.update(piece)
    return sums[0].digest(), sums[1].digest(), sums[2].digest()


def pieces_of(file: Any, step: int = PIECE) -> Iterator[bytes]:
    """Yield all of a binary file, wherever its reader stood and however little it gives at a time.

    A host that has looked at the beginning sends the whole all the same.
    """
    if hasattr(file, "seekable") and file.seekable():
        file.seek(0)
    while piece := file.read(step):
        if not isinstance(piece, bytes | bytearray):
            raise TypeError("the file gives text; open it in binary mode")
        yield bytes(piece)


def of_source(source: Any, check: Callable[[], None], most: int) -> Digests:
    """Return the digests of an original, given as a path, bytes or a binary file.

    Raises:
        OSError: The path cannot be read.
        TooLong: It has more than *most* bytes; of a path that is known before it is read.
        TypeError: It is none of these.
    """
    if isinstance(source, str | os.PathLike):
        with open_regular(source) as file:
            if os.fstat(file.fileno()).st_size > most:
                raise TooLong
            return of_pieces(pieces_of(file), check, most)
    if hasattr(source, "read"):
        return of_pieces(pieces_of(source), check, most)
    if not isinstance(source, bytes | bytearray | memoryview):
        raise TypeError(f"a source is a path, bytes or a binary file, not {type(source).__name__}")
    return digest(bytes(source))
