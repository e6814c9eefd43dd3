"""`doorsill list diff` and `list apply`: from one release of a list to the next."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.output import OK, clean, complain, emit, fields, table

if TYPE_CHECKING:
    import argparse

    from doorsill.publish.diff import Changes


def diff(args: argparse.Namespace) -> int:
    """Say what changed between two lists, and write the delta if it was asked for."""
    from doorsill.files import refuse_overwriting, write_atomically  # noqa: PLC0415
    from doorsill.publish.cap import over_cap  # noqa: PLC0415 - clients never load it
    from doorsill.publish.delta import make_delta  # noqa: PLC0415
    from doorsill.publish.diff import Alignment, changes  # noqa: PLC0415
    from doorsill.publish.sections import ListFile  # noqa: PLC0415

    if args.output:
        refuse_overwriting(Path(args.output), [Path(args.old), Path(args.new)])
    alignment = Alignment(ListFile.open(Path(args.old)), ListFile.open(Path(args.new)))
    found, size = changes(alignment), None
    over = over_cap(found)
    if args.output:
        delta = make_delta(alignment)
        write_atomically(Path(args.output), delta)
        size = len(delta)
    if args.json:
        emit({"old": args.old, "new": args.new, **asdict(found), "over_cap": over,
              "delta": args.output, "delta_size": size})  # fmt: skip
        return OK
    _print(found)
    if over:
        complain(over)
    if size is not None:
        print(f"{clean(args.output)}: {size} bytes")
    return OK


def _print(found: Changes) -> None:
    fields(
        [
            ("entries", f"{found.before} before, {found.after} after"),
            ("changes", f"{found.added} added, {found.removed} removed, {found.changed} changed"),
        ]
    )
    for what, counts in (("category", found.categories), ("publisher", found.publishers)):
        if counts:
            lines = [(name, *numbers) for name, numbers in sorted(counts.items())]
            table((what, "added", "removed", "changed"), lines)


def apply(args: argparse.Namespace) -> int:
    """Make the next release of a list from a delta."""
    from doorsill.deltas import apply_delta  # noqa: PLC0415
    from doorsill.errors import ListError  # noqa: PLC0415
    from doorsill.files import open_regular, refuse_overwriting, write_atomically  # noqa: PLC0415
    from doorsill.limits import Limits  # noqa: PLC0415
    from doorsill.lists import HashList  # noqa: PLC0415
    from doorsill.trust import Trust  # noqa: PLC0415

    refuse_overwriting(Path(args.output), [Path(args.old), Path(args.delta)])
    most = Limits().list_bytes
    HashList.open(args.old, Trust.none())  # size and kind of file, before it is read
    with open_regular(args.delta) as file:
        delta = file.read(most)
    try:
        made = bytes(apply_delta(Path(args.old).read_bytes(), delta))
    except ListError as error:
        raise ListError(f"{args.delta}: {error}") from None
    opened = HashList(made, Trust.none(), path=args.output)
    write_atomically(Path(args.output), made)
    if args.json:
        emit({"path": args.output, "size": len(made), "entries": len(opened)})
        return OK
    print(f"{clean(args.output)}: {len(opened)} entries, {len(made)} bytes. "
          "Its proof decides whether it is the release to have.")  # fmt: skip
    return OK
