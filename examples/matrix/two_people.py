"""Two people, a real server, an encrypted room: an ordinary photo arrives, a listed one does not.

    pip install '.[matrix]'
    python examples/matrix/two_people.py

With `--sealed` her client carries a list that it cannot read, and asks a sealing server on loopback
(`pip install '.[matrix,server]'`). The first run installs Synapse into an environment of its own;
see server.py.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import secrets
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nio import AsyncClient, AsyncClientConfig, RoomEncryptedImage, UploadResponse
from nio.crypto import decrypt_attachment
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from hook import Hook, Refused
from screened_client import ScreenedClient
from server import Server

from doorsill import Gate, HashList, Trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

    from doorsill import SealedList

_MESSENGER = (1280, 87)  # longest side and JPEG quality, as a common messenger re-encodes
_TRUSTING = {"ignore_unverified_devices": True}  # two new devices that nobody compared


class Chat:
    """Alice, whose client screens, and Bob, in one encrypted room."""

    def __init__(self, alice: AsyncClient, bob: AsyncClient, room: str) -> None:
        """Keep both clients, which are logged in, and the room's id."""
        self.alice, self.bob, self.room = alice, bob, room

    async def send(self, picture: bytes, name: str) -> None:
        """Have Alice send a picture, encrypted.

        Raises:
            Refused: Her client did not, and sent nothing of it.
        """
        answer, keys = await self.alice.upload(
            lambda *_: picture, "image/jpeg", name, encrypt=True, filesize=len(picture)
        )
        if not isinstance(answer, UploadResponse):
            raise TypeError(f"{name}: the server did not take it: {answer}")
        content = {"msgtype": "m.image", "body": name, "file": {"url": answer.content_uri, **keys}}
        await self.alice.room_send(self.room, "m.room.message", content, **_TRUSTING)

    async def received(self) -> list[bytes]:
        """Return the pictures that have come to Bob since the last time, decrypted."""
        answer = await self.bob.sync(full_state=True)
        room = answer.rooms.join.get(self.room)
        events = room.timeline.events if room else []
        return [await self._opened(each) for each in events if isinstance(each, RoomEncryptedImage)]

    async def _opened(self, event: Any) -> bytes:
        file = await self.bob.download(event.url)
        sum_of_it = event.hashes["sha256"]
        opened: bytes = decrypt_attachment(file.body, event.key["k"], sum_of_it, event.iv)
        return opened


@asynccontextmanager
async def chat(server: Server, folder: Path, hook: Hook) -> AsyncIterator[Chat]:
    """Give two new people on a server a client each, and an encrypted room."""
    async with AsyncExitStack() as stack:
        clients = []
        for name, kind, options in (
            ("alice", ScreenedClient, {"hook": hook}),
            ("bob", AsyncClient, {}),
        ):
            person = server.register(name, secrets.token_urlsafe(16))
            store = folder / name
            store.mkdir()
            client = kind(server.url, person.address, store_path=str(store),
                          config=AsyncClientConfig(store_sync_tokens=False), **options)  # fmt: skip
            stack.push_async_callback(client.close)
            client.restore_login(person.address, person.device, person.token)
            await client.keys_upload()
            clients.append(client)
        alice, bob = clients
        encryption = {"type": "m.room.encryption", "state_key": "",
                      "content": {"algorithm": "m.megolm.v1.aes-sha2"}}  # fmt: skip
        made = await alice.room_create(invite=[bob.user_id], initial_state=[encryption])
        await bob.join(made.room_id)
        for client in (alice, bob):
            await client.sync(full_state=True)
            await client.keys_query()
        yield Chat(alice, bob, made.room_id)


def listed_again() -> bytes:
    """Return the DEMO list's picture as a messenger would have re-encoded it."""
    size, quality = _MESSENGER
    original = files("doorsill").joinpath("data", "lighthouse.jpg").read_bytes()
    again = io.BytesIO()
    with Image.open(io.BytesIO(original)) as picture:
        picture.thumbnail((size, size))
        picture.save(again, "JPEG", quality=quality)
    return again.getvalue()


def the_list(folder: Path, *, sealed: bool) -> AbstractContextManager[HashList | SealedList]:
    """Give the DEMO list, or itself sealed and a server for it."""
    path = Path(str(files("doorsill"))) / "data/demo.dsl"
    if not sealed:
        return nullcontext(HashList.open(path, Trust.none()))
    sys.path.insert(0, str(Path(__file__).parents[1] / "sealing_server"))
    from loopback import sealed_list  # noqa: PLC0415 - its libraries are another extra

    (folder / "sealed").mkdir()
    return sealed_list(path, folder / "sealed")


async def run(folder: Path, *, sealed: bool) -> bool:
    """Print what happens; return whether it is what should."""
    start = time.perf_counter()
    demo_list = the_list(folder, sealed=sealed)
    with Server(folder / "server") as server, demo_list as opened, Gate(opened) as gate:
        hook = Hook(gate)
        print(f"{hook.claim}\nA server is up at {server.url} ({time.perf_counter() - start:.1f} s)")
        async with chat(server, folder, hook) as both:
            photo = files("doorsill").joinpath("data", "coffee.jpg").read_bytes()
            await both.send(photo, "coffee.jpg")
            arrived = await both.received() == [photo]
            before, uploads = server.media_bytes(), server.uploads()
            print(f"coffee.jpg: sent, encrypted; what Bob decrypts is "
                  f"{'the same' if arrived else 'NOT THE SAME'}, {len(photo)} bytes")  # fmt: skip
            stopped = False
            try:
                await both.send(listed_again(), "picture.jpg")
            except Refused as refused:
                stopped = True
                print(f"picture.jpg: {refused}")
            leaked, tried = server.media_bytes() - before, server.uploads() - uploads
            print(f"{leaked} bytes of it reached the server, in {tried} uploads; "
                  f"{time.perf_counter() - start:.1f} s in all")  # fmt: skip
            return arrived and stopped and not leaked and not tried


def main() -> int:
    """Return 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sealed", action="store_true", help="with a list that she cannot read")
    sealed = parser.parse_args().sealed
    logging.getLogger("nio").setLevel(logging.ERROR)  # it warns of each first message to a device
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(run(Path(folder), sealed=sealed)) else 1


if __name__ == "__main__":
    sys.exit(main())
