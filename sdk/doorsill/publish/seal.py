"""Seals a hash list: of each PDQ row half stays in clear, the rest a server alone can open.

The bytes are `native/SEALED.md`'s. The same list, seed and sealing epoch give the same file: an
approver who has the seed rebuilds it, and a new release changes only what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorsill.core import SECTION_PROFILES
from doorsill.errors import RowsError
from doorsill.files import write_atomically
from doorsill.lists import TEST
from doorsill.publish.sealing import sealed_rows
from doorsill.publish.sections import ID_BYTES, Kind, ListFile
from doorsill.publish.write import HASHER, assemble
from doorsill.sealed import protocol
from doorsill.sealed.keys import sealing_info
from doorsill.sealed.lists import (
    INFO,
    KIND_CLEAR,
    KIND_INFO,
    KIND_RECORDS,
    KIND_SLOTS,
    NO_KEY,
    SealedList,
)
from doorsill.sealed.oprf import Server
from doorsill.sealed.protocol import CLEAR_BYTES, RECORD, SLOTS_BYTES
from doorsill.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SealedFile", "seal_list"]

_PLANE_BYTES = 16


class SealedFile(NamedTuple):
    """What was sealed; the test card is among the rows and not among the entries."""

    rows: int
    entries: int
    size: int
    public_key: str
    left_out: dict[str, int]


class _Rows(NamedTuple):
    """What there is to seal, and what the open part says of it."""

    plain: list[bytes]  # clear plane and record, sorted, each once
    card: bytes  # the test card's
    hasher: bytes  # the open part's only record of a hasher
    left_out: dict[str, int]


def seal_list(  # noqa: PLR0913 - all that a publisher can say of it
    source: Path,
    output: Path,
    seed: bytes,
    *,
    sealing_epoch: int = 0,
    token_key: bytes = NO_KEY,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SealedFile:
    """Write the sealed list of a hash list; goes on where it was stopped.

    Args:
        source: A list of `doorsill list build`. Its PDQ rows are sealed; digests and neural hashes
            cannot be and are left out.
        output: The sealed list; it is replaced at once, or not at all. What is done so far stands
            beside it, in `OUTPUT.sealing`, sealed too.
        seed: 32 secret bytes, the sealing server's.
        sealing_epoch: Number of the server's key. Another one makes every row new.
        token_key: The issuer's public key, where the server wants tokens.
        jobs: Processes; one for each core if None. They start as `multiprocessing` spawns them,
            so that a script which calls this guards itself by `if __name__ == "__main__"`.
        progress: Called with rows done and in all. Whatever it raises stops it.

    Raises:
        RowsError: The list is sealed already, holds no PDQ row of an entry, or no test card.
        ListError: It is no list.
    """
    file = ListFile.open(source)
    if file.list.is_sealed:
        raise RowsError(f"{source}: sealed already; name the raw list that it was made of")
    rows = _rows_of(file, source)
    entries = len({row[-ID_BYTES:] for row in rows.plain} - {rows.card[-ID_BYTES:]})
    if not entries:
        raise RowsError(f"{source}: no entry has a PDQ hash, only the test card has, and nothing "
                        "else can be sealed; name a list with PDQ rows")  # fmt: skip
    server = Server(seed, sealing_info(sealing_epoch))
    work = output.with_name(f"{output.name}.sealing")
    made = sealed_rows(work, rows.plain, seed, sealing_epoch, jobs, progress)
    made.sort(key=lambda row: row[:CLEAR_BYTES] + row[-protocol.TAG_BYTES :])
    info = INFO.pack(protocol.VERSION, 0, sealing_epoch, len(made), entries, server.public_key,
                     token_key)  # fmt: skip
    data = _assembled(file, rows, info, made)
    SealedList(data, Trust.none(), path=str(output))  # the reader's rules are the only rules
    write_atomically(output, data)
    work.unlink(missing_ok=True)
    return SealedFile(len(made), entries, len(data), server.public_key.hex(), rows.left_out)


def _rows_of(file: ListFile, source: Path) -> _Rows:
    classes, ids = file.numbers(Kind.ENTRY_CLASSES), file.ids()
    tests = {number for number, (_, flags, _) in enumerate(file.classes()) if flags & TEST}
    left_out = {f"{kind} digests": n for kind, n in file.list.info["digests"].items() if n}
    plain: set[bytes] = set()
    card = b""
    found = []
    for index, each in enumerate(file.list.hashers):
        if each.name != "pdq":
            left_out[f"{each.name} hashes"] = each.rows
            continue
        found.append(each)
        planes = [file.section(Kind.PLANE, index, plane) for plane in range(2)]
        for row, entry in enumerate(file.row_entries(index)):
            at = slice(_PLANE_BYTES * row, _PLANE_BYTES * (row + 1))
            made = planes[0][at] + RECORD.pack(planes[1][at], classes[entry], ids[entry])
            plain.add(made)
            if classes[entry] in tests and not card:
                card = made
    if not found:
        raise RowsError(f"{source}: holds no PDQ hash, and nothing else can be sealed")
    if not card:
        raise RowsError(f"{source}: holds no test card; build it with `doorsill list build`")
    profiles = {each.profile for each in found}
    number = SECTION_PROFILES.index(profiles.pop() if len(profiles) == 1 else "unknown")
    limit, quality = min(each.limit for each in found), max(each.quality for each in found)
    hasher = HASHER.pack(b"pdq", bytes(32), 1, 256, limit, quality, number)
    return _Rows(sorted(plain), card, hasher, left_out)


def _assembled(file: ListFile, rows: _Rows, info: bytes, made: list[bytes]) -> bytes:
    second, class_, entry_id = RECORD.unpack(rows.card[CLEAR_BYTES:])
    open_part = [
        (Kind.HASHERS, 0, 0, rows.hasher),
        (Kind.PLANE, 0, 0, rows.card[:CLEAR_BYTES]),
        (Kind.PLANE, 0, 1, second),
        (Kind.ENTRY_CLASSES, 0, 0, class_.to_bytes(2, "little")),
        (Kind.ENTRY_IDS, 0, 0, entry_id),
        *((kind, 0, 0, file.section(kind))
          for kind in (Kind.CLASSES, Kind.TEXTS, Kind.TEXT_BYTES, Kind.WITHDRAWN)),
    ]  # fmt: skip
    slots = CLEAR_BYTES + SLOTS_BYTES
    columns = [
        (KIND_INFO, 0, 0, info),
        (KIND_CLEAR, 0, 0, b"".join(row[:CLEAR_BYTES] for row in made)),
        (KIND_SLOTS, 0, 0, b"".join(row[CLEAR_BYTES:slots] for row in made)),
        (KIND_RECORDS, 0, 0, b"".join(row[slots:] for row in made)),
    ]
    about = file.list.info
    return assemble([*open_part, *columns], about["epoch"], 1, about["flags"])
