"""Between a client and TDLib's JSON interface: what a request would upload is screened first."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorsill.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hook import Hook


class ScreenedTdlib:
    """Sends a request on to TDLib only if the hook lets every file in it through.

    TDLib opens files itself, when it comes to them, and again after a restart. So each is copied to
    a folder that is the app's alone, the copy is screened, and TDLib is told of the copy.
    """

    def __init__(self, send: Callable[[bytes], None], hook: Hook, folder: Path) -> None:
        """Take what sends, such as `partial(tdjson.td_send, client_id)`.

        Args:
            send: Takes one request, in JSON.
            hook: What screens.
            folder: For copies, on the disk of TDLib's database. Nobody but the app may write there.
        """
        self._send = send
        self.hook = hook
        self.folder = folder.resolve()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def send(self, request: dict[str, Any] | str | bytes) -> None:
        """Send a request, an album among them whole, or nothing of it.

        Raises:
            Refused: A file in it may not be sent.
            OSError: A file cannot be read, or copied.
            ValueError: It names a file that does not exist yet (inputFileGenerated), or is no
                request with names for types.
        """
        parsed = json.loads(request if isinstance(request, str | bytes) else json.dumps(request))
        copies: list[Path] = []
        try:
            for file in list(_local_files(parsed)):
                path = Path(file["path"])
                copy = Path(tempfile.mkdtemp(dir=self.folder)) / path.name  # the other side sees it
                copies.append(copy)
                await asyncio.to_thread(_copy, path, copy)
                with copy.open("rb") as snapshot:
                    await self.hook.check(snapshot)
                file["path"] = str(copy)
            self._send(json.dumps(parsed).encode())  # what was looked through, and nothing else
        except BaseException:
            for copy in copies:
                shutil.rmtree(copy.parent)
            raise

    def received(self, update: dict[str, Any]) -> None:
        """Look at an update, and delete a copy once it is uploaded. Call it with each."""
        if update.get("@type") != "updateFile":
            return
        file = update["file"]
        path = Path(file["local"]["path"])
        if file["remote"]["is_uploading_completed"] and path.parent.parent == self.folder:
            shutil.rmtree(path.parent, ignore_errors=True)


def _copy(path: Path, copy: Path) -> None:
    with open_regular(path) as file, copy.open("xb") as target:
        shutil.copyfileobj(file, target, 1 << 20)


def _local_files(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every inputFileLocal in a request, wherever it is in it.

    TDLib takes a number for a type's name, too, which would hide one here: such a request is none.
    """
    if isinstance(node, dict):
        kind = node.get("@type")
        if "@type" in node and not isinstance(kind, str):
            raise ValueError(f"a type is named by {kind!r}; give its name")
        if kind == "inputFileGenerated":
            raise ValueError("a file that is yet to be made cannot be screened; make it first, and "
                             "send it as inputFileLocal")  # fmt: skip
        if kind == "inputFileLocal":
            yield node
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _local_files(each)
