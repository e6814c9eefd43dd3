"""`doorsill list seal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.output import OK, Progress, clean, emit

if TYPE_CHECKING:
    import argparse


def seal(args: argparse.Namespace) -> int:
    """Write the sealed list of a hash list; goes on where it was stopped."""
    from doorsill.files import refuse_overwriting  # noqa: PLC0415 - commands load what they use
    from doorsill.publish.seal import seal_list  # noqa: PLC0415 - clients never load it
    from doorsill.sealed.keys import read_seed  # noqa: PLC0415 - likewise

    for written in (args.output, f"{args.output}.sealing"):  # where it goes on
        refuse_overwriting(Path(written), [Path(args.list), Path(args.key)])
    progress = Progress()
    try:
        made = seal_list(
            Path(args.list),
            Path(args.output),
            read_seed(Path(args.key)),
            sealing_epoch=args.sealing_epoch,
            token_key=args.token_key,
            jobs=args.jobs,
            progress=progress.show,
        )
    finally:
        progress.clear()
    if args.json:
        emit({"path": args.output, **made._asdict()})
        return OK
    print(f"{clean(args.output)}: {made.entries} entries, {made.rows} sealed rows with the test "
          f"card's, {made.size} bytes. It is not signed.")  # fmt: skip
    print(f"Its server's public key is {made.public_key}, sealing epoch {args.sealing_epoch}.")
    for kind, count in sorted(made.left_out.items()):
        print(f"Left out, for they cannot be sealed: {count} {kind}.")
    return OK
