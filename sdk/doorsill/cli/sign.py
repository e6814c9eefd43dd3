"""`doorsill list sign` and `doorsill list verify`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorsill.cli.output import OK, clean, emit, fields
from doorsill.errors import DoorsillError

if TYPE_CHECKING:
    import argparse

    from doorsill.publish.keys import Key
    from doorsill.publish.sign import Proof

_APPROVED = (
    "your signature says: this file rebuilds byte for byte from the rows, lint and canaries "
    "are clean, the change is under the cap or has its reason, every row has a provenance"
)


def sign(args: argparse.Namespace) -> int:
    """Sign a release as its publisher, as a witness or as an approver."""
    from doorsill.publish.keys import COSIGNER, LOG, Key, KeyFileError  # noqa: PLC0415

    path, key = Path(args.list), Key.read(Path(args.key))
    if key.kind != (LOG if args.role == "publisher" else COSIGNER):
        raise KeyFileError(f"{args.key}: not a key for this role; see `doorsill keys new --role`")
    how = {"publisher": _publish, "witness": _witness, "approver": _approve}
    proof = how[args.role](args, path, key)
    facts = {
        "path": f"{path}.tlog-proof",
        "role": args.role,
        "signer": key.name,
        "epoch": proof.index,
        "signatures": len(proof.checkpoint.signatures),
        "bytes": len(proof.text().encode()),
    }
    if args.json:
        emit(facts)
    else:
        count = counted(len(proof.checkpoint.signatures), "signature")
        print(f"{clean(facts['path'])}: epoch {proof.index}, {count}, {facts['bytes']} B")
        if args.role == "approver":
            print(_APPROVED)
    return OK


def _needed(args: argparse.Namespace, *names: str) -> list[Path]:
    missing = [f"--{name}" for name in names if getattr(args, name) is None]
    if missing:
        raise DoorsillError(f"signing as {args.role} needs {' and '.join(missing)}")
    return [Path(getattr(args, name)) for name in names]


def _policy(path: Path) -> bytes:
    """Return the text of a trust policy; errors name its file."""
    from doorsill.trust import Trust  # noqa: PLC0415 - commands load what they use

    return Trust.load(path, tier="signed").policy


def _publish(args: argparse.Namespace, path: Path, key: Key) -> Proof:
    from doorsill.publish.log import Log  # noqa: PLC0415 - clients never load what follows
    from doorsill.publish.manifest import Terms  # noqa: PLC0415
    from doorsill.publish.sections import ListFile  # noqa: PLC0415
    from doorsill.publish.sign import publish  # noqa: PLC0415

    folder, policy = _needed(args, "log", "policy")
    before = policy if args.policy_before is None else Path(args.policy_before)
    terms = Terms(
        origin=key.name,
        policy=_policy(policy),
        version=args.policy_version,
        issued=args.now or int(time.time()),
        policy_before=_policy(before) if before != policy else b"",
        use_seconds=args.use_days * 86400,
        reason=args.over_cap,
    )
    old = ListFile.open(Path(args.before)) if args.before else None
    return publish(path, ListFile.open(path), old, Log(folder), key, terms)


def _witness(args: argparse.Namespace, path: Path, key: Key) -> Proof:
    from doorsill.publish import tree  # noqa: PLC0415
    from doorsill.publish.log import Log  # noqa: PLC0415
    from doorsill.publish.sign import Witness, add_signature  # noqa: PLC0415

    folder, policy, state = _needed(args, "log", "policy", "state")
    proof = _checked(path, policy, key, "witnesses")
    witness = Witness(key, state)
    size, _ = witness.seen(proof.checkpoint.origin)
    leaves = [tree.leaf_hash(each) for each in Log(folder).entries()][: proof.checkpoint.size]
    way = tree.consistency(size, leaves)
    now = args.now or int(time.time())
    return add_signature(path, witness.cosign(size, way, proof.checkpoint, now))


def _approve(args: argparse.Namespace, path: Path, key: Key) -> Proof:
    from doorsill.publish.sections import ListFile  # noqa: PLC0415
    from doorsill.publish.sign import add_signature, check_facts  # noqa: PLC0415

    policy, rebuilt = _needed(args, "policy", "rebuilt")
    proof = _checked(path, policy, key, "approvers")
    if rebuilt.resolve() == path.resolve() or rebuilt.read_bytes() != path.read_bytes():
        raise DoorsillError(f"{rebuilt}: not the same as {path}, built by yourself from the rows; "
                            "do not sign")  # fmt: skip
    check_facts(
        ListFile.open(path), ListFile.open(Path(args.before)) if args.before else None, proof
    )
    return add_signature(path, key.cosign_note(proof.checkpoint.text, args.now or int(time.time())))


def _checked(path: Path, policy: Path, key: Key, group: str) -> Proof:
    """Return a proof that this key may cosign.

    The key is in that group of the policy, the log has signed, and it is about this list.
    """
    import hashlib  # noqa: PLC0415

    from doorsill.publish import tree  # noqa: PLC0415
    from doorsill.publish.keys import KeyFileError, PublicKey  # noqa: PLC0415
    from doorsill.publish.manifest import Manifest, form_fault  # noqa: PLC0415
    from doorsill.publish.sign import Proof, group_keys, log_keys, proof_path  # noqa: PLC0415

    text, proof = _policy(policy), Proof.read(proof_path(path))
    if PublicKey.parse(key.vkey) not in group_keys(text, group):
        raise KeyFileError(f"{policy}: the key {key.vkey} is not in its group `{group}`, so its "
                           "signature would count for nothing; sign with a key of that group, or "
                           "name the policy that has this one")  # fmt: skip
    wrong = form_fault(proof.manifest)
    if wrong:
        raise DoorsillError(f"{path}.tlog-proof: its manifest breaks the form: {wrong}; "
                            "do not sign")  # fmt: skip
    manifest, note = Manifest.parse(proof.manifest), proof.checkpoint
    if not any(log.signed(note.text, line) for log in log_keys(text, note.origin)
               for line in note.signatures):  # fmt: skip
        raise DoorsillError(f"{path}.tlog-proof: no log of {policy} has signed it; do not sign")
    if manifest.one("sha256") != hashlib.sha256(path.read_bytes()).hexdigest():
        raise DoorsillError(f"{path}: not the list that the manifest names; do not sign")
    told = {manifest.one("policy").split(" ")[-1], manifest.one("policy_before")}
    if hashlib.sha256(text).hexdigest() not in told:
        raise DoorsillError(f"{policy}: not the policy that the manifest names; do not sign")
    if not tree.is_last(proof.manifest, proof.index, note.size, proof.path, note.root):
        raise DoorsillError(f"{path}.tlog-proof: the manifest is not the log's last; do not sign")
    return proof


def verify(args: argparse.Namespace) -> int:
    """Check a release as a client does, and print what it says."""
    from doorsill.sealed.lists import open_any  # noqa: PLC0415
    from doorsill.trust import Trust  # noqa: PLC0415

    trust = Trust.load(args.policy, tier=args.tier)
    opened = open_any(args.list, trust)
    if args.fresh:  # as if it were to be accepted, into a folder that goes away again
        with tempfile.TemporaryDirectory() as folder:
            # What opened has walked the changes of the policy, and a folder's list is inside it.
            there = trust.under(opened.trust.policy)
            type(opened).accept(opened.path, folder, there, now=args.now)
    facts = _facts(args.list, opened, args.now)
    if args.json:
        emit(facts)
    else:
        print(f"{clean(opened.name)}: {opened.trust.tier}, as {clean(args.policy)} asks")
        fields(facts.items())
    return OK


def _facts(path: str, opened: Any, now: int | None) -> dict[str, Any]:
    from doorsill.publish.sign import names_of  # noqa: PLC0415

    release = opened.release
    return {
        "path": path,
        "list": release.list,
        "epoch": release.epoch,
        "tier": release.tier,
        "sha256": release.sha256.hex(),
        "issued": stamp(release.issued),
        "use_until": stamp(release.use_until),
        "stale": opened.is_stale(now),
        "policy": f"version {release.policy_version}, {release.policy.hex()}",
        "signed_by": ", ".join(names_of(opened.trust.policy, release.cosigners)) or "the publisher",
    }


def counted(number: int, word: str) -> str:
    """Return "1 epoch", "2 epochs"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def stamp(moment: int) -> str:
    """Return a time in POSIX seconds for people."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))
    except (OverflowError, OSError, ValueError):
        return f"{moment} s after 1970"
