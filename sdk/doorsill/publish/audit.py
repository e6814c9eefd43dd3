"""Audits a publisher's log: what it shows is worked out again from its entries, trusting no one."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from doorsill import releases
from doorsill.errors import DoorsillError, ListError
from doorsill.lists import TEST
from doorsill.publish import tree
from doorsill.publish.audit_kept import add_kept
from doorsill.publish.log import Checkpoint, Log, LogError
from doorsill.publish.manifest import Manifest, form_fault
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import log_keys

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Epoch:
    """One release, as the log and the kept files show it.

    Attributes:
        number: Of the epoch.
        manifest: What the log says.
        tier: What the kept proof shows; "" if none is kept.
        signers: Names of witnesses and approvers of the kept proof.
        list: The kept list; None if it is not.
    """

    number: int
    manifest: Manifest
    tier: str = ""
    signers: tuple[str, ...] = ()
    list: Path | None = None


@dataclass(frozen=True)
class Withdrawal:
    """An entry that went: its id in hex, epochs and seconds from its first listing on.

    `seconds` is a lower bound where not all lists since are kept.
    """

    entry: str
    listed: int
    gone: int
    seconds: int


@dataclass
class Audit:
    """What an audit found.

    Attributes:
        checkpoint: The newest one; None for an empty log.
        leaves: Hashes of all entries.
        epochs: In order.
        problems: What is not as it should be, in sentences; empty if all is well.
        withdrawals: As far as kept lists tell.
        signed: Whether a log of the trust policy has signed the checkpoint; None if no policy was
            given to ask.
        proofs: Of how many epochs a kept proof holds; None if no folder was given to look in.
    """

    checkpoint: Checkpoint | None
    leaves: list[bytes]
    epochs: list[Epoch]
    problems: list[str] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    signed: bool | None = None
    proofs: int | None = None


def audit_log(folder: Path, policy: bytes | None = None, kept: Path | None = None) -> Audit:
    """Return what a log shows: every epoch is one leaf, tiles and root follow from the entries.

    Args:
        folder: The log, as c2sp.org/tlog-tiles lays it out.
        policy: The trust policy, to check the log's signature and kept proofs by.
        kept: Lists and their proofs, under any names, for what the log alone does not tell; needs
            the policy.

    Raises:
        LogError: There is no log, or it or the kept folder cannot be read to its end.
        TrustError: The policy is none.
    """
    if policy is not None:
        releases.check_trust(policy, "signed")
    elif kept is not None:
        raise DoorsillError(f"{kept}: its proofs are checked by a trust policy; give one, too")
    log = Log(folder)
    checkpoint = log.checkpoint()
    if checkpoint is None:
        raise LogError(f"{folder}: no checkpoint; name a folder with `checkpoint` and `tile/`")
    entries = log.entries()
    found = Audit(checkpoint, [tree.leaf_hash(entry) for entry in entries], [])
    for number, entry in enumerate(entries):
        _add_epoch(found, number, entry)
    if tree.root(found.leaves) != checkpoint.root:
        found.problems.append("the entries do not give the root that the checkpoint signs")
    if not log.tiles_agree(found.leaves):
        found.problems.append("the hash tiles are not those of the entries")
    found.problems += _gaps(found.epochs)
    if policy is not None:
        _check_signature(found, checkpoint, policy)
        if kept is not None:
            add_kept(found, kept, policy)
            found.withdrawals = _withdrawals(found)
    return found


def _check_signature(found: Audit, checkpoint: Checkpoint, policy: bytes) -> None:
    found.signed = any(
        key.signed(checkpoint.text, line)
        for key in log_keys(policy, checkpoint.origin)
        for line in checkpoint.signatures
    )
    if not found.signed:
        found.problems.append("no log of the trust policy has signed the checkpoint")


def _add_epoch(found: Audit, number: int, entry: bytes) -> None:
    wrong = form_fault(entry)
    if wrong:  # its numbers may be none, so it stays out of all that is worked out below
        found.problems.append(f"leaf {number} breaks the form: {wrong}")
        return
    manifest = Manifest.parse(entry)
    epoch = Epoch(number, manifest)
    if manifest.one("epoch") != str(number):
        found.problems.append(f"leaf {number} says that it is epoch {manifest.one('epoch')}")
    if found.checkpoint and manifest.one("list") != found.checkpoint.origin:
        found.problems.append(f"leaf {number} is about the list {manifest.one('list')}")
    found.epochs.append(epoch)


def _gaps(epochs: list[Epoch]) -> list[str]:
    problems = []
    for before, after in pairwise(epochs):
        if after.number != before.number + 1:  # the one between them could not be read
            continue
        late = after.manifest.number("issued") - before.manifest.number("use_until")
        if late > 0:
            problems.append(
                f"epoch {after.number} came {late // 3600} hours after the one before it "
                "had gone stale"
            )
        if before.manifest.one("policy") != after.manifest.one("policy") and (
            after.manifest.one("policy_before") != before.manifest.one("policy").split(" ")[-1]
        ):
            problems.append(f"epoch {after.number} is under another trust policy, and no release "
                            "says that it changes it")  # fmt: skip
    return problems


def _open(found: Audit, epoch: Epoch) -> ListFile | None:
    """Return the kept list of an epoch; one that is signed and cannot be read is a problem."""
    try:
        return ListFile.open(epoch.list) if epoch.list else None
    except ListError as error:
        found.problems.append(f"epoch {epoch.number}: {error}")
        epoch.list = None
        return None


def _withdrawals(found: Audit) -> list[Withdrawal]:
    first: dict[bytes, int] = {}
    gone: dict[bytes, int] = {}
    for epoch in found.epochs:
        file = _open(found, epoch)
        if file:
            for entry in file.ids():
                first.setdefault(entry, epoch.number)
            gone |= dict(file.withdrawn())
    issued = {epoch.number: epoch.manifest.number("issued") for epoch in found.epochs}
    return [Withdrawal(entry.hex(), first[entry], at, issued[at] - issued[first[entry]])
            for entry, at in sorted(gone.items(), key=lambda pair: pair[1])
            if entry in first and at in issued]  # fmt: skip


def extends(found: Audit, old: Checkpoint) -> bool:
    """Tell whether the log extends a checkpoint kept from before."""
    size = old.size
    same = found.checkpoint is not None and old.origin == found.checkpoint.origin
    return same and size <= len(found.leaves) and tree.root(found.leaves[:size]) == old.root


def check_sizes(found: Audit, size: int, new_size: int) -> list[bytes]:
    """Return the proof that one tree of the log extends another, once it verifies.

    Raises:
        LogError: The log has no such trees.
    """
    if not 0 <= size <= new_size <= len(found.leaves):
        raise LogError(
            f"the log has trees of 0 to {len(found.leaves)} leaves, the smaller one first"
        )
    leaves = found.leaves[:new_size]
    proof = tree.consistency(size, leaves)
    if not tree.extends(size, tree.root(leaves[:size]), new_size, tree.root(leaves), proof):
        raise LogError("the proof of consistency does not verify")
    return proof


@dataclass(frozen=True)
class EntryStory:
    """Who vouches for an entry, and in which releases: epochs of the first and last list with it.

    `withdrawn` is the epoch in which it went, None if it did not.
    """

    entry: str
    publishers: tuple[str, ...]
    category: str
    first: int
    last: int
    withdrawn: int | None
    checked: int


def entry_story(found: Audit, entry: str) -> EntryStory:
    """Return the story of an entry, from the kept lists, each of which is a leaf of the log.

    Raises:
        DoorsillError: It is no id, no list is kept, or none has it.
    """
    from doorsill.lists import Text  # noqa: PLC0415 - one word for the reader's eye

    try:
        wanted = bytes.fromhex(entry)
    except ValueError:
        raise DoorsillError(f"{entry!r} is no id; it has 12 hex digits") from None
    seen, gone, category = [], None, ""
    names: tuple[str, ...] = ()
    lists = [(epoch.number, epoch.list) for epoch in found.epochs if epoch.list]
    for number, path in lists:
        file = ListFile.open(path)
        gone = dict(file.withdrawn()).get(wanted, gone)
        if wanted in (ids := file.ids()):
            told = file.list.entry(ids.index(wanted))
            names = tuple(
                file.list.text(Text.PUBLISHER, p) or f"publisher {p}" for p in told.publishers
            )
            category = (
                "test card" if told.flags & TEST else file.list.text(Text.CATEGORY, told.category)
            )
            seen.append(number)
    if not seen and gone is None:
        raise ListError(
            f"{entry}: not in the {len(lists)} lists that are kept; name them by --releases"
        )
    ends = (seen[0], seen[-1]) if seen else (-1, -1)
    return EntryStory(entry, names, category, *ends, gone, len(lists))
