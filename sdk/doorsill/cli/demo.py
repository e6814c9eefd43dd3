"""`doorsill demo`: what is sent, what is stopped and why, in a second."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorsill.cli.demo_pictures import Picture, bundled, pictures
from doorsill.cli.files import demo_list
from doorsill.cli.output import OK, TROUBLE, action_word, clean, complain, emit, paint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from doorsill.gate import Gate
    from doorsill.verdict import Verdict

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.truncate", "shutil.")


@dataclass
class Watch:
    """What Python's audit events showed while it was counting."""

    network: int = 0
    files: int = 0
    counting: bool = False

    def note(self, event: str, args: tuple[Any, ...]) -> None:
        """Count one audit event. The C core has no such calls to count: CI checks its symbols."""
        if not self.counting:
            return
        if event.startswith("socket."):
            self.network += 1
        elif event == "open":
            flags = args[2] if isinstance(args[2], int) else 0
            self.files += bool(flags & _WRITING)
        elif event.startswith(_CHANGES):
            self.files += 1

    @contextmanager
    def on(self) -> Iterator[None]:
        """Count while the block runs."""
        self.counting = True
        try:
            yield
        finally:
            self.counting = False


@dataclass(frozen=True)
class Row:
    """One picture and its verdict."""

    picture: Picture
    verdict: Verdict

    @property
    def why(self) -> str:
        """What the verdict rests on, in a few words."""
        verdict = self.verdict
        if verdict.matches:
            best = verdict.matches[0]
            return "same file" if not best.profile else f"{best.distance} of 256 bits differ"
        if verdict.outcome.value == "clear":
            return "no entry is near"
        return f"could not tell: {verdict.reason.split(': ', 1)[-1]}"


@dataclass(frozen=True)
class Run:
    """The demo's result."""

    rows: list[Row]
    milliseconds: float
    network: int
    files: int
    list_name: str
    protection: str
    peers: dict[str, Any] = field(default_factory=dict)

    @property
    def stopped(self) -> list[str]:
        """Keys of the pictures that doorsill stopped."""
        return [row.picture.key for row in self.rows if row.verdict.action.value == "block"]

    def found_by_peers(self) -> Iterator[tuple[str, int]]:
        """Yield each plain hash matcher and how many of the stopped pictures it finds."""
        for peer in self.peers["peers"]:
            yield peer["name"], len(set(peer["found"]) & set(self.stopped))

    def closing(self) -> list[str]:
        """Return the lines under the table; the counts come last."""
        found = ", ".join(f"{count} with {name}" for name, count in self.found_by_peers())
        cage = "a caged process" if self.protection == "worker" else "this process, NO CAGE"
        counts = f"network calls {self.network}, files written {self.files}"
        stopped = f"Of the {len(self.stopped)} stopped"
        return [
            f"{stopped}, a plain hash matcher (Pillow's RGB, one hash) finds {found}.",
            f"Checked on this device, decoded in {cage}; doorsill sends nothing.",
            f"{len(self.rows)} pictures, {self.milliseconds:.0f} ms, {counts} (counted)",
        ]


def run() -> Run:
    """Screen the demo's pictures, counting network calls and files written meanwhile."""
    gate = _gate()
    made = pictures()
    watch = Watch()
    sys.addaudithook(watch.note)  # it cannot be taken away again, so it is told when to count
    start = time.perf_counter()
    with watch.on():
        rows = [Row(picture, gate.screen(picture.data)) for picture in made]
    spent = 1000 * (time.perf_counter() - start)
    peers = json.loads(bundled("demo_peers.json"))
    name, protection = gate.lists[0].name, gate.isolation
    return Run(rows, spent, watch.network, watch.files, name, protection, peers)


def _gate() -> Gate:
    """Return a gate that has screened the test card, so that what loads once is loaded.

    Its pictures are its own, so where there is no cage the demo goes on without, and says so;
    with other people's pictures that is for the host to say.
    """
    from doorsill.errors import IsolationError  # noqa: PLC0415 - commands load what they use
    from doorsill.gate import Gate  # noqa: PLC0415

    try:
        gate = Gate(demo_list())
        gate.self_test()
    except IsolationError as error:
        complain(f"NO CAGE, decoding in this process: {error}")
        gate = Gate(demo_list(), isolation="inline")
        gate.self_test()
    return gate


def command(args: argparse.Namespace) -> int:
    """Run the demo, print it, and write the contact sheet if asked to."""
    done = run()
    if args.json:
        _emit(done)
    else:
        _print(done)
    if args.html:
        from doorsill.cli.demo_sheet import sheet  # noqa: PLC0415 - likewise

        Path(args.html).write_text(sheet(done), encoding="utf-8")
    wrong = [
        row.picture.title for row in done.rows if row.verdict.outcome.value != row.picture.expected
    ]
    if wrong:
        complain(f"not as promised: {', '.join(wrong)}; run `doorsill doctor`")
    return TROUBLE if wrong else OK


def _print(done: Run) -> None:
    print(f"{paint('doorsill demo', 'bold')}  one drawing on a DEMO list, sent in several ways\n")
    why = max(len(clean(row.why)) for row in done.rows)
    for row in done.rows:
        picture, verdict = row.picture, row.verdict
        print(
            f"  {action_word(verdict.action.value)}  {picture.title:<23}  {clean(row.why):<{why}}  "
            f"{verdict.milliseconds:6.1f} ms"
        )
        print(paint(f"         {picture.about}", "dim"))
    print()
    for line in done.closing():
        print(f"  {line}")


def _emit(done: Run) -> None:
    for row in done.rows:
        verdict = row.verdict
        emit(
            {
                "picture": row.picture.key,
                "title": row.picture.title,
                "outcome": verdict.outcome.value,
                "action": verdict.action.value,
                "evidence": verdict.evidence.value,
                "reason": verdict.reason,
                "distance": verdict.matches[0].distance if verdict.matches else None,
                "milliseconds": round(verdict.milliseconds, 3),
            }
        )
    emit(
        {
            "pictures": len(done.rows),
            "milliseconds": round(done.milliseconds, 3),
            "network_calls": done.network,
            "files_written": done.files,
            "list": done.list_name,
            "protection": done.protection,
            "stopped": done.stopped,
            "found_by_plain_matchers": dict(done.found_by_peers()),
        }
    )
