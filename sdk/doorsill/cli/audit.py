"""`doorsill audit`: what a publisher's log shows to anybody who asks."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorsill.cli.output import OK, TROUBLE, clean, complain, emit, fields, paint, table
from doorsill.cli.sign import counted, stamp
from doorsill.errors import DoorsillError
from doorsill.trust import Trust

if TYPE_CHECKING:
    import argparse

    from doorsill.publish.audit import Audit


def _audit(args: argparse.Namespace) -> Audit:
    from doorsill.publish.audit import audit_log  # noqa: PLC0415 - clients never load it

    if args.releases is not None and args.policy is None:
        raise DoorsillError(
            "proofs that were kept are checked by a trust policy; give --policy too"
        )
    policy = None if args.policy is None else Trust.load(args.policy, tier="signed").policy
    kept = None if args.releases is None else Path(args.releases)
    return audit_log(Path(args.log), policy, kept)


_SIGNED = {
    True: "signed by the log of the policy",
    False: "NOT signed by a log of the policy",
    None: "signatures not checked: no --policy",
}


def _since(found: Audit, path: str) -> dict[str, Any]:
    """Return whether the log extends a checkpoint kept from before; if not, that is a problem."""
    from doorsill.publish import audit  # noqa: PLC0415
    from doorsill.publish.log import Checkpoint  # noqa: PLC0415

    old = Checkpoint.read(Path(path))
    holds = audit.extends(found, old)
    if not holds:
        found.problems.append(
            f"{path}: the log does not extend this checkpoint of size {old.size}; "
            "both together prove it, keep them"
        )
    return {"path": path, "size": old.size, "extends": holds}


def _proofs(found: Audit) -> str:
    return f"{found.proofs} of {counted(len(found.epochs), 'epoch')}"


def log(args: argparse.Namespace) -> int:
    """Check the log and say what is wrong with it."""
    from doorsill.publish import audit  # noqa: PLC0415

    found = _audit(args)
    since = [_since(found, path) for path in args.since]
    proof = audit.check_sizes(found, *args.sizes) if args.sizes else []
    hashes = [base64.b64encode(each).decode() for each in proof]
    if args.json:
        emit({"log": args.log, "epochs": len(found.epochs), "signed": found.signed,
              "proofs": found.proofs, "since": since, "problems": found.problems,
              "consistency": hashes})  # fmt: skip
    else:
        word = paint("FAULTY", "bold", "red") if found.problems else paint("sound", "bold", "green")
        epochs = counted(len(found.epochs), "epoch")
        print(f"{clean(args.log)} {word}: {epochs}, each one leaf, {_SIGNED[found.signed]}")
        if found.proofs is not None:
            print(f"proofs looked at: {_proofs(found)}")
        for each in since:
            if each["extends"]:
                print(f"extends {clean(each['path'])} (size {each['size']})")
        if args.sizes:
            print(f"the tree of {args.sizes[1]} leaves extends that of {args.sizes[0]}:")
            print("".join(f"  {each}\n" for each in hashes), end="")
        for problem in found.problems:
            complain(problem)
    return TROUBLE if found.problems else OK


def entry(args: argparse.Namespace) -> int:
    """Tell who vouches for an entry, and since when."""
    from doorsill.publish.audit import entry_story  # noqa: PLC0415

    found = _audit(args)
    story = entry_story(found, args.entry)
    looked_at = {"signed": found.signed, "proofs": found.proofs, "problems": found.problems}
    facts = asdict(story) | looked_at
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
            ("proofs looked at", _proofs(found)),
            ("log", _SIGNED[found.signed]),
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
        emit({"path": args.output, "epochs": len(found.epochs), "signed": found.signed,
              "proofs": found.proofs, "problems": found.problems})  # fmt: skip
    else:
        epochs, problems = counted(len(found.epochs), "epoch"), len(found.problems)
        print(f"{clean(args.output)}: {epochs}, {counted(problems, 'problem')}, "
              f"{_SIGNED[found.signed]}")  # fmt: skip
        if found.proofs is not None:
            print(f"proofs looked at: {_proofs(found)}")
        for problem in found.problems:
            complain(problem)
        table(("epoch", "entries", "added", "removed"),
              [(e.number, *(e.manifest.number(k) for k in ("entries", "added", "removed")))
               for e in found.epochs[-5:]])  # fmt: skip
    return TROUBLE if found.problems else OK
