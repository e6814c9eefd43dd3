"""Whom the window talks to: an echo in this process, or somebody on a Matrix server.

Both let pictures pass by the hook alone. matrix-nio and the client in examples/matrix are loaded
only where a server is named.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attachments import Attachment
    from hook import Hook

_SYNC_MILLISECONDS = 30_000
_MOST_RECEIVED = 50 << 20  # bytes of a picture
_TRUSTING = {"ignore_unverified_devices": True}  # an example has no page to compare devices on
_PEOPLE = ("alice", "bob")  # whom examples/matrix/server.py registers


class Offline(Exception):  # noqa: N818 - the name says what happened
    """The server does not answer, or not as it should."""


@dataclass(frozen=True)
class Received:
    """What came from the other side: a text, or a file that has a name."""

    text: str = ""
    name: str = ""
    data: bytes = b""


class Peer(Protocol):
    """The other side."""

    name: str
    """"" where there is nobody."""
    server: str
    hook: Hook | None
    """What pictures must pass; None where it does not work, and none are sent."""

    async def open(self, receive: Callable[[Received], None], joined: Callable[[], None]) -> None:
        """Connect; *receive* gets what comes, *joined* is called once the other is there."""

    async def say(self, text: str) -> None:
        """Send a text."""

    async def give(self, attachment: Attachment) -> None:
        """Send a file if the hook lets it through; else it raises `Refused`."""

    async def leave(self) -> None:
        """Disconnect; it can be opened again."""

    async def close(self) -> None:
        """Disconnect for good."""


class Echo:
    """Nobody: it gives back what would have been sent."""

    name = server = ""

    def __init__(self) -> None:
        """Nothing to prepare."""
        self.hook: Hook | None = None
        self._receive: Callable[[Received], None] = lambda _: None

    async def open(self, receive: Callable[[Received], None], joined: Callable[[], None]) -> None:
        """As of a Peer."""
        self._receive = receive
        joined()

    async def say(self, text: str) -> None:
        """As of a Peer."""
        self._receive(Received(text=text))

    async def give(self, attachment: Attachment) -> None:
        """As of a Peer."""
        if self.hook is None:
            raise Offline("there is no hook")
        with BytesIO(attachment.data) as snapshot:
            await self.hook.check(snapshot)
            self._receive(Received(name=attachment.name, data=snapshot.read()))

    async def leave(self) -> None:
        """As of a Peer."""

    async def close(self) -> None:
        """As of a Peer."""


class Matrix:
    """Somebody in an encrypted room that has the two of us in it.

    Who comes first in the alphabet makes the room, the other waits to be invited, so that two
    windows that start together meet in one.
    """

    def __init__(self, settings: Mapping[str, str], me: str) -> None:
        """Take what examples/matrix/server.py puts into the environment, and who of the two."""
        self.server = settings["DOORSILL_MATRIX_URL"]
        self.name = next(each for each in _PEOPLE if each != me)
        self.hook: Hook | None = None
        self._me = me
        self._password = settings[f"DOORSILL_MATRIX_{me.upper()}"]
        self._store = tempfile.TemporaryDirectory(prefix="doorsill-")
        self._client: Any = None
        self._listener: asyncio.Task[None] | None = None
        self._room = ""
        self._together = asyncio.Event()

    async def open(self, receive: Callable[[Received], None], joined: Callable[[], None]) -> None:
        """As of a Peer.

        Raises:
            Offline: The server does not take us.
        """
        sys.path.append(str(Path(__file__).parents[1] / "matrix"))
        from nio import AsyncClientConfig
        from screened_client import ScreenedClient

        await self.leave()
        hook: Any = self.hook  # None sends nothing either: `give` asks first
        self._client = ScreenedClient(
            self.server, f"@{self._me}:localhost", store_path=self._store.name, hook=hook,
            config=AsyncClientConfig(store_sync_tokens=False),
        )  # fmt: skip
        try:
            _check(await self._client.login(self._password))
            await self._client.keys_upload()
            _check(await self._client.sync(full_state=True))
            await self._find_room()
        except (OSError, asyncio.TimeoutError) as error:
            raise Offline(str(error) or "no answer") from None
        self._listener = asyncio.create_task(self._listen(receive, joined))

    async def _find_room(self) -> None:
        """Be in the room with the other, as far as that is up to us."""
        there = f"@{self.name}:localhost"
        for room in self._client.rooms.values():
            if room.encrypted and there in (*room.users, *room.invited_users):
                self._room = room.room_id
        if not self._room and self._me == min(_PEOPLE):
            encryption = {"type": "m.room.encryption", "state_key": "",
                          "content": {"algorithm": "m.megolm.v1.aes-sha2"}}  # fmt: skip
            made = await self._client.room_create(invite=[there], initial_state=[encryption])
            self._room = _check(made).room_id

    async def _listen(
        self, receive: Callable[[Received], None], joined: Callable[[], None]
    ) -> None:
        """Hear what happens, until cancelled. nio itself waits and asks again after failures."""
        while True:
            answer = await self._client.sync(_SYNC_MILLISECONDS if self._together.is_set() else 500)
            if not self._room:
                for room in list(self._client.invited_rooms):
                    await self._client.join(room)
                    self._room = room
            room = self._client.rooms.get(self._room)
            if room and len(room.users) > 1 and room.encrypted and not self._together.is_set():
                if self._client.should_query_keys:
                    await self._client.keys_query()
                self._together.set()
                joined()
            rooms = getattr(getattr(answer, "rooms", None), "join", {})
            for event in rooms[self._room].timeline.events if self._room in rooms else ():
                if event.sender != self._client.user_id:
                    await self._hear(event, receive)

    async def _hear(self, event: Any, receive: Callable[[Received], None]) -> None:
        from nio import RoomEncryptedMedia, RoomMessageText
        from nio.crypto import decrypt_attachment

        if isinstance(event, RoomMessageText):
            receive(Received(text=event.body[:10_000]))
        elif isinstance(event, RoomEncryptedMedia):
            with suppress(Exception):  # what a stranger sends may be anything; it is then not shown
                file = await self._client.download(event.url)
                if len(file.body) <= _MOST_RECEIVED:
                    keys = (event.key["k"], event.hashes["sha256"], event.iv)
                    data = decrypt_attachment(file.body, *keys)
                    receive(Received(name=event.body, data=data))

    async def say(self, text: str) -> None:
        """As of a Peer.

        Raises:
            Offline: The server did not take it.
        """
        await self._send({"msgtype": "m.text", "body": text})

    async def give(self, attachment: Attachment) -> None:
        """As of a Peer.

        Raises:
            Refused: The hook did not let it through.
            Offline: The server did not take it.
        """
        if self.hook is None or self._client is None:
            raise Offline("there is no hook")
        self._client.hook = self.hook
        kind = mimetypes.guess_type(attachment.name)[0] or "application/octet-stream"
        answer, keys = await self._client.upload(
            BytesIO(attachment.data), kind, attachment.name, encrypt=True
        )
        size = {"mimetype": kind, "size": len(attachment.data)}
        await self._send(
            {
                "msgtype": "m.image" if kind.startswith("image/") else "m.file",
                "body": attachment.name,
                "info": size,
                "file": {"url": _check(answer).content_uri, **keys},
            }
        )

    async def _send(self, content: dict[str, Any]) -> None:
        """Send a message; once it is under way a cancel comes too late."""
        await self._together.wait()
        sending = asyncio.ensure_future(
            self._client.room_send(self._room, "m.room.message", content, **_TRUSTING)
        )
        try:
            answer = await asyncio.shield(sending)
        except asyncio.CancelledError:
            answer = await sending
        _check(answer)

    async def leave(self) -> None:
        """As of a Peer."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._listener
        if self._client is not None:
            await self._client.close()

    async def close(self) -> None:
        """As of a Peer."""
        await self.leave()
        self._store.cleanup()


def _check(answer: Any) -> Any:
    """Return what the server answered; raise `Offline` if that is an error."""
    from nio import ErrorResponse

    if isinstance(answer, ErrorResponse):
        raise Offline(str(answer))
    return answer


def found(me: str) -> Peer:
    """Return the other person on the Matrix server that the environment names, else the echo."""
    return Matrix(os.environ, me) if "DOORSILL_MATRIX_URL" in os.environ else Echo()
