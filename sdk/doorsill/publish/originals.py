"""From originals to rows, on the premises of whoever may hold them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from doorsill import cage, pool
from doorsill.album import in_order
from doorsill.core import DIGESTS, PROFILES
from doorsill.errors import ModelError, RowsError
from doorsill.listset import ListSet
from doorsill.models import Models
from doorsill.patience import Patience
from doorsill.publish.rows import Row, row_line
from doorsill.reading import read

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from doorsill.limits import Limits
    from doorsill.publish.sources import Source
    from doorsill.reading import Decoder

_BEGINS = b'{"key": '  # how every line of a rows file begins
_UNMADE = "its neural hash could not be made"
_SECONDS = 60.0  # for one picture: a busy machine must not change what a list holds


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, all the way down, in one order; links are not followed."""
    for each in sorted(folder.iterdir(), key=lambda path: path.name):
        if each.is_dir() and not each.is_symlink():
            yield from walk(each)
        elif not each.is_dir():
            yield each


def original_rows(source: Source, limits: Limits) -> Iterator[Row]:
    """Yield a row for an original, or for each in a folder.

    What is no picture is listed, by its digests, only if it was named itself: a folder's stray
    files would otherwise stop the same stray files everywhere.
    """
    category, why = source.category_of([])
    is_folder = source.path.is_dir()
    files = walk(source.path) if is_folder else iter([source.path])
    for done, (path, row) in enumerate(
        hashed(files, limits, source.isolation, source.models, named=not is_folder)
    ):
        if source.progress is not None and is_folder:
            source.progress(done, 0, path.name)
        if why:
            row = row._replace(hashes=(), digests=(), codes=(), notes=(why,))  # noqa: PLW2901
        key = f"{source.publisher}\0{row.key}" if row.key else ""
        yield row._replace(key=key, publisher=source.publisher, category=category,
                           flags=source.flags)  # fmt: skip


def hash_folder(  # noqa: PLR0913 - all that a publisher can say of one folder
    folder: Path,
    output: Path,
    limits: Limits,
    *,
    isolation: str = "worker",
    models: Models | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> tuple[int, int, int]:
    """Append rows of all originals in a folder to a rows file.

    The file is its own journal: a line is written whole or, after a kill, cut off and done again;
    what stands there already, by its path in the folder, is not read again.

    Args:
        folder: Paths in the file are relative to it.
        output: The rows file.
        limits: What one picture may cost.
        isolation: As of a Gate.
        models: What makes neural hashes, too. A file of rows made without them is not gone on with.
        progress: Called with how many are done and the name of the last. What it raises stops it.

    Returns:
        How many rows the file holds, how many of them are new, and how many of these have notes.

    Raises:
        RowsError: The folder is none, or the file holds something else, or rows that lack the
            models' hashes.
        ModelError: A model cannot be used here.
    """
    if not folder.is_dir():
        raise RowsError(f"{folder}: not a folder; name the one with the originals")
    done = _resume(output, models or Models())
    fresh = noted = 0
    files = (path for path in walk(folder) if _name(path, folder) not in done and path != output)
    with output.open("a", encoding="ascii", newline="\n") as journal:
        for path, row in hashed(files, limits, isolation, models, named=False):
            journal.write(_line(row, _name(path, folder)))
            journal.flush()
            fresh, noted = fresh + 1, noted + bool(row.notes)
            if progress is not None:
                progress(len(done) + fresh, path.name)
        os.fsync(journal.fileno())
    return len(done) + fresh, fresh, noted


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)).encode("utf-8", "backslashreplace").decode()


def _line(row: Row, name: str) -> str:
    """Return the row as a line whose last field is the path, which `_resume` looks for."""
    keyed = row if row.key else row._replace(key=f"unread {name}")
    return row_line(keyed).rstrip("}\n") + f', "path": {json.dumps(name)}}}\n'


def _resume(output: Path, models: Models) -> set[str]:
    """Return the paths that a rows file holds, and cut off a line that was not finished.

    Raises:
        RowsError: It holds something else, or pictures that a model of these has not hashed.
    """
    done: set[str] = set()
    if not output.exists():
        return done
    digests = {file.digest.hex() for file in models.files}
    lacking = end = 0
    with output.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n") and (line.startswith(_BEGINS) or _BEGINS.startswith(line)):
                break  # a kill left it
            try:
                row = json.loads(line)
                done.add(row["path"])
                lacking += _lacks(row, digests)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise RowsError(f"{output}: holds something else than rows of originals; name "
                                "another file to write to") from None  # fmt: skip
            end += len(line)
        if lacking:
            names = ", ".join(each.config.name for each in models.files)
            raise RowsError(f"{output}: {lacking} of its {len(done)} rows lack a hash by {names}; "
                            "name another file, and every original is hashed anew")  # fmt: skip
        file.truncate(end)
    return done


def _lacks(row: dict[str, Any], digests: set[str]) -> bool:
    """Tell whether a row is of a picture that one of these models has not been asked about."""
    if not row["pdq"] or _UNMADE in row.get("notes", ()):
        return False
    return bool(digests - {model for model, _ in row.get("codes", ())})


def hashed(
    files: Iterable[Path],
    limits: Limits,
    isolation: str,
    models: Models | None = None,
    *,
    named: bool,
) -> Iterator[tuple[Path, Row]]:
    """Yield files and their rows in the order given, while all cores work on those ahead.

    Pictures are decoded in caged processes, one for each core, so that one which breaks its
    decoder costs its own row; inline they are decoded here, one after the other.

    Raises:
        IsolationError: There is no cage here, and "inline" was not asked for.
        ModelError: A model cannot be used here, so that rows would lack its hashes.
    """
    limits = replace(limits, seconds=_SECONDS)
    models = models or Models()
    if isolation == "inline":
        yield from ((path, _hash(path, limits, None, models, named=named)) for path in files)
        return
    cage.require()
    workers = pool.Pool(limits, ListSet(models=models))

    def caged(path: Path, stop: threading.Event) -> tuple[Path, Row]:
        decoder = partial(workers.decode, Patience(None, stop))
        return path, _hash(path, limits, decoder, models, named=named)

    try:
        yield from in_order(caged, files)
    finally:
        workers.close()


def _hash(
    path: Path, limits: Limits, decoder: Decoder | None, models: Models, *, named: bool
) -> Row:
    """Return the row of one file; its key is its SHA-256, for names of files change."""
    origin = str(path)
    try:
        if not path.is_file():
            return Row("", origin, notes=("not a regular file",))
        if path.stat().st_size == 0:
            return Row("", origin, notes=("empty: its digests are those of every empty file",))
    except OSError as error:
        return Row("", origin, notes=(f"cannot be read: {error.strerror}",))
    found = read(path, limits, Patience(None), decoder, models=models.load)
    for why in models.lacking.values():
        raise ModelError(why)
    if not found.is_picture and not named:
        return Row("", origin, notes=("not a picture; name it directly to list its digests",))
    if not found.digests:
        return Row("", origin, notes=tuple(found.unread))
    digests = tuple(zip(DIGESTS, found.digests[0], strict=True))
    hashes = tuple((profile, view.pdq.hash(profile), view.pdq.quality(profile))
                   for view in found.views for profile in PROFILES)  # fmt: skip
    codes = tuple((model.hex(), code) for view in found.views for model, code in view.codes)
    notes = (
        tuple(found.unread) if found.is_picture else ("not a picture: only its digests are listed",)
    )
    if found.views and models.files and not codes:
        notes += (_UNMADE,)
    return Row(
        digests[0][1].hex(), origin, hashes=hashes, digests=digests, codes=codes, notes=notes
    )
