"""The release cap: how much of a list may change at once without a reason that everyone can read.

A publisher who is broken into, or leaned upon, cannot then exchange a list overnight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorsill.publish.diff import Changes

SHARE = 0.05  # of the entries before
LEAST = 1000  # entries, so that a small list may grow


def cap(before: int) -> int:
    """Return how many entries of a list may be added, removed and changed in one release."""
    return max(LEAST, int(SHARE * before))


def over_cap(changes: Changes) -> str:
    """Return in a sentence by how much a release is over the cap, "" if it is not."""
    allowed = cap(changes.before)
    if changes.total <= allowed:
        return ""
    return (f"{changes.total} changes ({changes.added} added, {changes.removed} removed, "
            f"{changes.changed} changed) are over the cap of {allowed} for a list of "
            f"{changes.before}; spread them over several releases, or give the reason that the "
            "manifest will show")  # fmt: skip
