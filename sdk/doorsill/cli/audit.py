"""`doorsill audit`: what a publisher's log shows to anybody who asks."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.output import OK, TROUBLE, clean, complain, emit, fields, paint, table
from doorsill.errors import DoorsillError

if TYPE_CHECKING:
    import argparse

    from doorsill.publish.audit import Audit


def _audit(args: argparse.Namespace) -> Audit:
    from doorsill.publish.audit import audit_log  # noqa: PLC0415 - clients never load it

    if args.releases and not args.policy:
        raise DoorsillError(
            "proofs that were kept are checked by a trust policy; give --policy too"
        )
    policy = Path(args.policy).read_bytes() if args.policy else b""
    return audit_log(Path(args.log), policy, Path(args.releases) if args.releases else None)


def log(args: argparse.Namespace) -> int:
    """Check the log and say what is wrong with it."""
    from doorsill.publish import audit  # noqa: PLC0415
    from doorsill.publish.log import Checkpoint  # noqa: PLC0415

    found = _audit(args)
    for path in args.since:
        old = Checkpoint.parse(Path(path).read_text("utf-8"))
        if not audit.extends(found, old):
            found.problems.append(
                f"{path}: the log does not extend this checkpoint of size {old.size}; "
                "both together prove it, keep them"
            )
    proof = audit.check_sizes(found, *args.sizes) if args.sizes else []
    hashes = [base64.b64encode(each).decode() for each in proof]
    if args.json:
        emit({"log": args.log, "epochs": len(found.epochs), "problems": found.problems,
              "consistency": hashes})  # fmt: skip
    else:
        word = paint("FAULTY", "bold", "red") if found.problems else paint("sound", "bold", "green")
        signed = (
            "signed by the log of the policy"
            if args.policy
            else "signatures not checked: no --policy"
        )
        print(f"{clean(args.log)} {word}: {len(found.epochs)} epochs, each one leaf, {signed}")
        if args.sizes:
            print(f"the tree of {args.sizes[1]} leaves extends that of {args.sizes[0]}:")
            print("".join(f"  {each}\n" for each in hashes), end="")
        for problem in found.problems:
            complain(problem)
    return TROUBLE if found.problems else OK


def entry(args: argparse.Namespace) -> int:
    """Tell who vouches for an entry, and since when."""
    from doorsill.cli.sign import stamp  # noqa: PLC0415
    from doorsill.publish.audit import entry_story  # noqa: PLC0415

    found = _audit(args)
    story = entry_story(found, args.entry)
    facts = asdict(story) | {"problems": found.problems}
    if args.json:
        emit(facts)
        return TROUBLE if found.problems else OK
    when = {e.number: stamp(e.manifest.number("issued")) for e in found.epochs}
    gone = f"epoch {story.withdrawn}" if story.withdrawn is not None else "no"
    fields(
        [
            ("entry", story.entry),
            ("category", story.category),
            ("vouched for by", ", ".join(story.publishers)),
            (
                "listed since",
                f"epoch {story.first}, {when.get(story.first, 'before the kept lists')}",
            ),
            ("last listed in", f"epoch {story.last}"),
            ("withdrawn", gone),
            ("lists looked at", f"{story.checked} of {len(found.epochs)}, each a leaf of the log"),
        ]
    )
    for problem in found.problems:
        complain(problem)
    return TROUBLE if found.problems else OK


def report(args: argparse.Namespace) -> int:
    """Write the report."""
    from doorsill.files import refuse_overwriting, write_atomically  # noqa: PLC0415
    from doorsill.publish.audit_page import page  # noqa: PLC0415

    read = (args.log, args.policy, args.releases)
    refuse_overwriting(Path(args.output), [Path(path) for path in read if path])
    found = _audit(args)
    write_atomically(Path(args.output), page(found).encode())
    if args.json:
        emit({"path": args.output, "epochs": len(found.epochs), "problems": found.problems})
    else:
        print(f"{clean(args.output)}: {len(found.epochs)} epochs, {len(found.problems)} problems")
        table(("epoch", "entries", "added", "removed"),
              [(e.number, *(e.manifest.number(k) for k in ("entries", "added", "removed")))
               for e in found.epochs[-5:]])  # fmt: skip
    return TROUBLE if found.problems else OK
