"""A witness on loopback HTTP: c2sp.org/tlog-witness, the call add-checkpoint and nothing else."""

from __future__ import annotations

import base64
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from doorsill.publish.keys import COSIGNER, Key
from doorsill.publish.log import Checkpoint, LogError
from doorsill.publish.sign import RefusedError, Witness, log_keys

if TYPE_CHECKING:
    from pathlib import Path

MAX_REQUEST = 1 << 16


class WitnessServer:
    """Serves one witness in a thread; its key and what it has seen lie in a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        """Make the key, or take the one from before."""
        path = folder / f"{name}.key"
        if not path.exists():
            Key.new(f"{name}.example", COSIGNER).write(path)
        self.witness = Witness(Key.read(path), folder / f"{name}.seen")
        self.policy = b""  # whose logs it signs for
        self._turn = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self.server.shutdown()
        self.server.server_close()

    def add_checkpoint(self, body: str) -> str:
        """Return a signature line.

        Raises:
            RefusedError: With the status that the specification gives.
        """
        head, _, note = body.partition("\n\n")
        lines = head.split("\n")
        try:
            old = int(lines[0].removeprefix("old "))
            proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
            checkpoint = Checkpoint.parse(note)
        except (ValueError, LogError):
            raise RefusedError("this is no request to add a checkpoint", 400) from None
        keys = log_keys(self.policy, checkpoint.origin)
        if not keys:
            raise RefusedError("the log is unknown here", 404)
        if not any(
            key.signed(checkpoint.text, line) for key in keys for line in checkpoint.signatures
        ):
            raise RefusedError("its log has not signed the checkpoint", 403)
        with self._turn:  # what was seen is read and written as one
            return self.witness.cosign(old, proof, checkpoint, int(time.time()))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                known = self.path == "/add-checkpoint" and size <= MAX_REQUEST
                status, kind = 200, "text/plain; charset=utf-8"
                try:
                    if not known:
                        raise RefusedError("only /add-checkpoint is served here", 404)  # noqa: TRY301
                    answer = outer.add_checkpoint(self.rfile.read(size).decode(errors="replace"))
                except RefusedError as error:
                    status, answer = error.status, f"{error}\n"
                    if status == 409:  # noqa: PLR2004 - the answer to that is a size
                        answer, kind = f"{str(error).split()[-1]}\n", "text/x.tlog.size"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing on every request."""

        return Handler
