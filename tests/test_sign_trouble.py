"""What is refused before anything is signed, and what `list verify` asks at which time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from doorsill import HashList, Trust, TrustError
from doorsill.cli import main
from doorsill.publish.keys import Key
from doorsill.publish.log import Log
from doorsill.publish.manifest import ManifestError, Terms
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import Proof, publish
from publisher import DAY
from test_sign import ORIGIN, Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Return a new one."""
    return Desk(tmp_path, capsys)


@pytest.mark.parametrize(
    "option", ["--policy-version 0", "--policy-version -3", "--now -7", "--now 0", "--use-days 0",
               "--use-days -1", "--use-days x", "--now 9223372036854775808"],
)  # fmt: skip
def test_terms_that_no_client_would_take(desk: Desk, option: str) -> None:
    """They end the command before anything is added to the log, which never forgets."""
    desk.release(0)
    with pytest.raises(SystemExit):
        desk.publish(0, *option.split())
    assert "whole number" in desk.capsys.readouterr().err
    assert not (desk.folder / "tree").exists()


def test_a_log_takes_no_manifest_that_clients_refuse(desk: Desk) -> None:
    """The core's form check comes before the log, for those who call the SDK, too."""
    path, log = desk.release(0), Log(desk.folder / "tree")
    signer, policy = Key.read(desk.folder / "log"), desk.policy.read_bytes()
    for terms in (
        Terms(ORIGIN, policy, 0, 1),
        Terms(ORIGIN, policy, 1, -7),
        Terms(ORIGIN, policy, 1, 1, use_seconds=0),
        Terms(ORIGIN, policy, 1, 1, use_seconds=1 << 63),
    ):
        with pytest.raises(ManifestError, match="nothing was published"):
            publish(path, ListFile.open(path), None, log, signer, terms)
    with pytest.raises(TrustError):
        publish(path, ListFile.open(path), None, log, signer, Terms(ORIGIN, b"", 1, 1))
    assert log.checkpoint() is None


def test_a_log_takes_no_release_by_a_key_outside_the_policy(desk: Desk) -> None:
    """Neither log nor proof changes when another key of that name, or of another, publishes."""
    path = desk.release(0)
    assert 0 == desk.publish(0)
    assert 0 == desk.witness("w0", 0)
    proof = Path(f"{path}.tlog-proof")
    kept = proof.read_bytes()
    desk.key("other", ORIGIN, "publisher")
    desk.key("stranger", "stranger.example", "publisher")
    for who in ("other", "stranger"):
        desk.capsys.readouterr()
        assert 2 == desk.sign("publisher", who, 0, "--log", str(desk.folder / "elsewhere"))
        assert "no log of the trust policy" in desk.capsys.readouterr().err
    assert kept == proof.read_bytes()
    assert not (desk.folder / "elsewhere").exists()


def test_cosigners_stand_in_their_group(desk: Desk) -> None:
    """A stranger, an approver as a witness and a witness as an approver sign nothing."""
    path = desk.release(0)
    assert 0 == desk.publish(0)
    proof = Path(f"{path}.tlog-proof").read_bytes()
    desk.key("stranger", "w0.example", "witness")  # the name of one, and another key
    mine = desk.folder / "mine.dsl"
    mine.write_bytes(path.read_bytes())
    for who in ("stranger", "a0"):
        desk.capsys.readouterr()
        assert 2 == desk.witness(who, 0)
        assert f"{desk.policy}: the key " in desk.capsys.readouterr().err
        assert not (desk.folder / f"{who}.seen").exists()
    for who in ("stranger", "w0"):
        assert 2 == desk.sign("approver", who, 0, "--rebuilt", str(mine))
        assert "not in its group `approvers`" in desk.capsys.readouterr().err
    assert proof == Path(f"{path}.tlog-proof").read_bytes()


def test_groups_inside_groups(desk: Desk) -> None:
    """A witness of a group inside the group `witnesses` is one of them."""
    desk.policy.write_text(
        desk.policy.read_text().replace(
            "group witnesses all w0.example w1.example",
            "group near all w0.example\ngroup witnesses all near w1.example",
        )
    )
    desk.release(0)
    assert 0 == desk.publish(0) + desk.witness("w0", 0) + desk.witness("w1", 0)
    assert 0 == desk.verify(0)


def test_a_bad_policy_is_named(desk: Desk) -> None:
    """In every role the error begins with the policy's path, and nothing is signed."""
    path = desk.release(0)
    assert 0 == desk.publish(0)
    desk.policy.write_text("quorum none\n")
    desk.release(1)
    for status in (lambda: desk.publish(1), lambda: desk.witness("w0", 0),
                   lambda: desk.approve(0, path.read_bytes())):  # fmt: skip
        desk.capsys.readouterr()
        assert 2 == status()
        assert f"{desk.policy}: the trust policy names no log" in desk.capsys.readouterr().err
    assert 1 == len(Log(desk.folder / "tree").entries())


def test_counts_are_words(desk: Desk) -> None:
    """One signature is said as one."""
    desk.release(0)
    assert 0 == desk.publish(0)
    assert ", 1 signature, " in desk.capsys.readouterr().out
    assert 0 == desk.witness("w0", 0)
    assert ", 2 signatures, " in desk.capsys.readouterr().out


def test_a_form_that_is_broken_is_not_cosigned(desk: Desk) -> None:
    """Witness and approver refuse a manifest that no client would take, signed by its log."""
    path = desk.release(0)
    assert 0 == desk.publish(0)
    file = Path(f"{path}.tlog-proof")
    made = Proof.read(file)
    signer = Key.read(desk.folder / "log")
    bent = made.manifest.replace(b"entries 2", b"entries x")
    log = Log(desk.folder / "bent")
    file.write_text(Proof(bent, 0, (), log.append(bent, signer)).text())
    desk.capsys.readouterr()
    assert 2 == desk.approve(0, path.read_bytes())
    assert "breaks the form: `entries x`" in desk.capsys.readouterr().err
    (desk.folder / "tree").rename(desk.folder / "hidden")
    (desk.folder / "bent").rename(desk.folder / "tree")
    assert 2 == desk.witness("w0", 0)
    assert not (desk.folder / "w0.seen").exists()


def test_verify_at_another_time(desk: Desk) -> None:
    """--now is the time of staleness and of freshness, and 0 is no way past either."""
    path, now = str(desk.release(0)), int(time.time())
    assert 0 == desk.publish(0) + desk.witness("w0", 0) + desk.witness("w1", 0)
    command = ["list", "verify", path, "--policy", str(desk.policy), "--json"]

    def stale(*more: str) -> bool:
        desk.capsys.readouterr()
        assert 0 == main([*command, *more])
        return bool(json.loads(desk.capsys.readouterr().out)["stale"])

    assert not stale()
    assert not stale("--now", str(now + 29 * DAY))
    assert stale("--now", str(now + 31 * DAY))
    assert 0 == main([*command, "--fresh", "--now", str(now + DAY)])
    assert 2 == main([*command, "--fresh", "--now", str(now + 4 * DAY)])
    for bad in ("0", "-5", "soon"):
        with pytest.raises(SystemExit):
            main([*command, "--fresh", "--now", bad])


def test_verify_an_accepting_folder(desk: Desk) -> None:
    """--fresh asks the list and proof inside it, also behind a change of the policy."""
    old = desk.folder / "old.txt"
    path = desk.release(0)
    assert 0 == desk.publish(0) + desk.witness("w0", 0) + desk.witness("w1", 0)
    old.write_bytes(desk.policy.read_bytes())
    kept = desk.folder / "kept"
    HashList.accept(path, kept, Trust.load(old))
    command = ["list", "verify", str(kept), "--policy", str(old), "--fresh"]
    assert 0 == main(command)
    assert 2 == main([*command, "--now", str(int(time.time()) + 4 * DAY)])
    desk.policy.write_text(f"# another\n{old.read_text()}")
    path = desk.release(1)
    assert 0 == desk.publish(1, "--policy-version", "2", "--policy-before", str(old))
    assert 0 == desk.witness("w0", 1) + desk.witness("w1", 1)
    HashList.accept(path, kept, Trust.load(old))
    assert 0 == main(command)
    assert kept.is_dir()


def test_a_damaged_memory_of_a_witness(desk: Desk) -> None:
    """A witness that cannot read what it signed last signs nothing, and names the file."""
    desk.release(0)
    assert 0 == desk.publish(0)
    state = desk.folder / "w0.seen"
    for damage in (b"\xff", b"one word\n", f"{ORIGIN} 1 xyz\n".encode()):
        state.write_bytes(damage)
        desk.capsys.readouterr()
        assert 2 == desk.witness("w0", 0)
        assert f"{state}: damaged" in desk.capsys.readouterr().err
