"""The decode worker: a process that warms its codecs, locks itself up, and serves.

Started by `pool.Pool` (a frozen app calls `main` from its own command line), never imported
by a host. Pictures come in on stdin and what they give goes out on stdout, as `wire` says.
"""

from __future__ import annotations

import io
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from PIL import Image

from doorsill import cage, reading, wire
from doorsill.coding import Coding
from doorsill.errors import IsolationError, ModelError
from doorsill.images import opening
from doorsill.images.remains import remains
from doorsill.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorsill.limits import Limits
    from doorsill.neural import Model, ModelFile

_WARM = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "ICO")
_RETIRES_AFTER = 100  # seconds of CPU time, well before the kernel ends it
_SHARE = 0.9  # of the time given, after which what is known is said: better than being killed


def main() -> None:
    """Serve pictures until the host goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the host
    source, sink = _own_pipes()
    limits, files = wire.unpack_start(source.read)
    try:
        warm(limits)
        digests = [file.digest for file in files]
        models, lacking = load(files)
        cage.prove_outside(limits.memory)
        cage.enter(limits.memory)
        cage.prove_inside(limits.memory)
    except (IsolationError, OSError, ImportError) as error:
        sink.write(wire.pack_ready(str(error) or "no reason is known"))
        return
    sink.write(wire.pack_ready("", lacking))
    serve(source, sink, limits, models, digests)
    os._exit(0)  # whatever an orderly end would tidy up, the kernel does; it could not open files


def _own_pipes() -> tuple[Any, Any]:
    """Take the pipes away from stdin and stdout, where a codec's message would spoil an answer."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.closerange(max(source, sink, nothing) + 1, os.sysconf("SC_OPEN_MAX"))
    os.close(nothing)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb", buffering=0)


def warm(limits: Limits) -> None:
    """Decode a little of everything: inside the cage no module can be imported any more."""
    opening.load_plugins()
    picture = Image.new("RGB", (16, 16), (200, 100, 50))
    for kind in _WARM:
        file = io.BytesIO()
        try:
            picture.save(file, kind)
        except (OSError, KeyError, ValueError):
            continue  # this Pillow was built without it
        reading.decode(file.getvalue(), limits, reading.Reading(), lambda: None, Coding())
    list(remains(picture.tobytes(), picture.width, 1.0))


def load(files: list[ModelFile]) -> tuple[list[Model], list[str]]:
    """Return models that have hashed something, and for each file what it lacks to be one.

    Emptied on the way, for a model keeps no use of its file's bytes.
    """
    models, lacking = [], []
    while files:
        from doorsill.neural import Model  # noqa: PLC0415 - few lists ask for a model

        try:
            model = Model(files.pop(0))
            model.code(bytes(3 * model.config.side**2))
        except ModelError as error:
            lacking.append(str(error))
        else:
            models.append(model)
            lacking.append("")
    return models, lacking


def serve(
    source: Any,
    sink: Any,
    limits: Limits,
    models: Sequence[Model] = (),
    digests: Sequence[bytes] = (),
) -> None:
    """Answer for one picture after another until the source ends."""
    while len(header := source.read(wire.REQUEST.size)) == wire.REQUEST.size:
        size, milliseconds, wanted = wire.REQUEST.unpack(header)
        canonical, margins = bool(wanted & wire.CANONICAL), bool(wanted & wire.MARGINS)
        # From here on: taking the picture in counts.
        check = Patience(_SHARE * milliseconds / 1000 if milliseconds else None).check
        found = reading.Reading()
        data = source.read(size)
        sink.write(wire.TAKEN)
        try:
            coding = Coding(models, margins=margins)
            reading.decode(data, limits, found, check, coding, canonical=canonical)
        except MemoryError:
            found.unread.append("memory: it takes more than a decoder may")
        retires = time.process_time() > _RETIRES_AFTER
        _write(sink, wire.pack_answer(found, retires=retires, models=digests))


def _write(sink: Any, answer: bytes) -> None:
    rest = memoryview(answer)
    while rest:
        rest = rest[sink.write(rest) :]


if __name__ == "__main__":
    main()
