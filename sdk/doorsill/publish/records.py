"""What readers of exchange formats share: streamed JSON records, times, hashes by their names."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from doorsill.errors import RowsError
from doorsill.publish.rows import DIGEST_BYTES, LATEST, PDQ_BYTES, parse_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

_FRACTION = re.compile(r"\.\d+")  # of a second, in more ways than Python 3.10 reads
_LONGEST_TIME = 40  # characters
_DEEPEST = 32  # levels of JSON; the formats have 7
_LARGEST = 1 << 20  # values of one record


def json_records(source: Source, where: str) -> Iterator[dict[str, Any]]:
    """Yield the objects at a place of a JSON file (`data.item`), one at a time.

    Raises:
        RowsError: It is no JSON, or what stands there is no object.
    """
    try:
        import ijson  # noqa: PLC0415 - only who reads JSON needs the extra
    except ImportError:
        raise RowsError(
            f"{source.name}: JSON needs ijson; pip install 'doorsill[publisher]'"
        ) from None
    with source.open() as file:
        try:
            # Not ijson.items: it keeps a path for each level, so 100 kB of brackets fill 20 GB.
            events = ijson.basic_parse(file, multiple_values=True)
            for record in _records(events, where.split("."), source.name):
                yield record
                source.tick(file.tell)
        except (ijson.JSONError, UnicodeDecodeError, ValueError, ArithmeticError) as error:
            raise RowsError(f"{source.name}: cannot be read as JSON ({error})") from None


def _records(
    events: Iterator[tuple[str, Any]], where: list[str], name: str
) -> Iterator[dict[str, Any]]:
    path: list[str] = []  # to the value that comes next: keys, and "item" inside an array
    for kind, value in events:
        if kind == "map_key":
            path[-1] = value
        elif kind in {"end_map", "end_array"}:
            path.pop()
        elif path == where:
            if kind != "start_map":
                raise RowsError(f"{name}: {'.'.join(where)} holds something that is no record")
            yield _object(events, name)
        elif kind in {"start_map", "start_array"}:
            path.append("item" if kind == "start_array" else "")
            if len(path) > _DEEPEST:
                raise RowsError(f"{name}: its JSON is nested more than {_DEEPEST} deep")


def _object(events: Iterator[tuple[str, Any]], name: str) -> dict[str, Any]:
    """Return the object that has just begun."""
    made: dict[str, Any] = {}
    open_: list[Any] = [made]
    keys = [""]
    for count, (kind, value) in enumerate(events):
        if kind == "map_key":
            keys[-1] = value
            continue
        if kind in {"end_map", "end_array"}:
            open_.pop()
            keys.pop()
            if not open_:
                break
            continue
        new = {"start_map": {}, "start_array": []}.get(kind, value)
        if isinstance(open_[-1], list):
            open_[-1].append(new)
        else:
            open_[-1][keys[-1]] = new
        if kind in {"start_map", "start_array"}:
            open_.append(new)
            keys.append("")
        if len(open_) > _DEEPEST or count > _LARGEST:
            raise RowsError(f"{name}: a record is nested more than {_DEEPEST} deep, or larger than "
                            f"{_LARGEST} values")  # fmt: skip
    return made


def seconds(told: Any) -> tuple[int, str]:
    """Return a time of ISO 8601, or a count of seconds, in seconds since 1970, and what is wrong.

    A time without a zone is taken as UTC.
    """
    if told in (None, ""):
        return 0, ""
    text = str(told).strip()
    if len(text) > _LONGEST_TIME:
        return 0, "its time cannot be read"
    try:
        if isinstance(told, int | Decimal) or text.isdecimal():
            count = int(Decimal(text))
        else:
            text = _FRACTION.sub("", text.replace("Z", "+00:00"))
            if len(text) > 5 and text[-5] in "+-" and text[-4:].isdecimal():  # noqa: PLR2004
                text = f"{text[:-2]}:{text[-2:]}"  # +0000, which Python 3.10 does not read
            moment = datetime.fromisoformat(text)
            count = int(
                (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
            )
    except (ValueError, ArithmeticError):
        return 0, f"its time ({text}) cannot be read"
    return (count, "") if 0 <= count < LATEST else (0, f"its time ({text}) is out of range")


def one_value(
    kind: str, text: str, profile: str
) -> tuple[tuple[tuple[str, bytes, int], ...], tuple[tuple[str, bytes], ...], str]:
    """Return (hashes, digests, note) of one value; *kind* is "pdq" or a digest's name."""
    if kind == "pdq":
        value, wrong = parse_hash(text, PDQ_BYTES, "PDQ hash")
        return (((profile, value, 100),) if not wrong else ()), (), wrong
    value, wrong = parse_hash(text, DIGEST_BYTES[kind], kind)
    return (), (((kind, value),) if not wrong else ()), wrong
