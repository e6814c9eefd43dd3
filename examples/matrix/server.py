"""A real Matrix server on this machine, for trying clients against: Synapse on 127.0.0.1.

    python examples/matrix/server.py -- COMMAND ARG...

starts one, registers two people, alice and bob, and runs COMMAND with DOORSILL_MATRIX_URL, their
passwords in DOORSILL_MATRIX_ALICE and DOORSILL_MATRIX_BOB, and in DOORSILL_MATRIX_MEDIA the folder
where the server keeps what it was sent. It ends with COMMAND's exit code and leaves nothing behind.

Synapse (AGPL-3.0) is a process of its own in an environment of its own, never a dependency: the
first start installs it from PyPI into DOORSILL_SYNAPSE, or else into the cache folder of the person
who runs this. It knows no other server, and asks none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

SYNAPSE = "matrix-synapse==1.163.2"
_START_SECONDS = 120
_STOP_SECONDS = 10
_UPLOADS = ("/_matrix/media/v3/upload", "/_matrix/media/r0/upload", "/_matrix/media/v1/upload")
_FREELY = {"per_second": 1000, "burst_count": 1000}
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Person:
    """Somebody with an account.

    Attributes:
        name: As in @name:localhost.
        address: The whole @name:localhost.
        token: Access token of the device below, for requests.
        device: Id of a first device.
    """

    name: str
    address: str
    token: str
    device: str


class Server:
    """A Synapse with its data in a folder, running while the `with` block does.

    Attributes:
        url: Where clients find it, such as http://127.0.0.1:40123.
        media: The folder of what was uploaded to it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Prepare a new server in a new or empty folder; nothing is started yet."""
        self.folder = Path(folder).resolve()
        self.media = self.folder / "media"
        self._log = self.folder / "log.txt"
        self._output = self.folder / "output.txt"
        self._secret = secrets.token_hex(32)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Server:  # noqa: PYI034 - `Self` came with Python 3.11
        """Start it, and return when it answers.

        Raises:
            RuntimeError: It does not start; the text ends with what it said.
            OSError: The folder is not empty, or cannot be written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds secrets
        if any(self.folder.iterdir()):
            raise OSError(f"{self.folder}: not empty; a server's folder must be new")
        python = environment()
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = self._write_settings(port)
        command: list[str | Path] = [python, "-m", "synapse.app.homeserver", "-c", settings]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.close()

    def close(self) -> None:
        """Stop it; its folder stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def register(self, name: str, password: str) -> Person:
        """Give somebody an account and a first device, by Synapse's admin API.

        The request is signed with the server's registration secret over a nonce:
        https://element-hq.github.io/synapse/latest/admin_api/register_api.html
        """
        path = "/_synapse/admin/v1/register"
        nonce = self.ask(path)["nonce"]
        told = f"{nonce}\0{name}\0{password}\0notadmin".encode()
        mac = hmac.new(self._secret.encode(), told, hashlib.sha1).hexdigest()
        person = {"nonce": nonce, "username": name, "password": password, "mac": mac}
        made = self.ask(path, person)
        return Person(name, made["user_id"], made["access_token"], made["device_id"])

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return its JSON answer to a request: a GET, or a POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)  # noqa: S310 - loopback
        try:
            with _LOOPBACK.open(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code} {error.read().decode()}") from None
        return found

    def media_bytes(self) -> int:
        """Return how many bytes of uploaded media it holds."""
        return sum(path.stat().st_size for path in self.media.rglob("*") if path.is_file())

    def uploads(self) -> int:
        """Return how many uploads were begun, also those that brought nothing."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return sum("Received request: POST" in line and any(path in line for path in _UPLOADS)
                   for line in lines)  # fmt: skip

    def _wait(self) -> None:
        assert self._process is not None  # noqa: S101 - only called by __enter__
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                self.ask("/_matrix/client/versions")
            except OSError:  # nobody listens yet
                time.sleep(0.05)
            else:
                return
        said = self._output.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"Synapse does not start in {self.folder}; it said:\n{said}")

    def _write_settings(self, port: int) -> Path:
        """Write what it reads at its start. JSON is YAML, too."""
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        (self.folder / "signing.key").write_text(f"ed25519 a_1 {key}\n")
        (self.folder / "log.yaml").write_text(json.dumps(self._logging()))
        listener = {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False,
                    "resources": [{"names": ["client"]}]}  # fmt: skip
        settings: dict[str, Any] = {
            "server_name": "localhost",
            "public_baseurl": self.url,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "server.db")}},
            "media_store_path": str(self.media),
            "signing_key_path": str(self.folder / "signing.key"),
            "log_config": str(self.folder / "log.yaml"),
            "registration_shared_secret": self._secret,
            "macaroon_secret_key": secrets.token_hex(32),
            "form_secret": secrets.token_hex(32),
            "bcrypt_rounds": 4,  # its accounts live for minutes, and 12 take half a second each
            "report_stats": False,
            "federation_domain_whitelist": [],
            "trusted_key_servers": [],
            "presence": {"enabled": False},
            **{f"rc_{what}": _FREELY for what in ("message", "registration", "joins_per_room")},
            "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _FREELY),
            "rc_joins": {"local": _FREELY, "remote": _FREELY},
            "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _FREELY),
        }
        path = self.folder / "homeserver.yaml"
        path.write_text(json.dumps(settings))
        return path

    def _logging(self) -> dict[str, Any]:
        """Return a logging set-up that notes each request as it arrives."""
        file = {"class": "logging.FileHandler", "filename": str(self._log), "encoding": "utf-8"}
        return {
            "version": 1,
            "handlers": {"file": file},
            "root": {"level": "WARNING", "handlers": ["file"]},
            "loggers": {"synapse.access": {"level": "DEBUG"}},
            "disable_existing_loggers": False,
        }


def environment() -> Path:
    """Return the interpreter of Synapse's own environment, installing it if this is the first time.

    A broken or interrupted installation leaves nothing: the folder gets its name last.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    release = f"{SYNAPSE}-python{sys.version_info.major}.{sys.version_info.minor}"
    home = Path(os.environ.get("DOORSILL_SYNAPSE") or caches / "doorsill" / release).resolve()
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    if python.exists():
        return python
    print(f"installing {SYNAPSE} into {home} (once, about half a minute)", file=sys.stderr)
    home.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=home.parent))
    try:
        venv.create(part, with_pip=True, symlinks=os.name != "nt")
        inside = part / python.relative_to(home)
        subprocess.run([inside, "-m", "pip", "install", "-q", SYNAPSE], check=True)
        part.rename(home)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        if not python.exists():  # unless another process was faster
            raise
    return python


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def main(arguments: list[str]) -> int:
    """Run a command beside a server; return its exit code."""
    if arguments[:1] != ["--"] or len(arguments) == 1:
        print(__doc__)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that it is ended
    with tempfile.TemporaryDirectory() as scratch, Server(Path(scratch) / "synapse") as server:
        passwords = {name: secrets.token_urlsafe(16) for name in ("alice", "bob")}
        for name, password in passwords.items():
            server.register(name, password)
        settings = {f"DOORSILL_MATRIX_{name.upper()}": word for name, word in passwords.items()}
        settings |= {"DOORSILL_MATRIX_URL": server.url, "DOORSILL_MATRIX_MEDIA": str(server.media)}
        return subprocess.run(arguments[1:], env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
