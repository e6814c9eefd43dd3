"""A Matrix client that screens: matrix-nio's AsyncClient with the one method overridden."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from nio import AsyncClient
from nio.crypto import async_generator_from_data

sys.path.insert(0, str(Path(__file__).parents[1]))

from hook import Hook, snapshot_of


class ScreenedClient(AsyncClient):  # type: ignore[misc] # nio is published without types
    """What AsyncClient is, but `upload` sends only what the hook lets through.

    Whatever a client attaches goes through `upload`, encrypted in it or not: pictures, their
    thumbnails, avatars, files. Anything else that makes requests of its own is not screened.
    """

    def __init__(self, *args: Any, hook: Hook, **options: Any) -> None:
        """Take AsyncClient's arguments, and the hook."""
        super().__init__(*args, **options)
        self.hook = hook

    async def upload(  # noqa: PLR0913, PLR0917 - as AsyncClient has them
        self,
        data_provider: Any,
        content_type: str = "application/octet-stream",
        filename: str | None = None,
        encrypt: bool = False,  # noqa: FBT001, FBT002 - likewise
        monitor: Any = None,
        filesize: int | None = None,  # noqa: ARG002 - what is sent tells its size itself
        *,
        source: Any = None,
    ) -> tuple[Any, dict[str, Any] | None]:
        """Screen a file, then send it; as AsyncClient.upload, which reads it again for each retry.

        So it is read once, here, and retries send the same bytes, those that were screened.

        Args:
            data_provider: What AsyncClient.upload takes: a file, or a function that gives data.
            content_type: As there.
            filename: As there.
            encrypt: As there.
            monitor: As there.
            filesize: Not used.
            source: The original, where the app re-encoded it: a path, bytes or a binary file.

        Raises:
            Refused: It may not be sent, and nothing of it was.
        """
        data = data_provider(0, 0) if callable(data_provider) else data_provider
        with await snapshot_of(async_generator_from_data(data)) as copy:
            await self.hook.check(copy, source)
            size = copy.seek(0, io.SEEK_END)
            copy.seek(0)
            sent: tuple[Any, dict[str, Any] | None] = await super().upload(
                copy, content_type, filename, encrypt, monitor, size
            )
        return sent
