"""A sealed list and its server on loopback, for examples and for trying things out.

with sealed_list(Path("raw.dsl"), folder) as sealed, Gate(sealed) as gate:
    gate.screen("photo.jpg")
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from client import carrier

from doorsill import SealedList, Trust
from doorsill.publish.seal import seal_list
from doorsill.sealed.keys import new_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 30.0
_STEP_SECONDS = 0.05


@contextmanager
def running(log: Path, *options: str) -> Iterator[str]:
    """Run the app on a free port; yield its address. What it prints goes into *log*."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    app = Path(__file__).parent / "app.py"
    command = [sys.executable, str(app), "--port", str(port), *options]
    with log.open("w") as told, subprocess.Popen(command, stdout=told, stderr=told) as server:
        try:
            _await(url, server, log)
            yield url
        finally:
            server.terminate()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 - loopback
        except urllib.error.HTTPError:  # noqa: PERF203 - a handful of times
            return  # it answers, and has no such page
        except OSError:
            time.sleep(_STEP_SECONDS)
    raise SystemExit(f"the sealing server did not start:\n{log.read_text()}")


@contextmanager
def sealed_list(raw: Path, folder: Path) -> Iterator[SealedList]:
    """Seal a raw list into a folder of its own, serve it, and yield it ready for a Gate."""
    key, made = folder / "sealing.key", folder / "sealed.dsl"
    seal_list(raw, made, new_seed(key), jobs=1)
    with running(folder / "server.log", "--key", str(key)) as url:
        yield SealedList.open(made, Trust.none()).served_by(carrier(f"{url}/question"))
