"""The example's sealing server and issuer: tokens, replays, epochs, and the app over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sealing
from doorsill import DoorsillError, Gate, Outcome
from doorsill.sealed import Tokens, protocol, tokens
from doorsill.sealed.keys import new_seed, read_seed
from doorsill.sealed.protocol import BAD_TOKEN, MALFORMED, OTHER_EPOCH, SPENT_TOKEN
from sealing import (
    EPOCH,
    SEED,
    TOKEN_KEY,
    TOKEN_SEED,
    Sealing,
    Wire,
    opened,
    picture,
    running,
    sealed_file,
    sealed_list,
)

if TYPE_CHECKING:
    from doorsill.sealed import SealedList

VECTORS = json.loads((Path(__file__).parent / "data/vectors/sealed.json").read_text())
EXAMPLE = Path(__file__).parent.parent / "examples/sealing_server"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> SealedList:
    """Open a list whose server wants tokens."""
    return opened(sealed_file(tmp_path_factory.mktemp("sealed"), TOKEN_KEY))


def drawn(sealed: SealedList, count: int, **when: float) -> tuple[Tokens, Sealing]:
    """Return a purse of so many tokens, and the server that takes them."""
    server, issuer = sealing.with_tokens()
    purse = Tokens()
    request = purse.request(sealed, count, **when)
    status, issued = issuer.issue("somebody", request.message, when.get("now"))
    assert status == 200
    assert purse.take(request, issued) == count
    return purse, server


def refusal(body: bytes) -> int:
    """Return a refusal's code, 0 for an answer."""
    return 0 if len(body) == protocol.ANSWER_BYTES else int.from_bytes(body[8:10], "little")


def question(token: bytes, epoch: int = EPOCH) -> bytes:
    """Return a question of any elements."""
    blinded = sealing.naive.blind(b"x", 5)
    return protocol.pack_question(protocol.Question(epoch, token, blinded * 32))


def test_a_token_a_question(sealed: SealedList) -> None:
    """Each question spends one token; without one it is not asked."""
    purse, server = drawn(sealed, 2)
    gate = Gate(sealed.served_by(Wire(server), purse), isolation="inline")
    outcomes = [gate.screen(picture()).outcome for _ in range(3)]
    assert outcomes == [Outcome.MATCH, Outcome.MATCH, Outcome.UNREADABLE]
    assert 0 == len(purse)


def test_replays_and_forgeries(sealed: SealedList) -> None:
    """A token is taken once; one of another issuer, day, list or with a bit changed never."""
    purse, server = drawn(sealed, 2)
    token, other = purse.pop(), purse.pop()
    assert token is not None
    assert other is not None
    assert refusal(server.answer(question(token))[1]) == 0
    assert server.answer(question(token))[0] == 403
    assert refusal(server.answer(question(token))[1]) == SPENT_TOKEN
    for place in (0, 1, 2, 40, 70, 97, 98, 161):
        bent = bytearray(other)
        bent[place] ^= 1
        assert refusal(server.answer(question(bytes(bent)))[1]) == BAD_TOKEN
    assert refusal(server.answer(question(bytes(162)))[1]) == BAD_TOKEN
    late = time.time() + 2 * tokens.DAY_SECONDS
    assert refusal(server.answer(question(other), late)[1]) == BAD_TOKEN
    elsewhere = Sealing(bytes(32), [EPOCH], TOKEN_SEED, sealing.Ledger())
    assert refusal(elsewhere.answer(question(other))[1]) == BAD_TOKEN
    assert refusal(server.answer(question(other))[1]) == 0


def test_committed_token() -> None:
    """A token's bytes are the committed ones, and the server takes it on its day."""
    each = VECTORS["token"]
    list_key, key = bytes.fromhex(VECTORS["public_key"]), bytes.fromhex(each["key"])
    token = bytes.fromhex(each["token"])
    nonce = bytes.fromhex(each["nonce"])
    assert token[:98] == tokens.token_input(nonce, each["day"], list_key, key)
    epoch = VECTORS["sealing_epoch"]
    server = Sealing(SEED, [epoch], bytes.fromhex(each["seed"]), sealing.Ledger())
    now = each["day"] * tokens.DAY_SECONDS + 5
    assert refusal(server.answer(question(token, epoch), now)[1]) == 0


def test_epochs() -> None:
    """A server answers the sealing epochs that it was given, and says which is the newest."""
    server = Sealing(SEED, [EPOCH, EPOCH + 1])
    assert {refusal(server.answer(question(bytes(162), EPOCH + i))[1]) for i in (0, 1)} == {0}
    status, body = server.answer(question(bytes(162), EPOCH + 2))
    assert (status, refusal(body)) == (409, OTHER_EPOCH)
    assert int.from_bytes(body[4:8], "little") == EPOCH + 1
    assert refusal(server.answer(b"")[1]) == MALFORMED
    assert server.public_key(EPOCH) != server.public_key(EPOCH + 1)


def test_shares(sealed: SealedList) -> None:
    """An account draws its share a day and no more; nonsense draws nothing."""
    _, issuer = sealing.with_tokens(share=5)
    purse = Tokens()
    for count, expected in ((3, 200), (3, 429), (2, 200), (1, 429)):
        assert issuer.issue("one", purse.request(sealed, count).message)[0] == expected
    assert issuer.issue("another", purse.request(sealed, 5).message)[0] == 200
    assert issuer.issue("a third", purse.request(sealed, 6).message)[0] == 429
    yesterday = purse.request(sealed, 1, now=time.time() - tokens.DAY_SECONDS)
    assert issuer.issue("a third", yesterday.message)[0] == 422
    good = purse.request(sealed, 2).message
    for bad in (b"", good[:-1], b"x" + good[1:], good[:-32] + bytes(32)):
        assert issuer.issue("a third", bad) == (400, b"")
    assert issuer.issue("a third", purse.request(sealed, 5).message)[0] == 200


def test_lying_issuer(sealed: SealedList) -> None:
    """Tokens of a key that the list does not name, or of another request, are not taken."""
    server, issuer = sealing.with_tokens()
    purse = Tokens()
    request, other = purse.request(sealed, 2), purse.request(sealed, 2)
    _, issued = issuer.issue("somebody", request.message)
    with pytest.raises(DoorsillError, match="its key is not the one"):
        other.finish(issued)
    foreign = sealing.Issuing(bytes(32), sealing.Ledger(), 5)
    message = bytearray(request.message)
    message[6] = tokens.key_id(foreign.public_key)[-1]
    with pytest.raises(DoorsillError, match="its key is not the one"):
        purse.take(request, foreign.issue("somebody", bytes(message))[1])
    for bad in (b"", issued[:-1], issued + b"x", b"dsi1" + bytes(2)):
        with pytest.raises(DoorsillError):
            purse.take(request, bad)
    with pytest.raises(DoorsillError, match="1 to 1000"):
        purse.request(sealed, 1001)
    assert 0 == len(purse)
    assert server is not None


def test_tokens_unlinkable_by_bytes(sealed: SealedList) -> None:
    """Nothing that the issuer saw stands in what the server sees."""
    purse, (_, issuer) = Tokens(), sealing.with_tokens()
    request = purse.request(sealed, 3)
    status, issued = issuer.issue("somebody", request.message)
    assert status == 200
    purse.take(request, issued)
    seen = request.message + issued
    for token in iter(purse.pop, None):
        nonce, authenticator = token[2:34], token[98:]
        assert nonce not in seen
        assert authenticator[:32] not in seen


def test_key_files(tmp_path: Path) -> None:
    """A key file is its owner's alone, is never written over, and says what is wrong with it."""
    path = tmp_path / "sealing.key"
    seed = new_seed(path)
    assert read_seed(path) == seed
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(DoorsillError, match="is there already"):
        new_seed(path)
    path.chmod(0o644)
    with pytest.raises(DoorsillError, match="others can read"):
        read_seed(path)
    path.chmod(0o600)
    for wrong in ("", "doorsill-sealing-key/v1 00", "x" * 80):
        path.write_text(wrong)
        with pytest.raises(DoorsillError, match="no sealing key"):
            read_seed(path)
    with pytest.raises(DoorsillError, match="name a file"):
        read_seed(tmp_path / "none")


def test_on_loopback(tmp_path: Path) -> None:
    """What other examples plug in: a list sealed, served and asked about, and an end to it."""
    (tmp_path / "raw.dsl").write_bytes(sealing.raw_list())
    with sealed_list(tmp_path / "raw.dsl", tmp_path) as sealed:
        gate = Gate(sealed, isolation="inline")
        assert gate.screen(picture()).outcome == Outcome.MATCH
        assert gate.screen(picture(sealing.STRANGER)).outcome == Outcome.CLEAR
    assert gate.screen(picture(sealing.STRANGER)).outcome == Outcome.UNREADABLE


def test_over_http(tmp_path: Path) -> None:
    """The whole way: seal by the command line, serve, draw tokens, screen; the log is silent."""
    doorsill = [sys.executable, "-m", "doorsill"]
    for name in ("sealing", "token"):
        made = subprocess.check_output(
            [*doorsill, "keys", "new", name, "--role", "sealing", "-o", tmp_path / f"{name}.key",
             "--json"]
        )  # fmt: skip
    (tmp_path / "raw.dsl").write_bytes(sealing.raw_list())
    told = subprocess.check_output(
        [*doorsill, "list", "seal", tmp_path / "raw.dsl", "-o", tmp_path / "sealed.dsl", "--key",
         tmp_path / "sealing.key", "--token-key", json.loads(made)["token_key"], "--jobs", "1",
         "--json"]
    )  # fmt: skip
    assert json.loads(told)["entries"] == 5
    (tmp_path / "a.jpg").write_bytes(picture())
    (tmp_path / "b.jpg").write_bytes(picture(sealing.STRANGER))
    show = f"cat {tmp_path / 'sealing.key'}"
    options = ("--key-command", show, "--token-key", str(tmp_path / "token.key"), "--issue", "9",
               "--ledger", str(tmp_path / "ledger"))  # fmt: skip
    with running(tmp_path / "log", *options) as url:
        lines = subprocess.check_output(
            [sys.executable, EXAMPLE / "client.py", tmp_path / "sealed.dsl", url,
             tmp_path / "a.jpg", tmp_path / "b.jpg", "--account", "somebody"],
            text=True,
        ).splitlines()  # fmt: skip
        request = urllib.request.Request(f"{url}/question", bytes(100_000))  # noqa: S310 - loopback
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(request, timeout=5)  # noqa: S310 - likewise
    assert [line.split(": ")[1].split(",")[0] for line in lines] == ["match", "clear"]
    log = (tmp_path / "log").read_text()
    assert log.startswith("sealing epoch 0: public key ")
    assert 1 == len(log.splitlines())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key", "nope"), "nope: No such file"),
        (("--key-command", "nope"), "No such file"),
        (("--key-command", "false"), "'false'"),
        (("--key-command", "echo no key"), "this is no sealing key"),
        (("--key", "key", "--epochs", "x"), "'x'"),
        (("--key", "key", "--ledger", "no/such/ledger"), "unable to open"),
        ((), "name the key"),
    ],
    ids=str,
)
def test_what_keeps_a_server_from_starting(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """Whatever is wrong with a key, its command, an epoch or the ledger is one sentence."""
    new_seed(tmp_path / "key")
    started = subprocess.run([sys.executable, EXAMPLE / "app.py", *options], cwd=tmp_path,
                             check=False, capture_output=True, text=True)  # fmt: skip
    assert (1, 1) == (started.returncode, len(started.stderr.splitlines())), started.stderr
    assert said in started.stderr
