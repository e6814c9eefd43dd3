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

from doorsill.coding import MOST_CODES, MOST_VIEWS
from doorsill.core import MARGINS_BYTES, MAX_VIEWS, Pdq
from doorsill.limits import Limits
from doorsill.reading import HashedView, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorsill.neural import ModelFile

    Take = Callable[[int], bytes]

# Bytes of the picture, milliseconds that it may take (0: no end), what is wanted beside hashes.
REQUEST = struct.Struct("<QQB")
CANONICAL, MARGINS = 1, 2
TAKEN = b"+"  # the worker has the whole picture: from now on its death is the picture's doing
# Magic, bytes that follow, is a picture, retires, views, unread, bytes of the canonical picture
# behind all that (0: there is none).
ANSWER = struct.Struct("<4sIBBHBQ")
READY = struct.Struct("<4s")  # magic; texts follow: why there is no cage, what models lack

# Name, side, width in bits, bytes that follow, their SHA-256, whether originals are hashed: a model
# that views are hashed by.
MODEL = struct.Struct("<24sHHI32s?")
CODE_BYTES = 64  # of the widest hash that a list can hold

_MAGIC = b"dsw2"
_PDQ = 514  # bytes of a `doorsill_pdq`
_QUALITY = 100
_TEXT = 120  # characters of a label or reason
_TROUBLE = 255  # likewise, of what a worker lacks
_VIEWS = MAX_VIEWS + 1  # one more than are compared, so that the Gate notices
_REASONS = 20
_CODES = 2 * MOST_VIEWS * MOST_CODES  # of a picture and of its canonical form
MOST = (
    _VIEWS * (_PDQ + MARGINS_BYTES + 1 + _TEXT + 1)
    + _CODES * (1 + CODE_BYTES)
    + _REASONS * (1 + _TEXT)
)
"""Bytes of the longest answer behind its header."""

_BOUNDS = [each.name for each in fields(Limits) if not each.name.endswith("seconds")]
LIMITS = struct.Struct(f"<{len(_BOUNDS)}QB")  # and how many models follow


class Nonsense(Exception):  # noqa: N818 - not an error: it ends like the worker's death
    """An answer that no honest worker gives."""


def pack_start(limits: Limits, models: Sequence[ModelFile] = ()) -> bytes:
    """Return the first thing that a worker reads. Time is the host's business."""
    told = [LIMITS.pack(*(getattr(limits, name) for name in _BOUNDS), len(models))]
    for config, digest, data, originals in models:
        name, size = config.name.encode(), len(data)
        told += [MODEL.pack(name, config.side, config.bits, size, digest, originals), data]
    return b"".join(told)


def unpack_start(take: Take) -> tuple[Limits, list[ModelFile]]:
    """Return the limits and models that a worker was given, which *take* reads."""
    *bounds, count = LIMITS.unpack(take(LIMITS.size))
    models = [_unpack_model(take) for _ in range(count)]
    return Limits(**dict(zip(_BOUNDS, bounds, strict=True)), seconds=None), models


def _unpack_model(take: Take) -> ModelFile:
    from doorsill.neural import Config, ModelFile  # noqa: PLC0415 - few lists ask for a model

    name, side, bits, size, digest, originals = MODEL.unpack(take(MODEL.size))
    name = name.rstrip(b"\0").decode()
    config = Config(name, side, bits, "", digest.hex())
    return ModelFile(config, digest, take(size), originals)


def pack_ready(trouble: str = "", lacking: Sequence[str] = ()) -> bytes:
    """Return the first thing that a worker says: ready, or why there is no cage.

    Args:
        trouble: Why there is none, "" if there is one.
        lacking: For each model that it was given, why it cannot use it, "" if it can.
    """
    texts = [trouble, *lacking]
    return b"".join((READY.pack(_MAGIC), *(_text(text, _TROUBLE) for text in texts)))


def unpack_ready(take: Take, models: int = 0) -> tuple[str, list[str]]:
    """Return the trouble that a worker had, and the one with each of so many models."""
    if READY.unpack(take(READY.size)) != (_MAGIC,):
        raise Nonsense
    trouble = _take_text(take, _TROUBLE)
    return trouble, [] if trouble else [_take_text(take, _TROUBLE) for _ in range(models)]


def pack_answer(reading: Reading, *, retires: bool, models: Sequence[bytes] = ()) -> bytes:
    """Return what a worker says of one picture; *models* are digests of those it was given."""
    views, unread = reading.views[:_VIEWS], reading.unread[:_REASONS]
    numbers = {digest: bytes((number,)) for number, digest in enumerate(models)}
    body = b"".join(
        [
            view.pdq.raw + view.pdq.margins + _text(view.label) + _codes(view, numbers)
            for view in views
        ]
        + [_text(each) for each in unread]
    )
    picture = reading.canonical
    header = ANSWER.pack(
        _MAGIC, len(body), reading.is_picture, retires, len(views), len(unread), len(picture or b"")
    )
    return b"".join((header, body, picture or b""))


def _codes(view: HashedView, numbers: dict[bytes, bytes]) -> bytes:
    codes = [numbers[digest] + code for digest, code in view.codes]
    return bytes((len(codes),)) + b"".join(codes)


def _text(text: str, most: int = _TEXT) -> bytes:
    cut = text.encode("ascii", "replace")[:most]
    return bytes((len(cut),)) + cut


def unpack_answer(
    take: Take,
    reading: Reading,
    most_canonical: int = 0,
    models: Sequence[ModelFile] = (),
    *,
    margins: bool = False,
) -> bool:
    """Add an answer, which *take* reads, to a reading; tell whether the worker retires.

    Args:
        take: Returns the next so many bytes.
        reading: Is left as it was if the answer is nonsense.
        most_canonical: Bytes that a canonical picture may take, 0 if none was asked for.
        models: Those that the worker was given.
        margins: Whether they were asked for, with each hash.

    Raises:
        Nonsense: It is not what `pack_answer` makes.
    """
    magic, size, is_picture, retires, views, reasons, more = ANSWER.unpack(take(ANSWER.size))
    if magic != _MAGIC or size > MOST or views > _VIEWS or reasons > _REASONS:
        raise Nonsense
    if more > most_canonical or (more and not views):
        raise Nonsense
    body = _Body(take(size), models, MARGINS_BYTES if margins else 0)
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

    def __init__(self, data: bytes, models: Sequence[ModelFile], margins: int) -> None:
        self._data = data
        self._models = models
        self._margins = margins
        self._at = self._codes = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise Nonsense
        self._at += size
        return self._data[self._at - size : self._at]

    def text(self) -> str:
        return _take_text(self._take)

    def view(self) -> HashedView:
        raw = self._take(_PDQ)
        if max(raw[-2:]) > _QUALITY:
            raise Nonsense
        margins = self._take(self._margins)
        label, count = self.text(), self._take(1)[0]
        self._codes += count
        if count > MOST_CODES or self._codes > _CODES:
            raise Nonsense
        return HashedView(label, Pdq(raw, margins), tuple(self._code() for _ in range(count)))

    def _code(self) -> tuple[bytes, bytes]:
        number = self._take(1)[0]
        if number >= len(self._models):
            raise Nonsense
        model = self._models[number]
        return model.digest, self._take(model.config.bits // 8)


def _take_text(take: Take, most: int = _TEXT) -> str:
    size = take(1)[0]
    if size > most:
        raise Nonsense
    return _plain(take(size))


def _plain(data: bytes) -> str:
    """Return text that no terminal and no page takes for anything else."""
    return "".join(c if c.isprintable() else "?" for c in data.decode("ascii", "replace"))
