"""Rows from Meta's ThreatExchange: its command line's cache, and pages of /threat_updates.

The names of fields are those of the Graph API and of python-threatexchange 1.2.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from doorsill.errors import RowsError
from doorsill.lists import SEED
from doorsill.publish.records import json_records, one_value, seconds
from doorsill.publish.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

# Types of indicators that are digests or hashes; PhotoDNA, TMK and texts are among the others.
_KINDS = {"HASH_PDQ": "pdq", "HASH_MD5": "md5", "HASH_VIDEO_MD5": "md5", "HASH_SHA1": "sha1",
          "HASH_SHA256": "sha256"}  # fmt: skip
_CACHE_NAME = re.compile(r"simple\.([^.]+)\.te\Z")
_CACHE_FIELDS = 4  # indicator, first_descriptor_id, added_on, labels
_AGAINST = {"false_positive", "disputed"}  # labels that the command line adds for opinions


def cache_rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a `simple.TYPE.te` file.

    It does not say whose an indicator is; all are the source's publisher's. An indicator that its
    reader marked false_positive is taken back, one that others dispute is for review.

    Raises:
        RowsError: The name does not say the type, or it is no CSV.
    """
    named = _CACHE_NAME.fullmatch(source.path.name)
    if not named:
        raise RowsError(f"{source.name}: the name says which type it holds; call it simple.TYPE.te")
    with source.open() as file:
        lines = csv.reader(source.text(file), strict=True)
        try:
            for fields in lines:
                source.tick(file.tell)
                if not fields or fields[0] == "indicator":
                    continue
                origin = f"{source.name}:{lines.line_num}"
                if len(fields) != _CACHE_FIELDS:
                    yield Row("", origin, notes=(f"{len(fields)} fields, not {_CACHE_FIELDS}",))
                    continue
                yield _cached(fields, named[1], origin, source)
        except csv.Error as error:
            raise RowsError(
                f"{source.name}:{lines.line_num}: cannot be read as CSV ({error})"
            ) from None


def _cached(fields: list[str], type_: str, origin: str, source: Source) -> Row:
    labels = set(fields[3].split())
    time, wrong = (0, "") if fields[2] in {"", "mine"} else seconds(fields[2])
    disputes = ("someone on ThreatExchange disputes it",) if "disputed" in labels else ()
    said = Row(_key(type_, fields[0], source), origin, source.publisher, "", time,
               "false_positive" in labels, source.flags, notes=(wrong,) if wrong else (),
               disputes=disputes)  # fmt: skip
    return _filled(said, type_, fields[0], sorted(labels - _AGAINST), source)


def _filled(said: Row, type_: str, indicator: str, labels: list[str], source: Source) -> Row:
    """Return what is said of an indicator, with its category and the hash or digest that it is."""
    category, why = source.category_of(labels) if source.categories else (source.category, "")
    if why:
        return said._replace(notes=(*said.notes, why))
    if type_ not in _KINDS:
        return said._replace(category=category, unusable=(type_,))
    hashes, digests, wrong = one_value(_KINDS[type_], indicator, source.profile)
    notes = (*said.notes, wrong) if wrong else said.notes
    return said._replace(category=category, hashes=hashes, digests=digests, notes=notes)


def _key(type_: str, indicator: str, source: Source) -> str:
    return f"{source.publisher}\0{type_}\0{indicator.lower()}"


def update_rows(source: Source) -> Iterator[Row]:
    """Yield rows of pages of /threat_updates, one for each owner of each indicator.

    Owners are called `threatexchange:ID`. One vouches with status MALICIOUS; other statuses but
    NON_MALICIOUS make a `seed`. A record without descriptors is a deletion even where it does not
    say so.
    """
    for number, record in enumerate(json_records(source, "data.item"), 1):
        origin = f"{source.name}: record {number}"
        type_, indicator = str(record.get("type", "")), str(record.get("indicator", ""))
        if not type_ or not indicator:
            yield Row("", origin, notes=("the record has no type or no indicator",))
            continue
        time, wrong = seconds(record.get("last_updated"))
        rows = list(_described(record, type_, indicator, origin, source))
        for row in rows or [Row(_key(type_, indicator, source), origin, removed=True)]:
            yield row._replace(time=time, notes=(*row.notes, wrong) if wrong else row.notes)


def _described(
    record: dict[str, Any], type_: str, indicator: str, origin: str, source: Source
) -> Iterator[Row]:
    if record.get("should_delete"):
        return
    found = _objects(_object(record.get("descriptors")).get("data"))
    disputes = sorted({against for each in found for against in _disputes(each)})
    for each in found:
        owner = _object(each.get("owner"))
        status = each.get("status")
        if status == "NON_MALICIOUS":
            continue
        if "id" not in owner:
            yield Row(_key(type_, indicator, source), origin,
                      notes=("a descriptor does not show its owner",))  # fmt: skip
            continue
        who = f"threatexchange:{owner['id']}"
        source.names.setdefault(
            who, str(owner.get("name") or f"ThreatExchange member {owner['id']}")
        )
        seed = 0 if status == "MALICIOUS" else SEED
        said = Row(_key(type_, indicator, source), origin, who, flags=source.flags | seed,
                   disputes=tuple(disputes))  # fmt: skip
        yield _filled(said, type_, indicator, sorted(_tags(each.get("tags"))), source)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tags(tags: Any) -> set[str]:
    """Return tags, which the API gives as texts or as `{"data": [{"text": ...}]}`."""
    if isinstance(tags, dict):
        return {str(each.get("text")) for each in _objects(tags.get("data"))}
    return {str(tag) for tag in tags} if isinstance(tags, list) else set()


def _disputes(descriptor: dict[str, Any]) -> Iterator[str]:
    owner = _object(descriptor.get("owner")).get("id", "unknown")
    if descriptor.get("status") == "NON_MALICIOUS":
        yield f"member {owner} says NON_MALICIOUS"
    for reaction in _objects(descriptor.get("reactions")):
        if reaction.get("key") == "DISAGREE_WITH_TAGS":
            for who in str(reaction.get("value", "")).split(","):
                yield f"member {who.strip()} says DISAGREE_WITH_TAGS"
