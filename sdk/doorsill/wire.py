"""What a host and its decode worker say to each other: fixed frames, bounded and checked.

A worker that a hostile picture has taken over can lie about that picture and the ones after it.
It cannot make the host allocate, wait, or show more than these frames hold. Where a canonical
picture is asked for, its bytes are the one way out of the cage, so `pool.Pool` asks a process
that has seen no other picture.
"""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import TYPE_CHECKING

from doorsill.core import MAX_VIEWS, Pdq
from doorsill.limits import Limits
from doorsill.reading import HashedView, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    Take = Callable[[int], bytes]

# Bytes of the picture, milliseconds that it may take (0: no end), is its canonical picture wanted.
REQUEST = struct.Struct("<QQB")
TAKEN = b"+"  # the worker has the whole picture: from now on its death is the picture's doing
# Magic, bytes that follow, is a picture, retires, views, unread, bytes of the canonical picture
# behind all that (0: there is none).
ANSWER = struct.Struct("<4sIBBHBQ")
READY = struct.Struct("<4sB")  # magic, bytes of the trouble that follows; none: the cage holds

_MAGIC = b"dsw1"
_PDQ = 514  # bytes of a `doorsill_pdq`
_QUALITY = 100
_TEXT = 120  # characters of a label or reason
_VIEWS = MAX_VIEWS + 1  # one more than are compared, so that the Gate notices
_REASONS = 20
MOST = _VIEWS * (_PDQ + 1 + _TEXT) + _REASONS * (1 + _TEXT)
"""Bytes of the longest answer behind its header."""

_BOUNDS = [each.name for each in fields(Limits) if each.name != "seconds"]
LIMITS = struct.Struct(f"<{len(_BOUNDS)}Q")


class Nonsense(Exception):  # noqa: N818 - not an error: it ends like the worker's death
    """An answer that no honest worker gives."""


def pack_limits(limits: Limits) -> bytes:
    """Return the first thing that a worker reads. Time is the host's business."""
    return LIMITS.pack(*(getattr(limits, name) for name in _BOUNDS))


def unpack_limits(data: bytes) -> Limits:
    """Return the limits that a worker was given."""
    return Limits(**dict(zip(_BOUNDS, LIMITS.unpack(data), strict=True)), seconds=None)


def pack_ready(trouble: str = "") -> bytes:
    """Return the first thing that a worker says: ready, or why there is no cage."""
    text = trouble.encode("ascii", "replace")[:255]
    return READY.pack(_MAGIC, len(text)) + text


def unpack_ready(take: Take) -> str:
    """Return the trouble that a worker had, "" if it is ready."""
    magic, size = READY.unpack(take(READY.size))
    if magic != _MAGIC:
        raise Nonsense
    return _plain(take(size))


def pack_answer(reading: Reading, *, retires: bool) -> bytes:
    """Return what a worker says of one picture."""
    views, unread = reading.views[:_VIEWS], reading.unread[:_REASONS]
    body = b"".join(
        [view.pdq.raw + _text(view.label) for view in views] + [_text(each) for each in unread]
    )
    picture = reading.canonical
    header = ANSWER.pack(
        _MAGIC, len(body), reading.is_picture, retires, len(views), len(unread), len(picture or b"")
    )
    return b"".join((header, body, picture or b""))


def _text(text: str) -> bytes:
    cut = text.encode("ascii", "replace")[:_TEXT]
    return bytes((len(cut),)) + cut


def unpack_answer(take: Take, reading: Reading, most_canonical: int = 0) -> bool:
    """Add an answer, which *take* reads, to a reading; tell whether the worker retires.

    Args:
        take: Returns the next so many bytes.
        reading: Is left as it was if the answer is nonsense.
        most_canonical: Bytes that a canonical picture may take, 0 if none was asked for.

    Raises:
        Nonsense: It is not what `pack_answer` makes.
    """
    magic, size, is_picture, retires, views, reasons, more = ANSWER.unpack(take(ANSWER.size))
    if magic != _MAGIC or size > MOST or views > _VIEWS or reasons > _REASONS:
        raise Nonsense
    if more > most_canonical or (more and not views):
        raise Nonsense
    body = _Body(take(size))
    seen = [body.view() for _ in range(views)]
    unread = [body.text() for _ in range(reasons)]
    if body.left or max(is_picture, retires) > 1 or (views and not is_picture):
        raise Nonsense
    reading.canonical = take(more) if more else None
    reading.views += seen
    reading.unread += unread
    reading.is_picture = bool(is_picture)
    return bool(retires)


class _Body:
    """The bytes of an answer, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise Nonsense
        self._at += size
        return self._data[self._at - size : self._at]

    def text(self) -> str:
        size = self._take(1)[0]
        if size > _TEXT:
            raise Nonsense
        return _plain(self._take(size))

    def view(self) -> HashedView:
        raw = self._take(_PDQ)
        if max(raw[-2:]) > _QUALITY:
            raise Nonsense
        return HashedView(self.text(), Pdq(raw))


def _plain(data: bytes) -> str:
    """Return text that no terminal and no page takes for anything else."""
    return "".join(c if c.isprintable() else "?" for c in data.decode("ascii", "replace"))
