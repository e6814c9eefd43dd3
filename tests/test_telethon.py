"""The Telethon embedding on Telethon's own upload code; only what it sends by is replaced."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import embedding
from doorsill import Gate, Outcome, Verdict, hash_image, testcard
from doorsill.digests import digest
from doorsill.lists import TEST
from drawn import decoy, saved
from embedding import LISTED, MESSENGERS, ORDINARY, re_encoded
from lists import hash_list

pytest.importorskip("telethon", reason="pip install '.[telegram]'")

import aiofiles
from hook import Hook, Refused
from screened_telethon import ScreenedTelegramClient
from telethon.errors import RPCError
from telethon.sessions import MemorySession
from telethon.tl import functions, types

if TYPE_CHECKING:
    from pathlib import Path

# Telethon leaves the photos open whose size it looks at.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

FRIEND = types.InputPeerUser(user_id=7, access_hash=7)
PARTS = (functions.upload.SaveFilePartRequest, functions.upload.SaveBigFilePartRequest)
TORN = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Sender:
    """Stands where Telethon's encrypted connection does: keeps requests, and answers."""

    def __init__(self) -> None:
        """Begin with none."""
        self.requests: list[Any] = []

    def send(self, request: Any, *, ordered: bool = False) -> asyncio.Future[Any]:
        """Take a request as MTProtoSender.send does."""
        assert not ordered
        self.requests.append(request)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(request, PARTS):
            answer.set_result(True)
        else:  # a message that the server does not take: what was uploaded for it counts here
            answer.set_exception(RPCError(request, "ENOUGH", 400))
        return answer

    @property
    def parts(self) -> list[bytes]:
        """The parts of files that were sent."""
        return [request.bytes for request in self.requests if isinstance(request, PARTS)]

    @property
    def sent(self) -> bytes:
        """All of them together."""
        return b"".join(self.parts)


async def sending(deed: Any, hook: Hook | None = None, **options: Any) -> Sender:
    """Have a client do a deed, and return what it sent."""
    sender = Sender()
    hook = hook or embedding.hook(**options)
    client = ScreenedTelegramClient(MemorySession(), 1, "hash", hook=hook)
    client._sender = sender  # noqa: SLF001 - the network call that is replaced
    client._loop = asyncio.get_running_loop()  # noqa: SLF001 - as connecting would
    try:
        await deed(client, sender)
    finally:
        client._sender = None  # noqa: SLF001 - nothing to disconnect
        client.session.close()
    return sender


def send_file(*files: Any, **options: Any) -> Sender:
    """Return what a client sends of a file, or of an album."""

    async def deed(client: ScreenedTelegramClient, _: Sender) -> None:
        given = files[0] if len(files) == 1 else list(files)
        with pytest.raises(RPCError, match="ENOUGH"):
            await client.send_file(FRIEND, given, **options)

    return asyncio.run(sending(deed))


def refused(*files: Any, hook: Hook | None = None) -> None:
    """See that a file or an album is refused and 0 parts of it are sent."""

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        given = files[0] if len(files) == 1 else list(files)
        with pytest.raises(Refused):
            await client.send_file(FRIEND, given)
        assert 0 == len(sender.parts)
        assert [] == sender.requests

    asyncio.run(sending(deed, hook))


def named(data: bytes, name: str = "photo.jpg") -> io.BytesIO:
    """Return a file in memory with a name."""
    file = io.BytesIO(data)
    file.name = name
    return file


@pytest.mark.parametrize("form", ["path", "str", "bytes", "memory", "file"])
def test_all_that_telethon_takes(form: str, tmp_path: Path) -> None:
    """An ordinary photo arrives whole, in parts; of a listed one 0 parts are sent."""

    def give(data: bytes) -> Any:
        path = tmp_path / "photo.jpg"
        path.write_bytes(data)
        forms = {"path": path, "str": str(path), "bytes": data, "memory": named(data)}
        return path.open("rb") if form == "file" else forms[form]

    ordinary, listed = give(ORDINARY), None
    try:
        assert ORDINARY == send_file(ordinary).sent
        listed = give(LISTED)
        refused(listed)
    finally:
        for each in (ordinary, listed):
            if hasattr(each, "close"):
                each.close()


def test_asynchronous_files(tmp_path: Path) -> None:
    """Files whose methods are awaited are read, too, also in an album."""
    path = tmp_path / "photo"  # Telethon cannot make photos smaller that it must await

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        path.write_bytes(ORDINARY)
        async with aiofiles.open(path, "rb") as file:
            await client.upload_file(file)
        assert ORDINARY == sender.sent
        path.write_bytes(LISTED)
        for album in (False, True):
            async with aiofiles.open(path, "rb") as file:
                with pytest.raises(Refused):
                    await client.send_file(FRIEND, [ORDINARY, file] if album else file)
        assert ORDINARY == sender.sent

    asyncio.run(sending(deed))


def test_what_it_makes_smaller() -> None:
    """Telethon re-encodes photos over 2560 px and flattens others before the hook: both count."""
    drawing = Image.open(io.BytesIO(LISTED))
    refused(named(saved(drawing.resize((3200, 2160)), "PNG"), "large.png"))
    refused(named(saved(drawing.convert("RGBA"), "PNG"), "flattened.png"))
    sender = send_file(named(saved(decoy((3000, 2000)), "JPEG")))
    assert (2560, 1707) == Image.open(io.BytesIO(sender.sent)).size


def test_digests_of_the_original(tmp_path: Path) -> None:
    """A file that is listed by its digests alone is refused, though Telethon would send another."""
    large = saved(decoy((3000, 2000)), "JPEG")
    card = {0: hash_image(testcard.test_card()).bytes}
    listed = hash_list(pdq=card, flags=TEST, digests={"sha256": [(digest(large)[0], 1)]})
    hook = Hook(Gate(listed, isolation="inline"))
    refused(named(large), hook=hook)
    path = tmp_path / "large.jpg"
    path.write_bytes(large)
    refused(path, hook=hook)


def test_an_album_is_refused_whole(tmp_path: Path) -> None:
    """Where one picture of an album is listed, 0 parts of the others are sent."""
    (tmp_path / "listed.jpg").write_bytes(LISTED)
    refused(named(ORDINARY), ORDINARY, tmp_path / "listed.jpg")
    refused(ORDINARY, named(LISTED))

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        for album in ((each for each in (ORDINARY, LISTED)), {ORDINARY, LISTED}):
            with pytest.raises(Refused):
                await client.send_file(FRIEND, album)
        assert [] == sender.parts
        with pytest.raises(RPCError):  # of the first; the stub's server takes no message
            await client.send_file(FRIEND, [named(ORDINARY), named(ORDINARY, "other.jpg")])
        assert ORDINARY == sender.sent

    asyncio.run(sending(deed))


def test_the_person_is_asked_once() -> None:
    """For one album, though it is screened before it is begun and again as it is sent."""
    asked: list[Verdict] = []

    async def confirm(verdict: Verdict) -> bool:
        asked.append(verdict)
        return True

    async def deed(client: ScreenedTelegramClient, _: Sender) -> None:
        with pytest.raises(RPCError):
            await client.send_file(FRIEND, [named(TORN, "torn.bin"), named(ORDINARY)])
        assert [Outcome.UNREADABLE] == [verdict.outcome for verdict in asked]
        with pytest.raises(RPCError):
            await client.send_file(FRIEND, named(TORN, "torn.bin"))

    assert TORN * 2 == asyncio.run(sending(deed, confirm=confirm)).sent
    assert 2 == len(asked)


def test_names_and_thumbnails() -> None:
    """A document keeps its name, and a listed picture does not pass as its thumbnail."""
    sender = send_file(named(ORDINARY, "notes.pdf"), force_document=True)
    media = sender.requests[-1].media
    assert ("notes.pdf", "application/pdf") == (media.file.name, media.mime_type)

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        with pytest.raises(Refused):
            await client.send_file(FRIEND, named(ORDINARY, "a.pdf"), thumb=LISTED)
        assert ORDINARY == sender.sent  # the document was, before its thumbnail

    asyncio.run(sending(deed))


def test_several_parts_and_what_is_there_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many parts arrives whole, from a snapshot on disk; one sent before is not read."""
    monkeypatch.setattr("hook.IN_MEMORY", 1 << 20)
    data = ORDINARY + bytes(3 << 20)

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        handle = await client.upload_file(named(data, "a.bin"))
        assert (data, "a.bin") == (sender.sent, handle.name)
        assert 2 <= len(sender.parts) == handle.parts
        assert handle is await client.upload_file(handle)

    asyncio.run(sending(deed))


@pytest.mark.parametrize(("side", "quality"), MESSENGERS)
def test_re_encoded(side: int, quality: int) -> None:
    """What apps make of a listed picture before they hand it over is refused all the same."""
    refused(named(re_encoded(Image.open(io.BytesIO(LISTED)), side, quality)))


def test_secret_chats() -> None:
    """With a key, what is screened is what is there before encryption."""

    async def deed(client: ScreenedTelegramClient, sender: Sender) -> None:
        keys = {"key": bytes(range(32)), "iv": bytes(range(32))}
        with pytest.raises(Refused):
            await client.upload_file(named(LISTED), **keys)
        assert [] == sender.parts
        await client.upload_file(named(ORDINARY + bytes(-len(ORDINARY) % 16)), **keys)
        assert ORDINARY[:64] not in sender.sent

    asyncio.run(sending(deed))
