"""Bytes in, hashes out: the seam at which a caged process can do the decoding.

A `Reading` holds what a picture's bytes gave: hashes of its views and digests, and no pixels but
those of a canonical picture that the host asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from doorsill.coding import Coding
from doorsill.core import GROUNDS, MAX_SIDE, Hasher, Pdq, has_alpha
from doorsill.digests import PIECE, TooLong, digest, of_pieces, pieces_of
from doorsill.files import open_regular
from doorsill.listset import ListSet
from doorsill.patience import TimeUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from PIL import Image

    from doorsill.coding import Codes
    from doorsill.core import Resizer
    from doorsill.digests import Digests
    from doorsill.images import View
    from doorsill.limits import Limits
    from doorsill.neural import Model
    from doorsill.patience import Patience

    Load = Callable[[], Sequence[Model]]
    Check = Callable[[], None]
    Decoder = Callable[[bytes, "Reading", Check], None]

_LATE = "time: the deadline passed before all of it was read"


@dataclass(frozen=True)
class HashedView:
    """The hashes of one view, and what it is called in `--explain`; codes are the neural ones."""

    label: str
    pdq: Pdq
    codes: Codes = ()


@dataclass
class Reading:
    """What one picture gave.

    Attributes:
        views: Hashes of every view that could be read.
        digests: Of the bytes that will be sent, then of the original they were made from.
        unread: Why parts that a viewer may show were not read.
        is_picture: Whether the bytes claim to be a picture.
        in_host: Whether pixels were read that the host had decoded, so that no worker was asked.
        sha256: Of the bytes that the host may send, b"" where it gave pixels or a PIL image, which
            it may encode anew.
        canonical: The canonical picture, where it was asked for and can be made.
        asked: Names of sealed lists whose server answered.
        listed: The lists that a Gate hashed it for; empty where no Gate did.
    """

    views: list[HashedView] = field(default_factory=list)
    digests: list[Digests] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    is_picture: bool = True
    in_host: bool = False
    sha256: bytes = b""
    canonical: bytes | None = None
    asked: list[str] = field(default_factory=list)
    listed: ListSet = field(default=ListSet(), repr=False, compare=False)

    def add(self, label: str, pdq: Pdq) -> bool:
        """Keep a view unless an earlier one has the same hashes, and tell whether it was kept."""
        if any(view.pdq.raw == pdq.raw for view in self.views):
            return False
        self.views.append(HashedView(label, pdq))
        return True

    def code(self, coded: Iterable[tuple[int, Codes]]) -> None:
        """Add the neural hashes of views, by their places."""
        for place, codes in coded:
            self.views[place] = replace(self.views[place], codes=codes)


def hash_rows(
    view: View, coding: Coding, check: Callable[[], None]
) -> list[tuple[str, Pdq, list[Resizer]]]:
    """Return ground, PDQ and squashed pixels of a view, made a band at a time; [] if one fails.

    An image with alpha is hashed over white and over black. Pillow keeps RGB in 4 bytes a
    pixel, so asking for RGBX spares it a repacking.
    """
    width, height = view.size
    mode = "RGBX" if view.mode == "RGB" else view.mode
    grounds = GROUNDS[:2] if mode == "RGBA" else GROUNDS[:1]  # images.py makes the others
    hashers = [Hasher(width, height, mode, ground) for ground in grounds]
    resizers = [coding.begin(width, height, mode, ground) for ground in grounds]
    takers: list[Hasher | Resizer] = [*hashers, *chain(*resizers)]
    stride = width * (1 if mode == "L" else 4)
    step = max(16, PIECE // stride // 16 * 16)
    for top in range(0, height, step):
        check()
        bottom = min(top + step, height)
        pixels = view.pixels(top, bottom, mode)
        if pixels is None:
            return []
        for taker in takers:
            taker.rows(pixels, stride, bottom - top)
    ends = [hasher.end(margins=coding.margins) for hasher in hashers]
    return list(zip(grounds, ends, resizers, strict=True))


def _hash_views(
    views: Iterator[View],
    reading: Reading,
    check: Callable[[], None],
    coding: Coding,
    name: str = "",
) -> None:
    while (view := next(views, None)) is not None:  # so that no name holds the last one's pixels
        hashed = hash_rows(view, coding, check)
        for ground, pdq, squashed in hashed:
            over = f" over {ground}" if len(hashed) > 1 else ""
            if reading.add(name + view.label + over, pdq):
                coding.take(len(reading.views) - 1, squashed)
        reading.code(coding.finish(check, early=True))
    reading.code(coding.finish(check, early=False))


def read(  # noqa: PLR0913 - all that a Gate can say of one reading
    picture: Any,
    limits: Limits,
    patience: Patience,
    decoder: Decoder | None = None,
    *,
    canonical: bool = False,
    margins: bool = False,
    models: Load = tuple,
) -> Reading:
    """Return what a picture gives: a path, bytes, a binary file, a PIL image or a uint8 array.

    Args:
        picture: The picture.
        limits: What it may cost.
        patience: How long it may take. Where it has no end, decoding ends by the limits; files that
            are too large to be decoded, videos mostly, are digested for as long as that takes.
        decoder: Adds what a file's bytes give to a reading, in another process for instance, and
            calls its third argument while it waits. None: `decode`, here and now.
        canonical: Whether `decode` shall also make the canonical picture of a file.
        margins: Whether hashes come with how certain their bits are.
        models: Gives the neural hashers for what is hashed here and now.

    Raises:
        TypeError: It is none of these. Whatever else is wrong ends in `Reading.unread`.
    """
    reading = Reading()
    check = patience.within(limits.seconds).check
    source = _Source(reading, limits, check, decoder, canonical, margins, patience.check, models)
    try:
        check()
        if isinstance(picture, str | os.PathLike):
            _read_path(picture, source)
        elif hasattr(picture, "getbands"):  # a PIL image, told without loading PIL
            _read_image(picture, source)
        elif isinstance(picture, bytes | bytearray):
            _read_bytes(bytes(picture), source)
        elif hasattr(picture, "read"):
            _read_file(picture, source)
        else:
            _read_array(picture, source)
    except TimeUp:
        reading.unread.append(_LATE)
        if not reading.digests:
            reading.is_picture = True  # whatever it is: nothing of it was compared
    return reading


@dataclass(frozen=True)
class _Source:
    """Where a picture's reading goes, and how it is made."""

    reading: Reading
    limits: Limits
    check: Callable[[], None]
    decoder: Decoder | None
    canonical: bool
    margins: bool
    digesting: Check
    models: Load

    def decode(self, data: bytes, meanwhile: Callable[[], None]) -> None:
        reading = self.reading
        if self.decoder is not None:
            self.decoder(data, reading, meanwhile)
        else:
            meanwhile()
            coding = Coding(self.models(), margins=self.margins)
            decode(data, self.limits, reading, self.check, coding, canonical=self.canonical)
        if reading.canonical is not None:
            reading.digests.append(digest(reading.canonical))
            reading.sha256 = reading.digests[-1][0]


def decode(  # noqa: PLR0913 - likewise
    data: bytes,
    limits: Limits,
    reading: Reading,
    check: Callable[[], None],
    coding: Coding,
    *,
    canonical: bool = False,
) -> None:
    """Add what a file shows to a reading. The only step that codecs take part in."""
    from doorsill import images  # noqa: PLC0415 - Pillow is loaded with the first picture

    made: list[bytes] = []

    def shown(image: Image.Image | None) -> None:
        made[:] = [] if image is None else [images.encoded(image, limits)]

    try:
        views = images.views(data, limits, reading.unread, check, shown if canonical else None)
        _hash_views(views, reading, check, coding)
        if made and len(made[0]) <= limits.bytes:
            _add_canonical(made[0], limits, reading, check, coding.again())
    except images.NotAPicture:
        reading.is_picture = False
    except TimeUp:
        reading.unread.append(_LATE)


def _add_canonical(
    data: bytes, limits: Limits, reading: Reading, check: Check, coding: Coding
) -> None:
    """Add the canonical picture and its own views: encoding it may have moved a hash.

    It is sent instead of the original, so what could not be read there no longer counts; what was
    seen there does.
    """
    from doorsill import images  # noqa: PLC0415 - likewise

    unread: list[str] = []
    views = images.views(data, limits, unread, check)
    _hash_views(views, reading, check, coding, "canonical, ")
    reading.canonical, reading.unread = data, unread


def _read_file(file: Any, source: _Source, step: int = PIECE) -> None:
    """Read a binary file; one over the bound is digested to its end and never held whole."""
    pieces = pieces_of(file, step)
    parts, size = [], 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > source.limits.bytes:
            _refuse(parts[0], chain(parts, pieces), source)
            return
    _read_bytes(b"".join(parts), source)


def _read_bytes(data: bytes, source: _Source) -> None:
    reading = source.reading
    if len(data) > source.limits.bytes:
        _refuse(data, (data,), source)
        return

    def sums() -> None:
        reading.digests[:] = [digest(data)]
        reading.sha256 = reading.digests[0][0]

    source.decode(data, sums)


def _refuse(start: bytes, pieces: Iterable[bytes], source: _Source) -> None:
    """Say that a file is too large to be decoded; its digests are compared all the same."""
    from doorsill import images  # noqa: PLC0415 - Pillow is loaded with the first picture

    source.reading.is_picture = images.claims_picture(start)
    source.reading.unread.append(f"size: it is larger than {source.limits.bytes} bytes")
    try:
        digests = of_pieces(pieces, source.digesting, source.limits.digest_bytes)
    except TooLong:
        _give_up(source)
    else:
        source.reading.digests.append(digests)
        source.reading.sha256 = digests[0]


def _give_up(source: _Source) -> None:
    source.reading.unread.append(f"size: it is larger than {source.limits.digest_bytes} bytes")
    source.reading.is_picture = True  # whatever it is: nothing of it was compared


def _read_image(image: Any, source: _Source) -> None:
    """Read an image that the host opened with Pillow: by its file where it is not decoded yet."""
    reading = source.reading
    if getattr(image, "fp", None) is not None and getattr(image, "_im", None) is None:
        _read_undecoded(image.fp, source)
        if not reading.is_picture:  # Pillow knows more formats than are decoded here
            reading.is_picture = True
            reading.unread.append("format: it is not one that is read; decode it first")
        return
    from doorsill import images  # noqa: PLC0415 - Pillow is loaded with the first picture

    reading.in_host = True
    found = images.pixels(image, source.limits, reading.unread, source.check)
    coding = Coding(source.models(), margins=source.margins)
    _hash_views(found, reading, source.check, coding)


def _read_undecoded(file: Any, source: _Source) -> None:
    at = file.tell()
    file.seek(0)  # Pillow asks no more of a file than that it can
    try:
        _read_file(file, source)
    finally:
        file.seek(at)
        if source.reading.canonical is None:
            source.reading.sha256 = b""  # the host may encode it anew


def _read_path(path: str | os.PathLike[str], source: _Source) -> None:
    """Read a file. One that cannot be opened is unread, not an error: the host must not send it."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > source.limits.digest_bytes:
                _give_up(source)
            elif size > source.limits.bytes:
                start = file.read(PIECE)
                _refuse(start, pieces_of(file), source)
            else:
                _read_file(file, source, size + 1)  # in one piece
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or "it cannot be read"
        source.reading.unread.append(f"file: {why}")


def _read_array(array: Any, source: _Source) -> None:
    """Read a uint8 array of shape (height, width[, 1, 3 or 4]): gray, RGB or RGBA."""
    try:
        pixels = memoryview(array)
    except TypeError:
        raise TypeError(f"cannot read {type(array).__name__}; pass a path, bytes, a binary file, "
                        "a PIL image or a uint8 array") from None  # fmt: skip
    reading, limits = source.reading, source.limits
    reading.in_host = True
    shape = (*(pixels.shape or ()), 1) if pixels.ndim == 2 else pixels.shape  # noqa: PLR2004
    height, width, channels = shape if shape and len(shape) == 3 else (0, 0, 0)  # noqa: PLR2004
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    if pixels.format != "B" or channels not in modes or not height or not width:
        raise TypeError(f"an array of {pixels.format!r} and shape {pixels.shape} is no picture; "
                        "pass uint8 of shape (height, width), (.., 3) or (.., 4)")  # fmt: skip
    if max(height, width) > min(limits.side, MAX_SIDE) or height * width > limits.pixels:
        reading.unread.append(f"size: {width} x {height} pixels are over the limit")
        return
    # The core wants rows without gaps between pixels; anything else is copied once.
    data = pixels if pixels.c_contiguous else pixels.tobytes()
    mode = modes[channels]
    if mode == "RGBA" and not has_alpha(data, width, height):
        mode = "RGBX"
    coding = Coding(source.models(), margins=source.margins)
    for ground in GROUNDS if mode == "RGBA" else GROUNDS[:1]:
        hasher = Hasher(width, height, mode, ground)
        resizers = coding.begin(width, height, mode, ground)
        takers: list[Hasher | Resizer] = [hasher, *resizers]
        for taker in takers:
            taker.rows(data, width * channels, height)
        label = f"as given over {ground}" if mode == "RGBA" else "as given"
        if reading.add(label, hasher.end(margins=coding.margins)):
            coding.take(len(reading.views) - 1, resizers)
    reading.code(coding.finish(source.check, early=False))
