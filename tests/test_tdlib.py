"""The TDLib embedding, on its JSON alone: what the library is given stands for what it would send.

The library itself uploads nothing, and looks into no request, until somebody logs in to Telegram.
"""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import screened_tdlib
from hook import Refused
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import embedding
from embedding import LISTED, MESSENGERS, ORDINARY, re_encoded

if TYPE_CHECKING:
    from pathlib import Path

    from doorsill import Verdict


class Td:
    """A screened TDLib, what it was given, and two pictures."""

    def __init__(self, folder: Path, **options: Any) -> None:
        """Make it in a new folder."""
        self.requests: list[dict[str, Any]] = []
        self.copies = folder / "copies"
        self.td = screened_tdlib.ScreenedTdlib(
            lambda request: self.requests.append(json.loads(request)),
            embedding.hook(**options),
            self.copies,
        )
        self.ordinary, self.listed = folder / "ordinary.jpg", folder / "listed.jpg"
        self.ordinary.write_bytes(ORDINARY)
        self.listed.write_bytes(LISTED)

    def send(self, request: Any) -> None:
        """Send a request."""
        asyncio.run(self.td.send(request))

    def refuses(self, request: Any, error: type[Exception] = Refused) -> None:
        """See that of a request nothing is given to TDLib, and nothing left behind."""
        with pytest.raises(error):
            self.send(request)
        assert [] == self.requests
        assert [] == list(self.copies.iterdir())


@pytest.fixture
def td(tmp_path: Path) -> Td:
    """Return one."""
    return Td(tmp_path)


def local(path: Path) -> dict[str, Any]:
    """Return TDLib's word for a file on this machine."""
    return {"@type": "inputFileLocal", "path": str(path)}


def photo(path: Path) -> dict[str, Any]:
    """Return a photo for a message."""
    return {"@type": "inputMessagePhoto", "photo": local(path), "width": 600, "height": 400}


def message(content: dict[str, Any]) -> dict[str, Any]:
    """Return a request that sends a message."""
    return {"@type": "sendMessage", "chat_id": 7, "input_message_content": content}


def test_ordinary_and_listed(td: Td) -> None:
    """TDLib gets a copy of the ordinary photo, under its name; of a listed one, nothing."""
    td.refuses(message(photo(td.listed)))
    td.send(message(photo(td.ordinary)))
    path = td.requests[0]["input_message_content"]["photo"]["path"]
    copy = next(td.copies.rglob("*.jpg"))
    assert (str(copy), "ordinary.jpg", ORDINARY) == (path, copy.name, copy.read_bytes())
    assert 0o700 == copy.parent.stat().st_mode & 0o777
    td.ordinary.write_bytes(LISTED)  # changes nothing any more
    assert ORDINARY == copy.read_bytes()


def test_an_album_is_refused_whole(td: Td) -> None:
    """Of an album with one listed picture, nothing is sent."""
    album = {"@type": "sendMessageAlbum", "chat_id": 7}
    td.refuses(album | {"input_message_contents": [photo(td.ordinary), photo(td.listed)]})
    td.send(album | {"input_message_contents": [photo(td.ordinary), photo(td.ordinary)]})
    assert 2 == len({each["photo"]["path"] for each in td.requests[0]["input_message_contents"]})


def test_wherever_it_is(td: Td) -> None:
    """Files, thumbnails, avatars, stickers and uploads ahead are found as photos are."""
    document = {"@type": "inputMessageDocument", "document": local(td.ordinary)}
    thumbnail = {"@type": "inputThumbnail", "thumbnail": local(td.listed)}
    still = {"@type": "inputChatPhotoStatic", "photo": local(td.listed)}
    for request in (
        message({"@type": "inputMessageDocument", "document": local(td.listed)}),
        message(document | {"thumbnail": thumbnail}),
        {"@type": "setProfilePhoto", "photo": still},
        {"@type": "preliminaryUploadFile", "file": local(td.listed), "priority": 1},
        json.dumps(message(photo(td.listed))),
        json.dumps(message(photo(td.listed))).encode(),
    ):
        td.refuses(request)


@given(st.recursive(st.booleans(), lambda more: st.lists(more) | st.dictionaries(st.text(), more)))
def test_at_any_depth(shape: Any) -> None:
    """Naive twin: as many files are found in a request as its text names."""

    def filled(node: Any) -> Any:
        if isinstance(node, bool):
            return {"@type": "inputFileLocal", "path": "x"} if node else {"@type": "other"}
        if isinstance(node, list):
            return [filled(each) for each in node]
        return {f"key {name}": filled(each) for name, each in node.items()}

    request = {"@type": "anything", "of": filled(shape)}
    found = list(screened_tdlib._local_files(request))  # noqa: SLF001 - what is tested
    assert json.dumps(request).count('"@type": "inputFileLocal"') == len(found)
    assert all(each["path"] == "x" for each in found)


def test_what_hides_a_file(td: Td) -> None:
    """Numbers for types, files yet to be made, and what is no file at all are no requests."""
    numbered = message({"@type": "inputMessagePhoto", "photo": local(td.listed) | {"@type": 1}})
    made = {"@type": "inputFileGenerated", "original_path": str(td.listed), "conversion": "x"}
    td.refuses(numbered, ValueError)
    td.refuses(message(photo(td.listed) | {"photo": made}), ValueError)
    td.refuses(message(photo(td.listed.parent)), OSError)
    td.refuses(message(photo(td.listed.parent / "none.jpg")), OSError)
    twice = (
        '{"@type": "a", "photo": {"@type": "inputFileId", "@type": "inputFileLocal", "path": "%s"}}'
    )
    td.refuses(twice % td.listed)


def test_what_is_on_the_server_already(td: Td) -> None:
    """What has an id there is sent as it is: there is nothing here to read."""
    for file in ({"@type": "inputFileId", "id": 5}, {"@type": "inputFileRemote", "id": "A"}):
        td.send(request := message({"@type": "inputMessagePhoto", "photo": file}))
        assert request == td.requests[-1]


def test_the_person_is_asked(tmp_path: Path) -> None:
    """After a WARN the person decides; a no leaves nothing behind."""

    async def confirm(verdict: Verdict) -> bool:
        assert verdict.outcome.value == "unreadable"
        return answer

    td = Td(tmp_path, confirm=confirm)
    td.ordinary.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    answer = False
    td.refuses(message(photo(td.ordinary)))
    answer = True
    td.send(message(photo(td.ordinary)))
    assert 1 == len(td.requests)


def test_copies_go_when_they_are_uploaded(td: Td, tmp_path: Path) -> None:
    """A copy lives as long as TDLib needs it, and nothing else is deleted."""
    td.send(message(photo(td.ordinary)))
    copy = next(td.copies.rglob("*.jpg"))

    def update(path: Path, *, done: bool) -> dict[str, Any]:
        file = {"local": {"path": str(path)}, "remote": {"is_uploading_completed": done}}
        return {"@type": "updateFile", "file": file}

    td.td.received({"@type": "updateOption"})
    td.td.received(update(copy, done=False))
    td.td.received(update(tmp_path / "ordinary.jpg", done=True))
    assert copy.exists()
    td.td.received(update(copy, done=True))
    assert [] == list(td.copies.iterdir())
    assert td.ordinary.exists()


@pytest.mark.parametrize(("side", "quality"), MESSENGERS)
def test_re_encoded(td: Td, side: int, quality: int) -> None:
    """What apps make of a listed picture before they hand it over is refused all the same."""
    td.listed.write_bytes(re_encoded(Image.open(io.BytesIO(LISTED)), side, quality))
    td.refuses(message(photo(td.listed)))
