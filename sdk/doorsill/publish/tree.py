"""Hash trees of transparency logs: RFC 6962, section 2.1, over SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below *size*."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over hashes of leaves."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the path from a leaf to the root, the leaf's sibling first."""
    if len(leaves) <= 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion(index, leaves[:k]), root(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), root(leaves[:k])]


def consistency(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof that the tree over *leaves* extends the one over the first *size*."""
    return [] if size in {0, len(leaves)} else _subproof(size, leaves, whole=True)


def _subproof(size: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    k = _split(len(leaves))
    if size <= k:
        return [*_subproof(size, leaves[:k], whole=whole), root(leaves[k:])]
    return [*_subproof(size - k, leaves[k:], whole=False), root(leaves[:k])]


def is_last(entry: bytes, index: int, size: int, path: Sequence[bytes], top: bytes) -> bool:
    """Tell whether an entry is a tree's last leaf: all hashes on its path stand left of it."""
    found = leaf_hash(entry)
    for left in path:
        found = node_hash(left, found)
    return index == size - 1 and len(path) == index.bit_count() and found == top


def extends(  # noqa: C901 - the RFC's own steps, in its order
    size: int, old: bytes, new_size: int, new: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the proof shows that the new tree extends the old one (RFC 9162, 2.1.4.2)."""
    if size > new_size or (size == 0 and proof):
        return False
    if size == 0:
        return True
    if size == new_size:
        return not proof and old == new
    path = list(proof)
    if size & (size - 1) == 0:
        path.insert(0, old)
    if not path:
        return False
    fn, sn = size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for each in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(each, first), node_hash(each, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old and second == new
