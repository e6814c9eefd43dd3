"""Rows: what a publisher has of each picture, from a CSV file or from the originals."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from doorsill.core import DIGESTS
from doorsill.errors import RowsError
from doorsill.patience import Patience
from doorsill.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doorsill.limits import Limits

_PDQ_HEX = 64
_NAMES = ("hash", "quality", "name")
_MAX_FIELD = 4096  # characters; longer ones are no hash and no file name


@dataclass(frozen=True)
class Row:
    """What is known of one picture.

    Attributes:
        name: The publisher's name for it; only its digest goes into the list.
        hashes: (profile, 32 bytes, quality) of each frame.
        digests: By kind, of the file.
        origin: File and line, for the report.
        note: Why something was left out, "" if nothing was.
    """

    name: str
    origin: str
    hashes: tuple[tuple[str, bytes, int], ...] = ()
    digests: dict[str, bytes] = field(default_factory=dict)
    note: str = ""


def csv_rows(path: Path, profile: str) -> Iterator[Row]:
    """Yield the rows of a CSV of `hash,quality,name`, with or without that header line.

    The columns may stand in any order under a header; `filename` is taken for `name`.

    Raises:
        RowsError: The file cannot be read, or has no column `hash`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True)
            columns: tuple[str, ...] | None = None
            for fields in lines:
                if not fields:
                    continue
                if columns is None:
                    columns = _columns(fields, path)
                    if columns != _NAMES or fields[0].strip().lower() == "hash":
                        continue
                values = dict(zip(columns, fields, strict=False))
                yield _row(values, f"{path}:{lines.line_num}", profile)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = f"cannot be read as CSV ({error}); expected hash,quality,name"
        raise RowsError(f"{path}: {why}") from None


def _columns(fields: list[str], path: Path) -> tuple[str, ...]:
    if len(fields[0].strip()) == _PDQ_HEX:
        return _NAMES
    names = tuple("name" if f == "filename" else f for f in (f.strip().lower() for f in fields))
    if "hash" not in names:
        raise RowsError(f"{path}: its first line has no column 'hash'; expected hash,quality,name")
    return names


def _row(values: dict[str, str], origin: str, profile: str) -> Row:
    text = values.get("hash", "").strip()
    name = values.get("name", "").strip()[:_MAX_FIELD]
    if "\n" in name or "\r" in name:
        return Row("", origin, note="the name holds a line break: a quote may be left open above")
    try:
        value = bytes.fromhex(text) if text.isalnum() else b""
        quality = int(values.get("quality", "").strip() or 100)
    except ValueError:
        return Row(name, origin, note="the hash is not hexadecimal or the quality is no number")
    if len(value) != _PDQ_HEX // 2:
        return Row(name, origin, note=f"a PDQ hash has {_PDQ_HEX} hex digits, not {len(text)}")
    if not 0 <= quality <= 100:  # noqa: PLR2004 - PDQ's range
        return Row(name, origin, note=f"quality {quality} is not in 0..100")
    return Row(name or text, origin, ((profile, value, quality),))


def original_rows(path: Path, limits: Limits, *, named: bool) -> Iterator[Row]:
    """Yield one row for an original: digests of the file, PDQ of its views in profile `full`.

    One profile is enough: whoever opens the list hashes with the very same core. What is no
    picture is listed, by its digests, only if it was *named*: a folder's stray files would
    otherwise stop the same stray files everywhere.
    """
    found = read(path, replace(limits, seconds=None), Patience(None))
    if not path.is_file():
        yield Row(path.name, str(path), note="not a regular file")
        return
    if path.stat().st_size == 0:
        yield Row(path.name, str(path), note="empty: its digests are those of every empty file")
        return
    if not found.is_picture and not named:
        yield Row(path.name, str(path), note="not a picture; name it directly to list its digests")
        return
    if not found.digests:
        yield Row(path.name, str(path), note="; ".join(found.unread))
        return
    digests = dict(zip(DIGESTS, found.digests[0], strict=True))
    pdqs = [view.pdq for view in found.views]
    hashes = tuple(("full", pdq.hash("full"), pdq.quality("full")) for pdq in pdqs)
    note = "; ".join(found.unread)
    if not found.is_picture:
        note = "not a picture: only its digests are listed"
    yield Row(path.name, str(path), hashes, digests, note)
