"""The letter of tlog-policy: every way in which a trust policy can miss it is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest

from doorsill.errors import TrustError
from doorsill.publish.keys import COSIGNER, LOG
from doorsill.releases import check_trust
from publisher import ORIGIN, WITNESSES, key, policy

POLICY = policy()
W0 = WITNESSES[0].vkey.encode()
LOG_LINE = POLICY[: POLICY.index(b"\n") + 1]


def vkey(name: bytes, raw: bytes) -> bytes:
    """Return a key in the notation of signed-note, whatever its name and type."""
    id_ = hashlib.sha256(name + b"\n" + raw).digest()[:4].hex().encode()
    return name + b"+" + id_ + b"+" + base64.b64encode(raw)


def named(name: str) -> bytes:
    """Return the key of the first witness under another name."""
    return vkey(name.encode(), b"\x04" + WITNESSES[0].public)


def witness_lines(count: int) -> bytes:
    """Return that many witnesses."""
    raws = (b"\x04" + hashlib.sha256(b"%d" % i).digest() for i in range(count))
    return b"".join(b"witness x%d %s\n" % (i, vkey(b"x%d" % i, raw)) for i, raw in enumerate(raws))


def log_lines(count: int) -> bytes:
    """Return that many logs."""
    raws = (b"\x01" + hashlib.sha256(b"l%d" % i).digest() for i in range(count))
    return b"".join(b"log %s\n" % vkey(b"l%d" % i, raw) for i, raw in enumerate(raws))


POLICIES = {
    "key without id": POLICY.replace(W0, b"name"),
    "key without name": POLICY.replace(W0, b"+" + W0.split(b"+", 1)[1]),
    "key without key": POLICY.replace(W0, b"+".join(W0.split(b"+")[:2])),
    "id not hex": POLICY.replace(W0, b"name+0000000g+AAAA"),
    "id in capitals": POLICY.replace(W0, W0.replace(WITNESSES[0].id.hex().encode(), b"ABCDEFAB")),
    "id too short": POLICY.replace(W0, b"name+0000+AAAA"),
    "key not base64": POLICY.replace(W0, W0[:-1] + b"*"),
    "key unpadded": POLICY.replace(W0, W0 + b"A"),
    "key empty": POLICY.replace(W0, b"name+00000000+"),
    "long name": POLICY.replace(W0, named("n" * 256)),
    "key of a strange type": POLICY.replace(W0, vkey(b"n", b"\x05" + bytes(32))),
    "large key of a strange type": POLICY.replace(W0, vkey(b"n", b"\x04" + bytes(1312))),
    "log without key": b"log\n" + POLICY,
    "log with two urls": POLICY.replace(LOG_LINE, LOG_LINE[:-1] + b" https://a https://b\n"),
    "log twice": LOG_LINE + POLICY,
    "bad log key": b"log x\n" + POLICY,
    "too many logs": log_lines(33) + POLICY,
    "witness without name": b"witness\n" + POLICY,
    "witness without key": b"witness x\n" + POLICY,
    "witness with two urls": POLICY.replace(W0 + b"\n", W0 + b" https://a https://b\n"),
    "too many witnesses": POLICY.replace(b"quorum", witness_lines(59) + b"quorum"),
    "too many groups": witness_lines(1) + b"group g0 any x0\n"
                       + b"".join(b"group g%d any g%d\n" % (i + 1, i) for i in range(126)) + POLICY,
    "group without name": b"group\n" + POLICY,
    "group without rule": b"group g\n" + POLICY,
    "group without members": b"group g all\n" + POLICY,
    "group of a taken name": POLICY.replace(b"group witnesses", b"group w0"),
    "group rule unknown": POLICY.replace(b"witnesses 2 ", b"witnesses most "),
    "quorum without name": POLICY.replace(b"quorum witnesses", b"quorum"),
    "quorum of two names": POLICY.replace(b"quorum witnesses", b"quorum witnesses approvers"),
    "delete": b"#\x7f\n" + POLICY,
    "witnesses within approvers": POLICY.replace(b"group approvers", b"group x").replace(
        b"quorum witnesses", b"group approvers any x witnesses\nquorum none"),
    "too large": b"#" * 65536 + b"\n" + POLICY,
    "empty": b"",
}  # fmt: skip
SPACES = "\u0085\u00a0\u1680\u2000\u2005\u200a\u2028\u2029\u202f\u205f\u3000"
BAD_UTF8 = [
    b"\x80",
    b"\xbf",
    b"\xc3",
    b"\xc3(",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",
    b"\xf0\x80\x80\xaf",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xf0\x9f\x92",
    b"\xe2\x82",
]


@pytest.mark.parametrize("name", POLICIES)
def test_policies_that_miss_the_letter(name: str) -> None:
    """Each is refused whole; nothing is guessed."""
    with pytest.raises(TrustError) as caught:
        check_trust(POLICIES[name], "signed")
    assert "bad_trust" == caught.value.kind


def test_names_of_keys() -> None:
    """Names may be any UTF-8 without spaces and plus; two witnesses may have one name."""
    for space in SPACES:
        with pytest.raises(TrustError, match="name"):
            check_trust(POLICY.replace(W0, named(f"a{space}b")), "signed")
    for bad in BAD_UTF8:
        with pytest.raises(TrustError, match="name"):
            check_trust(
                POLICY.replace(W0, vkey(b"a" + bad, b"\x04" + WITNESSES[0].public)), "signed"
            )
    for good in (
        "é",
        "\u1fff\u200b",
        "世界",
        "\U0001f6aa",
        "\ue000",
        "\U0010ffff",
        WITNESSES[1].name,
        "n" * 255,
    ):
        assert "approved" == check_trust(POLICY.replace(W0, named(good)), "witnessed")


def test_the_last_one_that_fits() -> None:
    """64 witnesses, 32 logs and a group of one are within the bounds."""
    assert "witnessed" == check_trust(policy(approvers=[]), "witnessed")
    assert "approved" == check_trust(
        POLICY.replace(LOG_LINE, LOG_LINE[:-1] + b" https://a\n"), "approved"
    )
    text = POLICY.replace(b"quorum", witness_lines(58) + b"group x any x57\nquorum")
    logs = b"".join(b"log %s\n" % vkey(b"l%d" % i, b"\x01" + hashlib.sha256(b"l%d" % i).digest())
                    for i in range(31))  # fmt: skip
    assert "approved" == check_trust(logs + text, "approved")


MEANINGLESS = {
    "no quorum": POLICY.replace(b"quorum witnesses\n", b""),
    "two quorums": POLICY + b"quorum none\n",
    "no end": POLICY[:-1],
    "unknown word": b"colour blue\n" + POLICY,
    "control": POLICY.replace(b"quorum", b"quorum\x0b"),
    "carriage return": POLICY.replace(b"\n", b"\r\n"),
    "no log": POLICY[POLICY.index(b"\n") + 1 :],
    "member before it is defined": b"group g any w0\n" + POLICY,
    "member twice": POLICY.replace(b"2 w0 w1", b"2 w0 w0 w1"),
    "member of two groups": POLICY.replace(b"2 a0 a1", b"2 w0 a0 a1"),
    "too many needed": POLICY.replace(b"witnesses 2 ", b"witnesses 4 "),
    "none needed": POLICY.replace(b"witnesses 2 ", b"witnesses 0 "),
    "zero in front": POLICY.replace(b"witnesses 2 ", b"witnesses 02 "),
    "defined twice": POLICY.replace(b"witness w1 ", b"witness w0 "),
    "named none": POLICY.replace(b"witness w1 ", b"witness none ").replace(b" w1", b" none"),
    "undefined quorum": POLICY.replace(b"quorum witnesses", b"quorum nobody"),
    "another's id": POLICY.replace(WITNESSES[0].id.hex().encode(), b"00000000"),
    "log key as witness": POLICY.replace(WITNESSES[0].vkey.encode(), key("w", LOG).vkey.encode()),
    "witness key as log": POLICY.replace(
        key(ORIGIN, LOG).vkey.encode(), key("w", COSIGNER).vkey.encode()
    ),
    "approvers within witnesses": POLICY.replace(b"group witnesses", b"group x").replace(
        b"quorum witnesses", b"group witnesses any x approvers\nquorum none"
    ),
    "no witnesses": policy(witnesses=[], quorum="none"),
}


@pytest.mark.parametrize("name", MEANINGLESS)
def test_bent_policies(name: str) -> None:
    """A policy that is not to the letter is refused whole."""
    with pytest.raises(TrustError) as caught:
        check_trust(MEANINGLESS[name], "witnessed")
    assert caught.value.kind == "bad_trust"
