"""What readers of exchange formats share: streamed JSON records, times, hashes by their names."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from doorsill.errors import RowsError
from doorsill.publish.rows import DIGEST_BYTES, PDQ_BYTES, parse_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

_LATEST = 1 << 62


def json_records(source: Source, where: str) -> Iterator[dict[str, Any]]:
    """Yield the objects at a place of a JSON file (`data.item`), one at a time.

    Raises:
        RowsError: It is no JSON, or what stands there is no object.
    """
    try:
        import ijson  # noqa: PLC0415 - only who reads JSON needs the extra
    except ImportError:
        raise RowsError(f"{source.name}: JSON needs ijson; pip install 'doorsill[publisher]'") from None
    with source.open() as file:
        try:
            for record in ijson.items(file, where, multiple_values=True):
                if not isinstance(record, dict):
                    raise RowsError(f"{source.name}: {where} holds something that is no record")
                yield record
                source.tick(file.tell)
        except (ijson.JSONError, UnicodeDecodeError, ValueError, ArithmeticError) as error:
            raise RowsError(f"{source.name}: cannot be read as JSON ({error})") from None


def seconds(told: Any) -> tuple[int, str]:
    """Return a time of ISO 8601, or a count of seconds, in seconds since 1970, and what is wrong.

    A time without a zone is taken as UTC.
    """
    if told in (None, ""):
        return 0, ""
    text = str(told).strip()
    try:
        if isinstance(told, int | Decimal) or text.isdecimal():
            count = int(Decimal(text))
        else:
            text = text.replace("Z", "+00:00")
            if len(text) > 5 and text[-5] in "+-" and text[-4:].isdecimal():  # noqa: PLR2004
                text = f"{text[:-2]}:{text[-2:]}"  # +0000, which Python 3.10 does not read
            moment = datetime.fromisoformat(text)
            count = int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, ArithmeticError):
        return 0, f"its time ({text[:40]}) cannot be read"
    return (count, "") if 0 <= count < _LATEST else (0, f"its time ({text[:40]}) is out of range")


def one_value(
    kind: str, text: str, profile: str
) -> tuple[tuple[tuple[str, bytes, int], ...], tuple[tuple[str, bytes], ...], str]:
    """Return (hashes, digests, note) of one value; *kind* is "pdq" or a digest's name."""
    if kind == "pdq":
        value, wrong = parse_hash(text, PDQ_BYTES, "PDQ hash")
        return (((profile, value, 100),) if not wrong else ()), (), wrong
    value, wrong = parse_hash(text, DIGEST_BYTES[kind], kind)
    return (), (((kind, value),) if not wrong else ()), wrong
