"""From files in the forms that publishers exchange to rows, one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorsill.errors import RowsError
from doorsill.publish import rows as rows_file
from doorsill.publish.columns import load_map, mapped_rows
from doorsill.publish.ncmec import ncmec_rows
from doorsill.publish.originals import original_rows
from doorsill.publish.rows import read_rows
from doorsill.publish.stopncii import stopncii_rows
from doorsill.publish.threatexchange import cache_rows, update_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.limits import Limits
    from doorsill.publish.rows import Row
    from doorsill.publish.sources import Source

FORMATS = ("rows", "columns", "te", "te-updates", "ncmec", "stopncii", "originals")
_LOOK = 1 << 16  # bytes of a file that tell its format
_JSON_FORMATS = (  # what stands first in the object tells the format
    (re.compile(rb'"hashRecords"\s*:'), "stopncii", ""),
    (re.compile(rb'"data"\s*:\s*\['), "te-updates", ""),
    (re.compile(rb'"value"\s*:\s*\['), "columns", "vics"),
)
_ICSE = re.compile(rb"\A(?:\xef\xbb\xbf)?MD5;SHA1;", re.IGNORECASE)


def read_source(source: Source, limits: Limits) -> Iterator[Row]:
    """Return the rows of a source, read as they are asked for.

    A folder, or a file whose name is of no format, holds originals.

    Raises:
        RowsError: The file is missing, of an unknown format or broken.
    """
    if not source.path.exists():
        raise RowsError(f"{source.path}: no such file; name a file of rows, or originals")
    form, map_ = source.format, source.map
    if not form:
        form, map_ = ("columns", map_) if map_ else _told_format(source)
    if form == "rows":
        return read_rows(source)
    if form == "columns":
        return mapped_rows(source, load_map(map_ or "pdq", source.path.parent))
    readers = {"te": cache_rows, "te-updates": update_rows, "ncmec": ncmec_rows,
               "stopncii": stopncii_rows}  # fmt: skip
    if form in readers:
        return readers[form](source)
    if form == "originals":
        return original_rows(source, limits)
    raise RowsError(f"{source.name}: format {form!r} is not one of {', '.join(FORMATS)}")


def _told_format(source: Source) -> tuple[str, str]:
    """Return format and column map of a file by its name and beginning."""
    suffix = source.path.suffix.lower()
    if source.path.is_dir() or suffix not in {
        rows_file.SUFFIX,
        ".te",
        ".csv",
        ".txt",
        ".xml",
        ".json",
    }:
        return "originals", ""
    if suffix in {rows_file.SUFFIX, ".te", ".xml"}:
        return {rows_file.SUFFIX: "rows", ".te": "te", ".xml": "ncmec"}[suffix], ""
    with source.open() as file:
        start = file.read(_LOOK)
    if suffix != ".json":
        return "columns", "icse" if _ICSE.match(start) else "pdq"
    for pattern, form, map_ in _JSON_FORMATS:
        if pattern.search(start):
            return form, map_
    raise RowsError(
        f"{source.name}: JSON of no known format; say which it is in a plan, with `format` or `map`"
    )
