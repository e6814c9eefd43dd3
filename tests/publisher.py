"""A publisher in memory, with a log, witnesses and approvers, honest until a test bends it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from doorsill.publish import tree
from doorsill.publish.keys import COSIGNER, LOG, Key
from doorsill.publish.log import Checkpoint
from doorsill.publish.manifest import Terms, make_manifest
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import Proof
from doorsill.publish.write import Contents, HasherRows, list_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NOW = 1_800_000_000
HOUR, DAY = 3600, 86400
ORIGIN = "hotline.example/list"


def key(name: str, kind: int = COSIGNER) -> Key:
    """Return the same key for the same name, today and tomorrow."""
    return Key(name, kind, hashlib.sha256(name.encode()).digest())


WITNESSES = [key(f"witness-{i}.example") for i in range(3)]
APPROVERS = [key(f"approver-{i}.example") for i in range(3)]


def policy(
    witnesses: Iterable[Key] = WITNESSES,
    approvers: Iterable[Key] = APPROVERS,
    log: Key | None = None,
    *,
    needs: tuple[int, int] = (2, 2),
    quorum: str = "witnesses",
) -> bytes:
    """Return a tlog-policy with the two groups, of which any can be empty."""
    lines = [f"log {(log or key(ORIGIN, LOG)).vkey}"]
    groups = []
    for group, letter, keys, least in (("witnesses", "w", [*witnesses], needs[0]),
                                       ("approvers", "a", [*approvers], needs[1])):  # fmt: skip
        lines += [f"witness {letter}{i} {each.vkey}" for i, each in enumerate(keys)]
        if keys:
            members = " ".join(f"{letter}{i}" for i in range(len(keys)))
            groups.append(f"group {group} {least} {members}")
    return "".join(f"{line}\n" for line in [*lines, *groups, f"quorum {quorum}"]).encode()


def small_list(epoch: int, name: str = "a list") -> bytes:
    """Return a list with one entry that is another one in each epoch."""
    contents = Contents(
        epoch=epoch,
        texts=[
            (0, 0, "en", name),
            (1, 0, "en", "A hotline"),
            (2, 0, "en", "known"),
            (5, 0, "en", "https://a.example/"),
        ],
    )
    contents.add_entry((0, 0, 1), struct.pack("<HI", 1, epoch & 0xFFFFFFFF))
    rows = HasherRows("pdq", "full")
    rows.hashes += hashlib.sha256(b"%d" % epoch).digest()
    rows.entries.append(0)
    contents.hashers = [rows]
    return list_bytes(contents)


@dataclass
class Release:
    """A list and its proof, as they lie on a server."""

    data: bytes
    proof: Proof

    @property
    def text(self) -> bytes:
        """The proof file."""
        return self.proof.text().encode()

    def write(self, path: Path) -> Path:
        """Write both files and return the list's path."""
        path.write_bytes(self.data)
        path.with_name(f"{path.name}.tlog-proof").write_bytes(self.text)
        return path

    def without(self, *keys: Key) -> Release:
        """Return it without these keys' signatures."""
        names = {each.name for each in keys}
        kept = tuple(s for s in self.proof.checkpoint.signatures if s.split(" ")[1] not in names)
        return self.with_lines(*kept)

    def with_lines(self, *lines: str) -> Release:
        """Return it with these signature lines instead."""
        return replace(self, proof=replace(self.proof, checkpoint=replace(
            self.proof.checkpoint, signatures=lines)))  # fmt: skip

    def also(self, *lines: str) -> Release:
        """Return it with these signature lines, too."""
        return self.with_lines(*self.proof.checkpoint.signatures, *lines)


@dataclass
class Publisher:
    """Publishes; all that it holds can be bent before it does."""

    policy: bytes = field(default_factory=policy)
    log: Key = field(default_factory=lambda: key(ORIGIN, LOG))
    witnesses: list[Key] = field(default_factory=lambda: [*WITNESSES])
    approvers: list[Key] = field(default_factory=lambda: [*APPROVERS])
    version: int = 1
    policy_before: bytes = b""
    leaves: list[bytes] = field(default_factory=list)

    def manifest(self, data: bytes, now: int = NOW, origin: str = "") -> bytes:
        """Return an honest manifest of a list."""
        terms = Terms(origin or self.log.name, self.policy, self.version, now, self.policy_before)
        return make_manifest(ListFile(data), None, terms)

    def publish(self, data: bytes | None = None, *, now: int = NOW, manifest: bytes = b"",
                index: int | None = None) -> Release:  # fmt: skip
        """Return a release that everybody has signed."""
        data = small_list(len(self.leaves)) if data is None else data
        manifest = manifest or self.manifest(data, now)
        self.leaves.append(tree.leaf_hash(manifest))
        return self.sign(data, manifest, len(self.leaves) - 1 if index is None else index, now)

    def sign(self, data: bytes, manifest: bytes, index: int, now: int = NOW) -> Release:
        """Return the proof of a leaf in the tree as it is, signed by everybody."""
        path = tuple(tree.inclusion(index, self.leaves))
        made = Checkpoint.make(self.log.name, len(self.leaves), tree.root(self.leaves))
        lines = [self.log.sign_note(made.text)]
        lines += [each.cosign_note(made.text, now) for each in self.witnesses + self.approvers]
        return Release(data, Proof(manifest, index, path, replace(made, signatures=tuple(lines))))

    def rotate(self, new: bytes, *, witnesses: list[Key], now: int = NOW) -> Release:
        """Return the release that brings a new policy, signed by the old witnesses and the new."""
        old = self.witnesses
        self.policy_before, self.policy, self.version = self.policy, new, self.version + 1
        self.witnesses = list(dict.fromkeys(old + witnesses))
        made = self.publish(now=now)
        self.witnesses, self.policy_before = witnesses, b""
        return made

    def skip(self, count: int) -> None:
        """Publish releases that nobody fetches."""
        for _ in range(count):
            self.publish()
