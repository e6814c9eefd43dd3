"""A Telegram client that screens: Telethon's TelegramClient, at the point where files leave."""

from __future__ import annotations

import inspect
import io
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telethon import TelegramClient
from telethon.tl.types import InputFile, InputFileBig
from telethon.utils import is_list_like

sys.path.insert(0, str(Path(__file__).parents[1]))

from hook import Hook, snapshot_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE = 1 << 20

# Of the message that a task is sending: the file that the app named, and what the person agreed to.
_original: ContextVar[Any] = ContextVar("_original", default=None)
_agreed: ContextVar[set[str] | None] = ContextVar("_agreed", default=None)


class ScreenedTelegramClient(TelegramClient):  # type: ignore[misc] # published without types
    """What TelegramClient is, but `upload_file` sends only what the hook lets through.

    `send_file`, `send_message`, `edit_message` and inline results all upload by it. What has an id
    on the server already (forwards, `InputFile`, bot file ids) and links are not read again.
    """

    def __init__(self, *args: Any, hook: Hook, **options: Any) -> None:
        """Take TelegramClient's arguments, and the hook."""
        super().__init__(*args, **options)
        self.hook = hook

    async def upload_file(
        self,
        file: Any,
        *,
        file_name: str | None = None,
        file_size: int | None = None,  # noqa: ARG002 - what is sent tells its size itself
        **options: Any,
    ) -> Any:
        """Screen a file, then send it in parts; as TelegramClient.upload_file.

        Raises:
            Refused: It may not be sent, and no part of it was.
        """
        if isinstance(file, InputFile | InputFileBig):
            return file  # it was uploaded, and screened, before
        original = _original.get()
        # Photos that are too large for Telegram arrive here smaller than the app named them.
        source = original if isinstance(file, io.BytesIO) and file is not original else None
        with await snapshot_of(_pieces(file), file_name or _name(file)) as copy:
            await self.hook.check(copy, source, _agreed.get())
            return await super().upload_file(copy, file_name=file_name, **options)

    async def send_file(self, entity: Any, file: Any, **options: Any) -> Any:
        """Send a file or an album; an album of which one picture is refused is not begun.

        So albums are screened twice: all of them first, and each again as the bytes that are sent.
        """
        token = _agreed.set(set())
        try:
            if is_list_like(file):
                file = [await self._checked(each) for each in file]
            return await super().send_file(entity, file, **options)
        finally:
            _agreed.reset(token)

    async def _checked(self, file: Any) -> Any:
        """Return a file that may be sent so far: as it was named, or a copy of what reads once."""
        if not _is_local(file):
            return file
        copy = await snapshot_of(_pieces(file), _name(file))
        await self.hook.check(copy, agreed=_agreed.get())
        if hasattr(file, "read"):
            return copy
        copy.close()
        return file

    async def _file_to_media(self, file: Any, *args: Any, **options: Any) -> Any:
        """Note which file the app named; Telethon re-encodes photos between here and the upload.

        Were this method to go, originals would not be compared; what is sent still would.
        """
        token = _original.set(file)
        try:
            return await super()._file_to_media(file, *args, **options)
        finally:
            _original.reset(token)


def _is_local(file: Any) -> bool:
    """Return whether a file is here to be read, not on a server or in a message."""
    if isinstance(file, str | Path):
        return Path(file).is_file()
    return isinstance(file, bytes) or hasattr(file, "read")


def _name(file: Any) -> str | None:
    name = file if isinstance(file, str | Path) else getattr(file, "name", None)
    return Path(name).name if isinstance(name, str | Path) else None


async def _pieces(file: Any) -> AsyncIterator[bytes]:
    """Yield what Telethon would read of a path, bytes, or a file, also one with async methods."""
    if isinstance(file, bytes):
        yield file
        return
    opened = Path(file).open("rb") if isinstance(file, str | Path) else file  # noqa: ASYNC230, SIM115 - as Telethon does
    try:
        while piece := opened.read(_PIECE):
            if inspect.isawaitable(piece):
                piece = await piece
                if not piece:
                    return
            yield piece
    finally:
        if opened is not file:
            opened.close()
