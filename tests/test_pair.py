"""The examples' publisher and update client, together on loopback: real HTTP, real keys."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "publisher")]

import hotline as examples_hotline  # noqa: E402 - found in the folder above
import update_client  # noqa: E402 - likewise

from doorsill import Action, Gate, HashList, Outcome, Trust, TrustError  # noqa: E402
from doorsill.cli import main  # noqa: E402
from doorsill.publish.log import Checkpoint  # noqa: E402
from test_audit import growing_list  # noqa: E402
from workers import DATA  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

Hotline = examples_hotline.Hotline


@pytest.fixture
def hotline(tmp_path: Path) -> Iterator[Hotline]:
    """Return a hotline that serves from a new folder."""
    made = Hotline(tmp_path / "hotline")
    yield made
    made.close()


def test_the_pair(hotline: Hotline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client comes up, follows by delta and whole list, and swaps lists in a running Gate."""
    whole: list[str] = []
    fetch = update_client.fetch
    monkeypatch.setattr(
        update_client, "fetch", lambda url, most: whole.append(url) or fetch(url, most)
    )
    trust = Trust.load(hotline.folder / "trust.txt")
    folder = tmp_path / "client"
    hotline.publish(growing_list(0))
    with Gate(update_client.first_list(folder, trust, hotline.url), isolation="inline") as gate:
        assert ("witnessed", 0) == (gate.lists[0].trust.tier, gate.lists[0].info["epoch"])
        assert update_client.update(hotline.url, folder, trust, gate.lists[0]) is None
        for epoch, by_delta in ((1, True), (4, True), (6, False)):
            while hotline.epoch <= epoch:
                hotline.publish(growing_list(hotline.epoch))
            if not by_delta:  # one in the middle is damaged
                newest = max(hotline.public.glob("*.delta-*"), key=lambda p: p.stat().st_mtime)
                newest.write_bytes(b"x")
            whole.clear()
            newer = update_client.update(hotline.url, folder, trust, gate.lists[0])
            assert newer is not None
            gate.replace_lists(newer)
            assert by_delta == (hotline.url not in whole)
            verdict = gate.screen(DATA)
            assert ("witnessed", Outcome.CLEAR, Action.SEND) == (
                verdict.trust,
                verdict.outcome,
                verdict.action,
            )
            assert epoch == HashList.open(folder, trust).info["epoch"]
    log = hotline.public / "log"
    assert 0 == main(["audit", "log", str(log), "--policy", str(hotline.folder / "trust.txt")])


def test_two_witnesses_of_three_do(hotline: Hotline, tmp_path: Path) -> None:
    """With one witness away the release is accepted, with two it is not."""
    trust = Trust.load(hotline.folder / "trust.txt")
    hotline.witnesses[0].close()
    hotline.publish(growing_list(0))
    assert update_client.update(hotline.url, tmp_path / "a", trust, None) is not None
    hotline.witnesses[1].close()
    hotline.publish(growing_list(1))
    with pytest.raises(TrustError) as caught:
        update_client.update(hotline.url, tmp_path / "a", trust, None)
    assert "not_trusted" == caught.value.kind
    assert 0 == HashList.open(tmp_path / "a", trust).info["epoch"]


def test_a_hotline_starts_again(tmp_path: Path) -> None:
    """Keys, log and what the witnesses saw survive; a witness that was away catches up."""
    first = Hotline(tmp_path / "hotline")
    first.publish(growing_list(0))
    first.close()
    second = Hotline(tmp_path / "hotline")
    try:
        second.publish(growing_list(1))
        trust = Trust.load(second.folder / "trust.txt")
        found = update_client.update(second.url, tmp_path / "a", trust, None)
        assert found
        assert 0b111 == found.release.cosigners
        time.sleep(1.1)  # a cosignature has whole seconds
        before = (second.public / "list.dsl.tlog-proof").read_bytes()
        second.witness()  # as each day
        assert before != (second.public / "list.dsl.tlog-proof").read_bytes()
        assert 0 == main(["list", "verify", str(second.public / "list.dsl"), "--fresh", "--policy",
                          str(second.folder / "trust.txt")])  # fmt: skip
    finally:
        second.close()


def row(number: int) -> str:
    """Return a row of the CSV that a hotline publishes."""
    return f"{hashlib.sha256(b'%d' % number).hexdigest()},100,{number}\n"


def test_a_hotline_serves_on(
    hotline: Hotline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that are half saved, missing or of no use end nothing; a removed row is a withdrawal."""
    rows, head, seen = tmp_path / "rows.csv", "hash,quality,name\n", 0.0

    def change(text: str | None) -> str:
        nonlocal seen
        rows.unlink() if text is None else rows.write_text(text)
        if text is not None:
            os.utime(rows, (seen + 10, seen + 10))
        seen = examples_hotline.publish_changes(hotline, rows, max(seen, 0.0))
        return capsys.readouterr().out

    assert "epoch 0 is out" in change(head + row(1) + row(2))
    for text, why in ((head + row(1) + '"0123', "not built"), ("", "no row is in it"),
                      (None, f"{rows}: No such file")):  # fmt: skip
        assert f"no new epoch: {rows}" in (said := change(text))
        assert why in said
        assert 1 == hotline.epoch
    rows.write_text(head)  # an editor begins with that
    assert (seen, 1) == (examples_hotline.publish_changes(hotline, rows, seen), hotline.epoch)
    seen = 100.0
    assert "epoch 1 is out" in change(head + row(2) + row(3))
    found = HashList.open(hotline.public / "list.dsl", Trust.load(hotline.folder / "trust.txt"))
    assert (1, 2, 1) == (found.info["epoch"], len(found), found.info["withdrawn"])


@pytest.mark.parametrize("url", ["nonsense", "htp://x/y", "http://127.0.0.1:1/list.dsl",
                                 "http://127.0.0.1:1/a b"])  # fmt: skip
def test_a_client_says_what_is_wrong(
    hotline: Hotline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A bad address, no server and a missing trust policy are sentences, no tracebacks."""
    policy = str(hotline.folder / "trust.txt")
    for trust, said in ((policy, "is the address right"), ("nope.txt", "nope.txt: No such file")):
        arguments = ["update_client", url, "--trust", trust, "--into", str(tmp_path / "into")]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit, match=f"^update_client: .*{said}"):
            update_client.main()


def post(url: str, body: str) -> int:
    """Return the status of a request to a witness."""
    try:
        with urllib.request.urlopen(f"{url}/add-checkpoint", body.encode(), timeout=9) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_what_a_witness_refuses(hotline: Hotline) -> None:
    """Statuses are those of c2sp.org/tlog-witness; another branch is never signed."""
    hotline.publish(growing_list(0))
    url, key = hotline.witnesses[0].url, hotline.key
    now = hotline.log.checkpoint()
    assert now

    def signed(size: int, root: bytes, origin: str = hotline.origin) -> str:
        made = Checkpoint.make(origin, size, root)
        return made.signed(key.sign_note(made.text)).note()

    assert 200 == post(url, f"old 1\n\n{now.note()}")
    assert 422 == post(url, f"old 1\n\n{signed(1, bytes(32))}")
    assert 422 == post(url, f"old 1\n\n{signed(2, bytes(32))}")
    assert 409 == post(url, f"old 0\n\n{signed(2, bytes(32))}")
    assert 400 == post(url, f"old 3\n\n{signed(2, bytes(32))}")
    assert 404 == post(url, f"old 0\n\n{signed(2, bytes(32), 'other.example')}")
    assert 403 == post(url, f"old 1\n\n{replace(now, signatures=()).note()}")
    assert 403 == post(url, "old 1\n\n" + signed(1, bytes(32)).replace("\n1\n", "\n2\n"))
    assert 400 == post(url, "hello")
    assert 400 == post(url, f"old 1\n*\n\n{now.note()}")
