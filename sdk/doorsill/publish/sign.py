"""Signing releases: the publisher's entry in the log, and the others' cosignatures."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.files import read_small, write_atomically
from doorsill.publish import tree
from doorsill.publish.keys import KeyFileError, PublicKey
from doorsill.publish.log import Checkpoint, LogError
from doorsill.publish.manifest import Manifest, ManifestError, facts, form_fault, make_manifest
from doorsill.releases import MAX_PROOF, check_trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorsill.publish.keys import Key
    from doorsill.publish.log import Log
    from doorsill.publish.manifest import Terms
    from doorsill.publish.sections import ListFile

PROOF = ".tlog-proof"
FIRST_LINE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class Proof:
    """A tlog-proof whose extra line is the manifest."""

    manifest: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    def text(self) -> str:
        """Return it as a file holds it."""
        extra = base64.b64encode(self.manifest).decode()
        hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in self.path)
        head = f"{FIRST_LINE}\nextra {extra}\nindex {self.index}\n{hashes}\n"
        return head + self.checkpoint.note()

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Take a proof apart. Whether it holds the core decides; `LogError` if it is none."""
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        try:
            if lines[0] != FIRST_LINE:
                raise ValueError  # noqa: TRY301 - one place for all that it can be
            extra, index = lines[1].removeprefix("extra "), int(lines[2].removeprefix("index "))
            path = tuple(base64.b64decode(line, validate=True) for line in lines[3:])
            return cls(base64.b64decode(extra, validate=True), index, path, Checkpoint.parse(note))
        except (ValueError, IndexError):
            raise LogError("this is no tlog-proof with a manifest") from None

    @classmethod
    def read(cls, path: Path) -> Proof:
        """Read a proof file."""
        try:
            return cls.parse(read_small(path, MAX_PROOF).decode(errors="replace"))
        except LogError as error:
            raise LogError(f"{path}: {error}") from None


def proof_path(path: Path) -> Path:
    """Return where the proof of a list lies."""
    return Path(f"{path}{PROOF}")


def publish(  # noqa: PLR0913, PLR0917 - what a publisher has before them
    path: Path, new: ListFile, before: ListFile | None, log: Log, key: Key, terms: Terms
) -> Proof:
    """Add a release to its log, write its proof beside it and return that; witnesses come next.

    A release that changes the trust policy gets `PATH.policy-N` and a proof of its own, too.

    A log never forgets, so nothing is added to it that no client would take.

    Raises:
        KeyFileError: The key is not one of the policy's logs of this origin.
        ManifestError: Its changes are over the cap, its epoch is not the log's next, or a term is
            one that a manifest cannot say.
        TrustError: The policy is none.
    """
    check_trust(terms.policy, "signed")
    if PublicKey.parse(key.vkey) not in log_keys(terms.policy, terms.origin):
        raise KeyFileError(f"{key.vkey}: no log of the trust policy for {terms.origin}; "
                           "sign with the key of its `log` line, or name the policy that has "
                           "this one")  # fmt: skip
    entries = log.entries()
    if new.list.info["epoch"] != len(entries):
        raise ManifestError(f"{path}: its epoch is {new.list.info['epoch']}, the log's next is "
                            f"{len(entries)}; build it with --epoch {len(entries)}")  # fmt: skip
    if entries and before is None:
        raise ManifestError(f"{path}: name the release before it, to say what has changed")
    if before and Manifest.parse(entries[-1]).one("sha256") != before.sha256():
        raise ManifestError(
            f"{before.list.path or 'the list before'}: is not the last one of the log"
        )
    manifest = make_manifest(new, before, terms)
    wrong = form_fault(manifest) or ("it is stale at birth" if terms.use_seconds <= 0 else "")
    if wrong:
        raise ManifestError(f"{path}: no client would take its manifest: {wrong}; nothing was "
                            "published, change the terms or the list's texts")  # fmt: skip
    checkpoint = log.append(manifest, key)
    leaves = [tree.leaf_hash(each) for each in [*entries, manifest]]
    proof = Proof(manifest, len(entries), tuple(tree.inclusion(len(entries), leaves)), checkpoint)
    write_atomically(proof_path(path), proof.text().encode())
    if terms.policy_before:
        link = Path(f"{path}.policy-{terms.version}")
        write_atomically(link, terms.policy)
        write_atomically(proof_path(link), proof.text().encode())
    return proof


def add_signature(path: Path, line: str) -> Proof:
    """Add a signature to the proof of a list, and to that of a policy that it brings."""
    proof = Proof.read(proof_path(path))
    signed = replace(proof, checkpoint=proof.checkpoint.signed(line))
    for link in path.parent.glob(f"{path.name}.policy-*{PROOF}"):
        brought = Proof.read(link)
        if brought.checkpoint.text == proof.checkpoint.text:
            note = brought.checkpoint.signed(line)
            write_atomically(link, replace(brought, checkpoint=note).text().encode())
    write_atomically(proof_path(path), signed.text().encode())
    return signed


def check_facts(new: ListFile, before: ListFile | None, proof: Proof) -> None:
    """Work the manifest's facts out again; an approver does before signing.

    Raises:
        ManifestError: The manifest says something else.
    """
    wrong = form_fault(proof.manifest)
    if wrong:
        raise ManifestError(f"the manifest breaks the form: {wrong}; do not sign")
    manifest = Manifest.parse(proof.manifest)
    made = facts(new, before, manifest.one("over_cap"))
    said = proof.manifest.decode().removesuffix("\n").split("\n")[-len(made) :]
    if made != said or manifest.one("sha256") != new.sha256():
        wrong = next(
            (f"{b!r}, it is {a!r}" for a, b in zip(made, said, strict=False) if a != b), ""
        )
        raise ManifestError(f"the manifest does not tell the truth about the list: {wrong}")


def log_keys(policy: bytes, origin: str) -> list[PublicKey]:
    """Return the log keys of a trust policy for this origin."""
    lines = _words(policy)
    keys = (PublicKey.parse(words[1]) for words in lines if words[:1] == ["log"] and words[1:])
    return [key for key in keys if key.name == origin]


def group_keys(policy: bytes, group: str) -> list[PublicKey]:
    """Return the keys in a group, nested ones too, of a policy that the core has found good."""
    lines = [words for words in _words(policy) if words[2:]]
    keys = {words[1]: words[2] for words in lines if words[0] == "witness"}
    groups = {words[1]: words[3:] for words in lines if words[0] == "group"}

    def under(name: str) -> Iterator[str]:
        if name in keys:
            yield keys[name]
        for member in groups.get(name, ()):
            yield from under(member)

    return [PublicKey.parse(vkey) for vkey in under(group)]


def names_of(policy: bytes, cosigners: int) -> tuple[str, ...]:
    """Return the names of those who signed, from the bits of a release and its policy."""
    names = [words[1] for words in _words(policy) if words[:1] == ["witness"]]
    return tuple(name for i, name in enumerate(names) if cosigners >> i & 1)


def _words(policy: bytes) -> list[list[str]]:
    return [line.split() for line in policy.decode(errors="replace").split("\n")]


class RefusedError(DoorsillError):
    """A witness does not sign. `status` is the HTTP status of c2sp.org/tlog-witness."""

    def __init__(self, message: str, status: int) -> None:
        """Say why."""
        super().__init__(message)
        self.status = status


class Witness:
    """Signs only what extends the tree that it signed last; remembers that in a file."""

    def __init__(self, key: Key, state: Path) -> None:
        """Stand with a key; *state* holds one line, origin, size and root, for each log."""
        self.key = key
        self.state = state

    def seen(self, origin: str) -> tuple[int, bytes]:
        """Return size and root of the tree that it signed last; 0 if there is none."""
        size, root = self._all().get(origin, (0, ""))
        return size, bytes.fromhex(root)

    def _all(self) -> dict[str, tuple[int, str]]:
        try:
            rows = (line.split(" ") for line in self.state.read_text("utf-8").splitlines())
            return {origin: (int(size), bytes.fromhex(root).hex()) for origin, size, root in rows}
        except FileNotFoundError:
            return {}
        except ValueError:
            raise LogError(f"{self.state}: damaged, so that the tree signed last is not known; "
                           "restore it, or a branch could be signed") from None  # fmt: skip

    def cosign(self, old: int, proof: Sequence[bytes], checkpoint: Checkpoint, time: int) -> str:
        """Return a cosignature line once the tree is remembered (c2sp.org/tlog-witness).

        The caller has verified the log's signature, and calls one at a time.

        Raises:
            RefusedError: The tree does not extend the one before.
        """
        size, root = self.seen(checkpoint.origin)
        if old > checkpoint.size:
            raise RefusedError("the old size is larger than the new one", 400)
        if old != size:
            raise RefusedError(f"the last tree signed has size {size}", 409)
        if not tree.extends(size, root, checkpoint.size, checkpoint.root, proof):
            raise RefusedError("the tree does not extend the one signed before", 422)
        every = self._all() | {checkpoint.origin: (checkpoint.size, checkpoint.root.hex())}
        lines = (f"{origin} {size} {root}\n" for origin, (size, root) in sorted(every.items()))
        write_atomically(self.state, "".join(lines).encode())
        return self.key.cosign_note(checkpoint.text, time)
