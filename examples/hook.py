"""Stands between a client and its upload; what the Python embeddings beside this file share.

A host copies this file with the embedding that it needs. It knows no network and no messenger.
"""

from __future__ import annotations

import io
import tempfile
from typing import IO, TYPE_CHECKING

from doorsill import Action, DoorsillError, Gate, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable

IN_MEMORY = 64 << 20  # bytes of a snapshot; larger ones, videos mostly, go to a file without a name


class Refused(Exception):  # noqa: N818 - the name says what happened
    """Nothing was sent. `verdict` says why, `verdict.receipt()` says it to the person."""

    def __init__(self, verdict: Verdict) -> None:
        """Keep the verdict."""
        super().__init__(f"not sent: {verdict.reason}")
        self.verdict = verdict


class Hook:
    """Lets through what a gate lets through.

    Making one screens the published test card: there is no Hook whose gate does not work, so an
    app that claims protection only while it holds one claims nothing that is not so.
    """

    def __init__(
        self, gate: Gate, confirm: Callable[[Verdict], Awaitable[bool]] | None = None
    ) -> None:
        """Run the test card.

        Args:
            gate: What screens.
            confirm: Asks the person whether to send after a WARN; without it a WARN is a no.

        Raises:
            DoorsillError: The card was not stopped. Let nothing through, and claim no protection.
        """
        if gate.self_test().action == Action.SEND:
            raise DoorsillError("by its policy, even the test card would be sent")
        self.gate = gate
        self.confirm = confirm

    @property
    def claim(self) -> str:
        """What the app may say of itself while it holds this hook."""
        lists = ", ".join(f"{each.name} (trust: {each.trust.tier})" for each in self.gate.lists)
        return f"Pictures are checked on this device against {lists}; doorsill sends nothing."

    async def check(
        self,
        snapshot: IO[bytes],
        source: str | bytes | IO[bytes] | None = None,
        agreed: set[str] | None = None,
    ) -> None:
        """Return if this may be sent; the snapshot then stands at its beginning.

        Args:
            snapshot: Exactly the bytes that will be sent.
            source: The original that the client re-encoded, for its digests.
            agreed: SHA-256 of what the person agreed to in the same act, who is not asked twice.

        Raises:
            Refused: It may not.
        """
        agreed = set() if agreed is None else agreed
        verdict = await self.gate.screen_async(snapshot, source=source)
        asked_before = verdict.sha256 != "" and verdict.sha256 in agreed
        if verdict.action == Action.WARN and not asked_before:
            if self.confirm is None or not await self.confirm(verdict):
                raise Refused(verdict)
            agreed.add(verdict.sha256)
        if verdict.action == Action.BLOCK:
            raise Refused(verdict)
        snapshot.seek(0)


class _Small(io.BytesIO):
    name: str | None = None


class _Large(io.BufferedRandom):
    name: str | None = None


async def snapshot_of(pieces: AsyncIterable[bytes], name: str | None = None) -> IO[bytes]:
    """Return a copy of a file that nobody else can change: what is screened is what is sent.

    Args:
        pieces: Of the file, in order.
        name: What `snapshot.name` shall be; hosts look there.
    """
    copy: _Small | _Large = _Small()
    try:
        async for piece in pieces:
            if isinstance(copy, _Small) and copy.tell() + len(piece) > IN_MEMORY:
                file = _Large(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - closed with it
                file.write(copy.getbuffer())
                copy = file
            copy.write(piece)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    copy.name = name
    return copy
