"""Rows from StopNCII.org's FetchHashes: hashes that people made of their own pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.lists import SEED
from doorsill.publish.records import json_records, one_value, seconds
from doorsill.publish.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

_KINDS = {
    "ImagePDQ": "pdq",
    "VideoMD5": "md5",
}  # VideoTMK, Text and URL are compared by nothing here
_GONE = {"Withdrawn", "Deleted"}
_AGAINST = {"NotBlocked", "Withdrawn", "Deleted"}


def stopncii_rows(source: Source) -> Iterator[Row]:
    """Yield one row for each hash. No one has reviewed them, so all are `seed`.

    Withdrawn and Deleted remove; what a platform answers is for review.
    """
    for number, record in enumerate(json_records(source, "hashRecords.item"), 1):
        origin = f"{source.name}: record {number}"
        kind, value = str(record.get("signalType", "")), str(record.get("hashValue", ""))
        if not kind or not value:
            yield Row("", origin, notes=("the record has no signalType or no hashValue",))
            continue
        time, wrong = seconds(record.get("lastModtimestamp"))
        row = Row(f"{source.publisher}\0{kind}\0{value.lower()}", origin, source.publisher,
                  source.category, time, str(record.get("hashStatus")) in _GONE,
                  source.flags | SEED)  # fmt: skip
        if kind in _KINDS:
            hashes, digests, bad = one_value(_KINDS[kind], value, source.profile)
            notes = tuple(why for why in (bad, wrong) if why)
            row = row._replace(hashes=hashes, digests=digests, notes=notes)
        else:
            row = row._replace(unusable=(kind,), notes=(wrong,) if wrong else ())
        yield row._replace(disputes=tuple(_disputes(record.get("CSPFeedbacks"))))


def _disputes(feedbacks: object) -> Iterator[str]:
    for each in feedbacks if isinstance(feedbacks, list) else []:
        if isinstance(each, dict) and str(each.get("feedbackValue")) in _AGAINST:
            yield f"{each.get('source') or 'a platform'} says {each['feedbackValue']}"
