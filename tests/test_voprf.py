"""The oblivious function: the library, the naive twin and RFC 9497's own vectors agree."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

import naive_voprf as naive
from doorsill.sealed.oprf import Blinded, Server

RFC = json.loads((Path(__file__).parent / "data/vectors/rfc9497.json").read_text())


def _each(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


def _number(text: bytes) -> int:
    return int.from_bytes(text, "little")


def test_key_of_the_rfc() -> None:
    """Twin and library derive the RFC's key pair from its seed."""
    seed, info = bytes.fromhex(RFC["seed"]), bytes.fromhex(RFC["keyInfo"])
    secret = naive.derive_key(seed, info)
    assert secret.to_bytes(32, "little").hex() == RFC["skSm"]
    assert naive.BASE.times(secret).encode().hex() == RFC["pkSm"]
    assert Server(seed, info).public_key.hex() == RFC["pkSm"]


@pytest.mark.parametrize("vector", RFC["vectors"], ids=["one", "another", "batch of two"])
def test_vectors_of_the_rfc(vector: dict[str, str]) -> None:
    """The twin gives every byte of the RFC's vectors; the library every output."""
    secret, key = _number(bytes.fromhex(RFC["skSm"])), bytes.fromhex(RFC["pkSm"])
    inputs, scalars = _each(vector["Input"]), [_number(each) for each in _each(vector["Blind"])]
    blinded = [naive.blind(value, by) for value, by in zip(inputs, scalars, strict=True)]
    assert _each(vector["BlindedElement"]) == blinded
    proof = vector["Proof"]
    random = _number(bytes.fromhex(proof["r"]))  # type: ignore[index]
    made, shown = naive.evaluate(secret, blinded, random)
    assert _each(vector["EvaluationElement"]) == made
    assert proof["proof"] == shown.hex()  # type: ignore[index]
    assert naive.verify(key, blinded, made, shown)
    outputs = [naive.finalize(*each) for each in zip(inputs, scalars, made, strict=True)]
    assert _each(vector["Output"]) == outputs
    server = Server(bytes.fromhex(RFC["seed"]), bytes.fromhex(RFC["keyInfo"]))
    assert outputs == [server.output(value) for value in inputs]
    elements, own_proof = server.evaluate(b"".join(blinded))
    assert b"".join(made) == elements
    assert naive.verify(key, blinded, made, own_proof)


def test_library_and_twin_at_either_end() -> None:
    """The library's client takes the twin's answer and the twin verifies the library's."""
    seed, info = secrets.token_bytes(32), b"somewhere"
    secret, server = naive.derive_key(seed, info), Server(seed, info)
    inputs = [secrets.token_bytes(46) for _ in range(4)]
    client = Blinded(inputs)
    elements = [client.elements[at : at + 32] for at in range(0, 128, 32)]
    made, proof = naive.evaluate(secret, elements, secrets.randbelow(naive.ORDER))
    outputs = client.finish(b"".join(made), proof, server.public_key)
    assert outputs == [server.output(value) for value in inputs]


def test_element_that_is_none() -> None:
    """Neither side takes bytes that are no element, the identity, or another count."""
    server = Server(bytes(32), b"x")
    for bad in (bytes(32), b"\xff" * 32, b"\x01" + bytes(31), bytes(31)):
        with pytest.raises(ValueError, match=r"element|data"):
            server.evaluate(bad)
    client = Blinded([b"a", b"b"])
    elements, proof = server.evaluate(client.elements)
    for wrong in (
        elements[:32],
        elements + elements[:32],
        bytes(64),
        elements[32:] + elements[:32],
    ):
        with pytest.raises(ValueError, match=r".+"):
            client.finish(wrong, proof, server.public_key)
    assert 2 == len(client.finish(elements, proof, server.public_key))
