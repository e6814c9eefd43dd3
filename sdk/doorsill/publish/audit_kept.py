"""What kept lists and proofs add to an audit: who signed each release, and what was in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from doorsill import releases
from doorsill.errors import TrustError
from doorsill.files import open_regular, read_small
from doorsill.publish import tree
from doorsill.publish.log import LogError
from doorsill.publish.sign import FIRST_LINE, PROOF, Proof, names_of

if TYPE_CHECKING:
    from doorsill.publish.audit import Audit, Epoch
    from doorsill.publish.manifest import Manifest

_POLICY = re.compile(r"(?:.*\.)?policy-[0-9]+")


class _Kept:
    """A folder, walked to its bottom: proofs, the policies that they may be under, and lists."""

    def __init__(self, folder: Path, policy: bytes) -> None:
        files = sorted(_files(folder))
        links = {path for path in files if _POLICY.fullmatch(path.name)}
        others = {path.with_name(path.name + PROOF) for path in links} | links
        self.files = [path for path in files if path not in others]
        # What is larger is no policy, whatever its name.
        small = [path for path in links if path.stat().st_size <= releases.MAX_TRUST]
        texts = [policy, *(read_small(path, releases.MAX_TRUST) for path in small)]
        self.policies = {hashlib.sha256(text).hexdigest(): text for text in texts}
        self._by_size: defaultdict[int, list[Path]] = defaultdict(list)
        for path in filter(Path.is_file, self.files):
            self._by_size[path.stat().st_size].append(path)

    def list_of(self, proof: Path, manifest: Manifest) -> Path | None:
        """Return the list beside a proof, else the one that its manifest names, wherever it is."""
        beside = proof.with_name(proof.name.removesuffix(PROOF))
        if beside != proof and beside.exists():
            return beside
        for path in self._by_size[manifest.number("size")]:
            if hashlib.sha256(path.read_bytes()).hexdigest() == manifest.one("sha256"):
                return path
        return None


def _files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> NoReturn:
        raise LogError(f"{error.filename}: {error.strerror}; name a readable folder of lists and "
                       "proofs")  # fmt: skip

    walked = os.walk(folder, onerror=refuse)
    paths = [Path(here, name) for here, _, names in walked for name in names]
    return [path for path in paths if path.is_file() or path.name.endswith(PROOF)]


def _is_proof(path: Path) -> bool:
    """Tell by name or by its first bytes: proofs may be kept under any name."""
    if path.name.endswith(PROOF):
        return True
    with open_regular(path) as file:
        return file.read(len(FIRST_LINE)) == FIRST_LINE.encode()


def add_kept(found: Audit, folder: Path, policy: bytes) -> None:
    """Match kept proofs and lists with the epochs of an audit, and count what was looked at.

    Raises:
        LogError: It is no folder, or a part of it cannot be read: what is not seen is not sound.
    """
    kept = _Kept(folder, policy)
    for path in kept.files:
        try:
            if _is_proof(path):
                _add_proof(found, kept, path)
        except OSError as error:  # noqa: PERF203 - each proof has its own trouble
            found.problems.append(f"{error.filename or path}: {error.strerror}")
        except (LogError, TrustError) as error:
            found.problems.append(str(error))
    found.proofs = sum(1 for epoch in found.epochs if epoch.tier)
    if not found.proofs:
        found.problems.append(f"{folder}: no proof in it holds for a release of this log; name a "
                              "folder with lists and their .tlog-proof")  # fmt: skip


def _add_proof(found: Audit, kept: _Kept, path: Path) -> None:
    raw = read_small(path, releases.MAX_PROOF)
    epoch = _epoch_of(found, path, Proof.read(path))
    digest = epoch.manifest.one("policy").split(" ")[-1]
    text = kept.policies.get(digest)
    if text is None:
        raise LogError(f"{path}: is under the trust policy {digest}, which is neither yours nor "
                       "kept here; keep it beside its list, as .policy-N")  # fmt: skip
    data = kept.list_of(path, epoch.manifest)
    try:
        release = releases.check_release(text, "signed", raw, data.read_bytes() if data else None)
    except TrustError as error:
        raise TrustError(f"{path}: {error}", error.kind) from None
    epoch.list = epoch.list or data
    signers = names_of(text, release.cosigners)
    if not epoch.tier or len(signers) > len(epoch.signers):  # proofs of one release grow
        epoch.tier, epoch.signers = release.tier, signers


def _epoch_of(found: Audit, path: Path, proof: Proof) -> Epoch:
    leaf = tree.leaf_hash(proof.manifest)
    for epoch in found.epochs:
        if found.leaves[epoch.number] == leaf:
            return epoch
    why = "is a leaf that breaks the form" if leaf in found.leaves else "is not in the log"
    raise LogError(f"{path}: its manifest {why}")
