"""Rows from NCMEC's hash-sharing API, version 2: one file for each page of its XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorsill.core import DIGESTS
from doorsill.errors import RowsError
from doorsill.publish.records import one_value, seconds
from doorsill.publish.rows import MAX_NAME, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill.publish.sources import Source

_SPACE = "{https://hashsharing.ncmec.org/hashsharing/v2}"
_ENTRIES = {f"{_SPACE}{name}": name for name in ("image", "video", "deletedImage", "deletedVideo")}
_KINDS = ("pdq", *DIGESTS)  # what can be compared; pdna, netclean, tmk-pdqf and so on cannot
_MOST_OPEN = 16  # elements that may stand one in another; the format has 7


def ncmec_rows(source: Source) -> Iterator[Row]:
    """Yield one row for each image and video, deleted ones among them.

    Members are called `ncmec:ID`; an entry is named by its member and id together.
    Pages are in no order of time: the latest timestamp counts, wherever it stands.

    Raises:
        RowsError: It is no XML, no answer of that API, or tries what XML should not be able to.
    """
    try:
        from defusedxml import DefusedXmlException  # noqa: PLC0415 - only who reads XML needs it
        from defusedxml.ElementTree import ParseError, iterparse  # noqa: PLC0415
    except ImportError:
        raise RowsError(
            f"{source.name}: XML needs defusedxml; pip install 'doorsill[publisher]'"
        ) from None
    with source.open() as file:
        number = 0
        parents: list[Any] = []
        try:
            for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
                if event == "start":
                    _enter(element, parents, source)
                    continue
                parents.pop()
                source.tick(file.tell)
                if element.tag in _ENTRIES:
                    number += 1
                    yield _row(element, f"{source.name}: record {number}", source)
                if len(parents) <= 2:  # noqa: PLR2004 - an entry, a set of them, or paging
                    element.clear()
                    if parents:
                        parents[-1].clear()
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise RowsError(f"{source.name}: cannot be read as XML ({error})") from None


def _enter(element: Any, parents: list[Any], source: Source) -> None:
    if not parents and element.tag != f"{_SPACE}queryResult":
        raise RowsError(f"{source.name}: begins with {element.tag[:80]}; a page of NCMEC's hash "
                        "sharing begins with queryResult of its version 2")  # fmt: skip
    parents.append(element)
    if len(parents) > _MOST_OPEN:
        raise RowsError(f"{source.name}: its elements stand more than {_MOST_OPEN} deep")


def _text(element: Any, name: str) -> str:
    return (element.findtext(f"{_SPACE}{name}") or "").strip()


def _row(element: Any, origin: str, source: Source) -> Row:
    member = element.find(f"{_SPACE}member")
    number, entry = ("" if member is None else member.get("id", "")), _text(element, "id")
    if not number or not entry or len(number) + len(entry) > MAX_NAME:
        return Row("", origin, notes=("the entry has no member or no id",))
    who = f"ncmec:{number}"
    source.names.setdefault(who, (member.text or "").strip() or f"NCMEC member {number}")
    time, wrong = seconds(_text(element, "timestamp"))
    key, notes = f"{who}\0{entry}", [wrong] if wrong else []
    if _ENTRIES[element.tag].startswith("deleted"):
        return Row(key, origin, who, time=time, removed=True, notes=tuple(notes))
    classification = _text(element, "classification")
    category, why = source.category_of([classification] if classification else [])
    if why:
        return Row(key, origin, who, time=time, notes=(*notes, why))
    row = Row(
        key, origin, who, category, time, flags=source.flags, disputes=tuple(_disputes(element))
    )
    return _with_prints(row, element, notes, source)


def _with_prints(row: Row, element: Any, notes: list[str], source: Source) -> Row:
    hashes: list[tuple[str, bytes, int]] = []
    digests: list[tuple[str, bytes]] = []
    unusable = []
    prints = element.find(f"{_SPACE}fingerprints")
    for each in () if prints is None else prints:
        kind, text = each.tag.removeprefix(_SPACE).lower(), (each.text or "").strip()
        if kind not in _KINDS:
            unusable.append(kind)
        elif text:
            found, sums, bad = one_value(kind, text, source.profile)
            hashes += found
            digests += sums
            notes += [bad] if bad else []
    if not (hashes or digests or unusable or notes):
        notes.append("it has no hash")
    return row._replace(hashes=tuple(hashes), digests=tuple(digests), unusable=tuple(unusable),
                        notes=tuple(notes))  # fmt: skip


def _disputes(element: Any) -> Iterator[str]:
    """Yield who gave negative feedback, and why.

    Reasons and members stand side by side there, a list of members after each reason.
    """
    for feedback in element.findall(f"{_SPACE}feedback/{_SPACE}negativeFeedback"):
        reason = "no reason"
        for each in feedback.findall(f"{_SPACE}reasons/*"):
            if each.tag == f"{_SPACE}reason":
                reason = each.get("name") or reason
                continue
            for member in each.findall(f"{_SPACE}member"):
                kind = feedback.get("type", "")
                yield f"member {member.get('id')} against its {kind}: {reason}"
