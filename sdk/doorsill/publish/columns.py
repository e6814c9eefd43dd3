"""Rows from any CSV, or JSON of flat records, through a column map in TOML.

Publishers' columns are not public and differ, so a map says which column is what. Some are shipped
in the folder `maps`; `sdk/doorsill/publish/README.md` explains the keys.
"""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from doorsill.core import DIGESTS
from doorsill.errors import RowsError
from doorsill.publish.records import json_records, seconds
from doorsill.publish.rows import DIGEST_BYTES, MAX_NAME, PDQ_BYTES, Row, parse_hash, parse_quality

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from doorsill.publish.sources import Source

_PLAIN = {"format": "csv|json", "delimiter": r"[^\w\s\"]|\t", "records": r"[\w.]+"}
_SEVERAL = "it goes over several lines: a quote may be left open, and rows hidden in it"


@dataclass(frozen=True)
class ColumnMap:
    """Which column is what. A list names several of which the first that is there counts.

    Attributes:
        format: "csv" or "json".
        delimiter: Between the fields of a CSV.
        columns: Names of the columns of a CSV without a header line.
        records: Where the records of a JSON file are, as ijson writes it (`value.item`).
        pdq: Column of the PDQ hash; likewise quality, key, category, time and the three digests.
        unusable: Columns of hashes that nothing here can compare.
        accept: By column, the only values with which a row is taken.
        removed: By column, values with which a row says that it was taken back.
    """

    format: str = "csv"
    delimiter: str = ","
    columns: list[str] = field(default_factory=list)
    records: str = "item"
    pdq: list[str] = field(default_factory=list)
    quality: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    category: list[str] = field(default_factory=list)
    time: list[str] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    sha1: list[str] = field(default_factory=list)
    md5: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    accept: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)

    def hashes(self) -> set[str]:
        """Return the names of all columns with something to compare."""
        return {name.lower() for kind in ("pdq", *DIGESTS) for name in getattr(self, kind)}


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says; `RowsError` tells what is wrong with it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError among them
        why = getattr(error, "strerror", None) or error
        raise RowsError(f"{path}: {why}; it should be TOML in UTF-8") from None


def load_map(name: str, beside: Path) -> ColumnMap:
    """Return a shipped map by its name, or the one in a file, whose path starts at *beside*."""
    if name.endswith(".toml"):
        path = beside / name
    else:
        path = files("doorsill.publish").joinpath("maps", f"{name}.toml")  # type: ignore[assignment]
        if not path.is_file():
            raise RowsError(f"{name}: no such column map; shipped are {', '.join(shipped_maps())}")
    told = read_toml(path)
    told.pop("about", None)
    known = [*ColumnMap.__dataclass_fields__]
    if unknown := sorted(told.keys() - known):
        raise RowsError(f"{path}: {unknown[0]!r} means nothing here; known are {', '.join(known)}")
    try:
        made = {key: _listed(key, value) for key, value in told.items()}
        read = ColumnMap(**made)
    except (TypeError, ValueError, AttributeError) as error:
        raise RowsError(
            f"{path}: {error}; see sdk/doorsill/publish/README.md for the keys"
        ) from None
    if not read.hashes():
        raise RowsError(f"{path}: it names no column of hashes; give pdq, md5, sha1 or sha256")
    return read


def shipped_maps() -> list[str]:
    """Return the names of the maps in the package."""
    folder = files("doorsill.publish").joinpath("maps")
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir()
                  if each.name.endswith(".toml"))  # fmt: skip


def _listed(key: str, value: Any) -> Any:
    if key in _PLAIN:
        if not isinstance(value, str) or not re.fullmatch(_PLAIN[key], value):
            raise ValueError(f"{key} cannot be {value!r}")
        return value
    if key in {"accept", "removed"}:
        return {
            column.lower(): [str(each) for each in allowed] for column, allowed in value.items()
        }
    return [value.lower()] if isinstance(value, str) else [each.lower() for each in value]


def mapped_rows(source: Source, columns: ColumnMap) -> Iterator[Row]:
    """Yield the rows of a file through a column map.

    Raises:
        RowsError: It is no CSV or JSON, or no column of the map is in it.
    """
    if columns.format == "csv":
        yield from _csv_rows(source, columns)
        return
    for number, record in enumerate(json_records(source, columns.records), 1):
        flat = {name.lower(): _flat(value) for name, value in record.items()}
        yield _row(flat.get, columns, source, f"{source.name}: record {number}")


def _flat(value: Any) -> str:
    """Return a JSON value as a CSV would hold it; of a list of hashes, that there is one."""
    if isinstance(value, list | dict):
        return "there" if value else ""
    return "" if value is None else str(value)


def _csv_rows(source: Source, columns: ColumnMap) -> Iterator[Row]:
    with source.open() as file:
        lines = csv.reader(source.text(file), delimiter=columns.delimiter, strict=True)
        try:
            positions: dict[str, int] | None = None
            last = 0
            for fields in lines:
                several, last = lines.line_num - last > 1, lines.line_num
                source.tick(file.tell)
                if not fields:
                    continue
                if positions is None:
                    positions, is_header = _positions(fields, columns, source)
                    if is_header:
                        continue
                row = _row(_getter(positions, fields), columns, source, f"{source.name}:{last}")
                yield row._replace(notes=(*row.notes, _SEVERAL)) if several else row
        except csv.Error as error:
            raise RowsError(f"{source.name}:{lines.line_num}: cannot be read as CSV ({error}); "
                            "a quote may be left open above") from None  # fmt: skip


def _positions(
    fields: Sequence[str], columns: ColumnMap, source: Source
) -> tuple[dict[str, int], bool]:
    """Return where each column stands, and whether this first line was the header."""
    names = [name.strip().lower() for name in fields]
    if columns.hashes() & set(names):
        return {name: at for at, name in reversed(list(enumerate(names)))}, True
    if columns.columns and any(len(name) == 2 * PDQ_BYTES for name in names):
        return {name: at for at, name in enumerate(columns.columns)}, False
    wanted = ", ".join(sorted(columns.hashes()))
    raise RowsError(f"{source.name}: its first line has no column of hashes; expected one of "
                    f"{wanted}, or name a column map")  # fmt: skip


def _getter(positions: dict[str, int], fields: Sequence[str]) -> Callable[[str], str | None]:
    def get(name: str) -> str | None:
        at = positions.get(name)
        return fields[at] if at is not None and at < len(fields) else None

    return get


def _first(get: Callable[[str], str | None], names: Sequence[str]) -> str:
    for name in names:
        if value := get(name):
            return value.strip()
    return ""


def _row(get: Callable[[str], str | None], columns: ColumnMap, source: Source, origin: str) -> Row:
    own = _first(get, columns.key)[:MAX_NAME]
    words = [word for word in (_first(get, columns.category),) if word]
    category, why = source.category_of(words)
    time, wrong = seconds(_first(get, columns.time))
    why = why or _unaccepted(get, columns)
    notes = [note for note in (why, wrong) if note]
    hashes, digests = ((), ()) if why else _values(get, columns, source, notes)
    unusable = () if why else tuple(name for name in columns.unusable if get(name))
    if not (hashes or digests or unusable or notes):
        notes.append("it has no hash")
    content = [value.hex() for _, value, _ in hashes] + [value.hex() for _, value in digests]
    removed = any((get(name) or "").strip() in values for name, values in columns.removed.items())
    key = f"{source.publisher}\0{own or ' '.join(content)}"
    return Row(key, origin, source.publisher, category, time, removed,
               source.flags, hashes, digests, unusable, tuple(notes))  # fmt: skip


def _unaccepted(get: Callable[[str], str | None], columns: ColumnMap) -> str:
    for name, allowed in columns.accept.items():
        if (value := (get(name) or "").strip()) not in allowed:
            return f"{name} is {value[:40] or 'empty'}, not {' or '.join(allowed)}"
    return ""


def _values(
    get: Callable[[str], str | None], columns: ColumnMap, source: Source, notes: list[str]
) -> tuple[tuple[tuple[str, bytes, int], ...], tuple[tuple[str, bytes], ...]]:
    """Return PDQ hashes and digests, and note what could not be taken."""
    hashes, digests = [], []
    if text := _first(get, columns.pdq):
        value, wrong = parse_hash(text, PDQ_BYTES, "PDQ hash")
        quality, bad = parse_quality(_first(get, columns.quality))
        if wrong or bad:
            notes.append(wrong or bad)
        else:
            hashes.append((source.profile, value, quality))
    for kind in DIGESTS:
        if text := _first(get, getattr(columns, kind)):
            value, wrong = parse_hash(text, DIGEST_BYTES[kind], kind)
            if wrong:
                notes.append(wrong)
            else:
                digests.append((kind, value))
    return tuple(hashes), tuple(digests)
