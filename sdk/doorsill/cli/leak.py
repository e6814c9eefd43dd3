"""`doorsill audit leak`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.files import walk
from doorsill.cli.output import OK, Progress, clean, emit, fields
from doorsill.errors import DoorsillError

if TYPE_CHECKING:
    import argparse

    from doorsill.publish.leak import Leak


def leak(args: argparse.Namespace) -> int:
    """Measure what a sealed list shows to its holder."""
    from doorsill.publish.leak import measure  # noqa: PLC0415 - clients never load it
    from doorsill.publish.sections import ListFile  # noqa: PLC0415 - likewise

    file = ListFile.open(Path(args.list))
    if not file.list.is_sealed:
        raise DoorsillError(f"{args.list}: not sealed; a raw list shows all that it holds")
    if not Path(args.photos).is_dir():
        raise DoorsillError(f"{args.photos}: not a folder; name one with harmless photos")
    progress = Progress()
    try:
        found = measure(
            file, walk([args.photos])[0], lambda done, name: progress.line(f"{done}  {clean(name)}")
        )
    finally:
        progress.clear()
    if args.json:
        days = found.questions(found.guesses) / args.rate
        emit({"path": args.list, **asdict(found), "days_an_entry": days})
    else:
        print(f"{clean(args.list)}: measured on {found.photos} photos, by linear regression")
        fields(_told(found, args.rate))
    return OK


def _told(found: Leak, rate: int) -> list[tuple[str, object]]:
    def cost(guesses: int) -> str:
        asked = found.questions(guesses)
        return (f"{guesses} guesses, {asked} questions: {asked / rate:.1f} days of one account at "
                f"{rate} a day")  # fmt: skip

    return [
        ("rebuilt from nothing", f"correlation {found.baseline:.3f} (the mean photo)"),
        ("rebuilt from the clear plane", f"correlation {found.clear:.3f}"),
        ("rebuilt from a raw hash", f"correlation {found.raw:.3f}"),
        ("sealed bits guessed right", f"{100 * found.bit:.1f} % (50 % is nothing)"),
        ("a slot's 20 bits are worth", f"{found.slot_bits:.1f} bits to who tries the likeliest"),
        ("to open half of the entries", cost(found.guesses)),
        ("to open the easiest tenth", cost(found.guesses_tenth)),
        ("rows that look the same", f"{found.alike} of {found.rows}"),
    ]
