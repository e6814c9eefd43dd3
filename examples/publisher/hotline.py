"""A hotline in one process: a log, three witnesses on loopback HTTP, and a server of releases.

    python examples/publisher/hotline.py FOLDER ROWS.csv

publishes the rows, serves what a client needs, and publishes again whenever the rows change.
"""

from __future__ import annotations

import argparse
import base64
import functools
import shutil
import threading
import time
import urllib.error
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witness import WitnessServer

from doorsill import HashList, Trust
from doorsill.errors import DoorsillError, ListError, RowsError
from doorsill.publish import tree
from doorsill.publish.delta import make_delta
from doorsill.publish.diff import Alignment
from doorsill.publish.keys import LOG, Key
from doorsill.publish.log import Log
from doorsill.publish.manifest import Terms
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import add_signature, publish

if TYPE_CHECKING:
    from doorsill.publish.log import Checkpoint

NAME = "list.dsl"
WITNESSES = 3
NEEDED = 2
SETTLED = 2  # seconds for which rows have not changed


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing on every request."""


class Hotline:
    """Signs and serves the releases of one list; a folder keeps all of it for a restart."""

    def __init__(self, folder: Path, origin: str = "hotline.example/list") -> None:
        """Start the witnesses and the server."""
        self.folder, self.origin = folder, origin
        self.public = folder / "public"  # what a web server hands out
        self.public.mkdir(parents=True, exist_ok=True)
        if not (folder / "log.key").exists():
            Key.new(origin, LOG).write(folder / "log.key")
        self.key = Key.read(folder / "log.key")
        self.witnesses = [WitnessServer(f"w{i}", folder) for i in range(WITNESSES)]
        self.policy = self._policy()
        for each in self.witnesses:
            each.policy = self.policy
        self.log = Log(self.public / "log")
        handler: Any = functools.partial(Quiet, directory=str(self.public))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{NAME}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End all threads."""
        for each in self.witnesses:
            each.close()
        self.server.shutdown()
        self.server.server_close()

    def _policy(self) -> bytes:
        names = [f"w{i}" for i in range(WITNESSES)]
        lines = [f"log {self.key.vkey}"]
        lines += [
            f"witness {name} {each.witness.key.vkey}"
            for name, each in zip(names, self.witnesses, strict=True)
        ]
        lines += [f"group witnesses {NEEDED} {' '.join(names)}", "quorum witnesses"]
        text = "".join(f"{line}\n" for line in lines).encode()
        (self.folder / "trust.txt").write_bytes(text)  # this goes into the app, not onto the server
        return text

    @property
    def epoch(self) -> int:
        """The next one."""
        checkpoint = self.log.checkpoint()
        return checkpoint.size if checkpoint else 0

    def publish(self, data: bytes, reason: str = "") -> None:
        """Publish a list that was built for the next epoch, and a delta from the one before."""
        kept = self.folder / "releases" / f"{self.epoch}.dsl"
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(data)
        old = self.folder / "releases" / f"{self.epoch - 1}.dsl"
        before = ListFile.open(old) if old.exists() else None
        new = ListFile.open(kept)
        terms = Terms(self.origin, self.policy, 1, int(time.time()), reason=reason)
        publish(kept, new, before, self.log, self.key, terms)
        self.witness()
        if before:  # it stays there, so that clients can follow from any release to the next
            try:
                delta = make_delta(Alignment(before, new))
            except ListError as error:  # clients fetch the whole list then
                print(f"no delta: {error}")
            else:
                (self.public / f"{NAME}.delta-{before.sha256()}").write_bytes(delta)

    def witness(self) -> None:
        """Have the newest tree signed, again if it was before: do this daily. Then hand it out."""
        checkpoint = self.log.checkpoint()
        if checkpoint is None:
            return
        kept = self.folder / "releases" / f"{checkpoint.size - 1}.dsl"
        for each in self.witnesses:
            for line in self._ask(each, checkpoint):
                checkpoint = checkpoint.signed(line)
                add_signature(kept, line)
        self.log.keep(checkpoint)
        # A client that fetches just now gets a list and a proof that do not fit, and tries again.
        for end in ("", ".tlog-proof"):
            shutil.copyfile(f"{kept}{end}", self.public / f".{NAME}{end}")
            (self.public / f".{NAME}{end}").replace(self.public / f"{NAME}{end}")

    def _ask(self, witness: WitnessServer, checkpoint: Checkpoint) -> list[str]:
        """Return signature lines; none if the witness is away or refuses: the others may do."""
        leaves = [tree.leaf_hash(entry) for entry in self.log.entries()]
        size = 0
        for _ in range(2):  # the first answer may say which tree the witness knows
            proof = "".join(
                f"{base64.b64encode(each).decode()}\n" for each in tree.consistency(size, leaves)
            )
            body = f"old {size}\n{proof}\n{checkpoint.note()}".encode()
            request = urllib.request.Request(f"{witness.url}/add-checkpoint", body, method="POST")  # noqa: S310 - loopback
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                    return [f"{line}\n" for line in answer.read(1 << 16).decode().splitlines()]
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 409:  # noqa: PLR2004 - another tree is known there
                        print(f"{witness.url}: {error.read(200).decode().strip()}")
                        return []
                    size = int(error.read(20))
            except OSError as error:
                print(f"{witness.url}: {error}")
                return []
        return []


def build(rows: Path, folder: Path, epoch: int) -> bytes:
    """Return the list of a file of rows, as `doorsill list build` makes it.

    Raises:
        RowsError: It cannot be built; the command has said why.
    """
    from doorsill.cli import main as doorsill  # noqa: PLC0415 - the command, not a second way to build

    path, last = folder / "building.dsl", folder / "releases" / f"{epoch - 1}.dsl"
    words = ["--epoch", str(epoch), "--name", "A hotline's list"]
    if last.exists():  # so that a row which is gone is an entry withdrawn, for everyone to see
        words += ["--previous", str(last)]
    if doorsill(["list", "build", str(rows), "-o", str(path), *words]):
        raise RowsError(f"{rows}: not built")
    if not len(HashList.open(path, Trust.none())):
        raise RowsError(f"{rows}: no row is in it, and nobody withdraws all at once")
    return path.read_bytes()


def publish_changes(hotline: Hotline, rows: Path, seen: float) -> float:
    """Publish the rows if they are not those of time *seen*; return the time of these.

    Whatever is wrong with them is printed once, and the last epoch goes on being served.
    """
    changed = -1.0  # where there are none
    try:
        changed = rows.stat().st_mtime
        if 0 <= time.time() - changed < SETTLED:
            return seen  # perhaps it is being saved just now
        if changed != seen:
            hotline.publish(build(rows, hotline.folder, hotline.epoch))
            print(f"epoch {hotline.epoch - 1} is out", flush=True)
    except (DoorsillError, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        if changed != seen:
            print(f"no new epoch: {why}", flush=True)
    return changed


def main() -> None:
    """Publish, serve, and publish again when the rows change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="keys, log and releases; made if there is none")
    parser.add_argument("rows", type=Path, help="a CSV of hash,quality,name")
    args = parser.parse_args()
    try:
        hotline = Hotline(args.folder)
    except (DoorsillError, OSError) as error:
        raise SystemExit(f"hotline: {error}") from None
    print(
        f"trust policy for the app: {args.folder / 'trust.txt'}\nreleases: {hotline.url}",
        flush=True,
    )
    seen = 0.0
    try:
        while True:
            seen = publish_changes(hotline, args.rows, seen)
            time.sleep(1)
    except KeyboardInterrupt:
        hotline.close()


if __name__ == "__main__":
    main()
