"""Deltas, the client's side: from the list that is here to the next release of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doorsill.core import delta_apply, delta_describe
from doorsill.errors import ListError
from doorsill.limits import Limits

if TYPE_CHECKING:
    import mmap


def apply_delta(
    base: bytes | mmap.mmap, delta: bytes, *, size: int | None = None, limits: Limits | None = None
) -> bytearray:
    """Return the next release, whose SHA-256 is the one that the delta names.

    A delta needs no signature, for it cannot make anything else than what it names without being
    seen here; whether *that* is the release to have, its proof decides (`HashList.accept`).

    Args:
        base: All bytes of the list that is here.
        delta: The delta.
        size: What the manifest says about the result's size, where it is known: no byte more.
        limits: `list_bytes` bounds the result.

    Raises:
        ListError: It is no delta, for another list, too large, cut short or bent.
    """
    about = delta_describe(delta)
    most = min(size if size is not None else about.result_size, (limits or Limits()).list_bytes)
    if about.result_size > most:
        raise ListError(f"the delta makes {about.result_size} bytes, allowed are {most}; fetch "
                        "the whole list, or raise Limits.list_bytes")  # fmt: skip
    digest = hashlib.sha256(base).digest()
    if digest != about.base_sha256:
        again = digest == about.result_sha256
        why = "it was applied already" if again else "it is for another release than the one here"
        raise ListError(f"the delta does not fit: {why}; fetch the one for this list, or all of it")
    made = delta_apply(base, delta, about.result_size)
    if hashlib.sha256(made).digest() != about.result_sha256:
        raise ListError("the delta is bent: it makes another list than it says; fetch it again")
    return made
