"""The Matrix embedding, on the library's real code: a real Synapse, and a server of many moods."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import embedding
from doorsill import Action, DoorsillError, Policy
from embedding import LISTED, MESSENGERS, ORDINARY, re_encoded

pytest.importorskip("nio", reason="pip install '.[matrix]'")

import aiofiles
from aiohttp import web
from hook import Refused
from nio.client import async_client
from screened_client import ScreenedClient
from server import Server
from two_people import chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SERVER = Path(__file__).parent.parent / "examples/matrix/server.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run a real server for this file's tests."""
    with Server(tmp_path_factory.mktemp("matrix") / "server") as running:
        yield running


def test_a_real_chat(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary photo arrives as it was; a listed one, re-encoded, is not even encrypted."""
    encrypt = async_client.async_encrypt_attachment
    encrypted: list[bytes] = []
    monkeypatch.setattr(
        async_client,
        "async_encrypt_attachment",
        lambda file: encrypted.append(file.getvalue()) or encrypt(file),
    )

    async def talk() -> None:
        async with chat(server, tmp_path, embedding.hook()) as both:
            await both.send(ORDINARY, "coffee.jpg")
            assert [ORDINARY] == await both.received()
            assert 1 == server.uploads()  # so the counters do count
            assert len(ORDINARY) <= (before := server.media_bytes())
            for side, quality in MESSENGERS:
                listed = re_encoded(Image.open(io.BytesIO(LISTED)), side, quality)
                with pytest.raises(Refused):
                    await both.send(listed, "picture.jpg")
            assert [] == await both.received()
            assert (1, before) == (server.uploads(), server.media_bytes())
            assert [ORDINARY] == encrypted
            await both.send(ORDINARY, "again.jpg")  # a refusal leaves the client as it was
            assert [ORDINARY] == await both.received()

    asyncio.run(talk())


def test_a_used_folder_is_left_alone(tmp_path: Path) -> None:
    """A server does not start over what is there, nor leaves a process when it cannot start."""
    (tmp_path / "precious").touch()
    with pytest.raises(OSError, match="not empty"), Server(tmp_path):
        pass


def test_the_server_for_any_command() -> None:
    """A command gets a server, two people who can log in, and the media folder; its code counts."""
    code = """
import json, os, sys, urllib.request
from pathlib import Path
url, media = os.environ["DOORSILL_MATRIX_URL"], Path(os.environ["DOORSILL_MATRIX_MEDIA"])
for name in ("alice", "bob"):
    body = {"type": "m.login.password", "password": os.environ[f"DOORSILL_MATRIX_{name.upper()}"],
            "identifier": {"type": "m.id.user", "user": name}}
    request = urllib.request.Request(f"{url}/_matrix/client/v3/login", json.dumps(body).encode())
    person = json.load(urllib.request.urlopen(request))
    assert person["user_id"] == f"@{name}:localhost"
upload = urllib.request.Request(f"{url}/_matrix/media/v3/upload", b"x" * 5000)
upload.add_header("Authorization", "Bearer " + person["access_token"])
urllib.request.urlopen(upload)
assert sum(path.stat().st_size for path in media.rglob("*") if path.is_file()) == 5000
print(media.parent, end="")
sys.exit(7)
"""
    command = [sys.executable, SERVER, "--", sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert 7 == done.returncode
    assert done.stdout
    assert not Path(done.stdout).exists()


def test_the_server_ends_with_who_started_it() -> None:
    """A TERM ends it as the end of its command does, and leaves no server behind."""
    code = "import os, time; print(os.environ['DOORSILL_MATRIX_URL'], flush=True); time.sleep(600)"
    command = [sys.executable, SERVER, "--", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        url = started.stdout.readline().strip()
        started.terminate()
        assert 143 == started.wait(30)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)  # noqa: S310 - loopback


class Moods:
    """A server that answers uploads in a given order of moods, and keeps what came."""

    def __init__(self, *moods: str) -> None:
        """Take "busy" (429), "gone" (cuts the connection), then always "fine"."""
        self.moods = list(moods)
        self.bodies: list[bytes] = []

    async def take(self, request: web.Request) -> web.Response:
        """Answer one upload."""
        self.bodies.append(await request.read())
        mood = self.moods.pop(0) if self.moods else "fine"
        if mood == "gone":
            assert request.transport
            request.transport.abort()
        if mood == "busy":
            return web.json_response(
                {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1}, status=429
            )
        return web.json_response({"content_uri": "mxc://here/picture"})

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[ScreenedClient]:
        """Give a client that is logged in here."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/_matrix/media/{version}/upload", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        client = ScreenedClient(f"http://127.0.0.1:{port}", hook=embedding.hook(**options))
        client.restore_login("@alice:here", "DEVICE", "token")
        try:
            yield client
        finally:
            await client.close()
            await runner.cleanup()


def test_retries_send_what_was_screened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that gives another picture when it is asked again is not asked again."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _: sleep(0))  # nio waits 5 s for a busy server
    moods = Moods("busy", "gone")
    asked: list[tuple[int, int]] = []

    def provider(busy: int, timeouts: int) -> bytes:
        asked.append((busy, timeouts))
        return ORDINARY if len(asked) == 1 else LISTED

    async def talk() -> None:
        async with moods.client() as client:
            answer, keys = await client.upload(provider, "image/jpeg", "coffee.jpg")
            assert ("mxc://here/picture", None) == (answer.content_uri, keys)

    asyncio.run(talk())
    assert [(0, 0)] == asked
    assert [ORDINARY] * 3 == moods.bodies


async def in_pieces(data: bytes) -> AsyncIterator[bytes]:
    """Yield data in two pieces."""
    yield data[:1000]
    yield data[1000:]


@pytest.mark.parametrize(
    "give",
    [
        lambda path: lambda *_: str(path),
        lambda path: lambda *_: path,
        lambda path: lambda *_: path.read_bytes(),
        lambda path: lambda *_: iter([path.read_bytes()]),
        lambda path: lambda *_: in_pieces(path.read_bytes()),
        lambda path: path.open("rb"),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: aiofiles.open(path, "rb"),
    ],
    ids=["str", "path", "bytes", "pieces", "async pieces", "file", "memory", "async file"],
)
def test_all_that_nio_takes(give: Callable[[Path], Any], tmp_path: Path) -> None:
    """Whatever form a file is given in, it arrives whole or not at all."""
    moods = Moods()
    paths = [tmp_path / "ordinary", tmp_path / "listed"]
    for path, data in zip(paths, (ORDINARY, LISTED), strict=True):
        path.write_bytes(data)

    async def talk(path: Path) -> None:
        given = give(path)
        if hasattr(given, "__aenter__"):
            given = await given
        try:
            async with moods.client() as client:
                await client.upload(given, "image/jpeg")
        finally:
            if hasattr(given, "close") and (closing := given.close()) is not None:
                await closing

    asyncio.run(talk(paths[0]))
    with pytest.raises(Refused):
        asyncio.run(talk(paths[1]))
    assert [ORDINARY] == moods.bodies


def test_original_of_what_is_sent() -> None:
    """An app that re-encodes names the original, and its digests count."""
    moods = Moods()

    async def talk() -> None:
        async with moods.client() as client:
            with pytest.raises(Refused):
                await client.upload(lambda *_: ORDINARY, source=LISTED)

    asyncio.run(talk())
    assert [] == moods.bodies


def test_a_dead_screener_makes_no_client() -> None:
    """Where the test card would pass, there is no client that could claim protection."""
    sends = Policy(exact=Action.SEND, agreed=Action.SEND, single=Action.SEND)
    with pytest.raises(DoorsillError, match="test card would be sent"):
        ScreenedClient("http://127.0.0.1", hook=embedding.hook(policy=sends))
    with pytest.raises(TypeError, match="hook"):
        ScreenedClient("http://127.0.0.1")
