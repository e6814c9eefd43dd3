"""The bytes of sealed lists: messages, inputs of the oblivious function, slots and records.

Written from `native/SEALED.md`; the names are that page's.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

VERSION = 1
SLOTS = 8
"""Slots of an entry: each can be opened by another 20 of its bits."""

READINGS = 4
"""Readings of each slot's bits that a question asks for."""

COUNT = SLOTS * READINGS
RADIUS = 23
"""Bits of 128 within which a row of the clear plane is a candidate: all but 0.14 % of pairs at a
true distance of 25 to 31 lie within it, measured (`examples/bench_sealed.py recall`)."""

CLEAR_BYTES = 16
KEY_BYTES = 10
TAG_BYTES = 8
RECORD = struct.Struct("<16sH6s")  # second plane, class, id
RECORD_BYTES = RECORD.size + TAG_BYTES
SLOTS_BYTES = SLOTS * KEY_BYTES
ROW_BYTES = CLEAR_BYTES + SLOTS_BYTES + RECORD_BYTES

ELEMENT_BYTES = 32
PROOF_BYTES = 64
TOKEN_BYTES = 162
NO_TOKEN = bytes(TOKEN_BYTES)

_BITS = 20
_STEP = 15
_RING_BITS = 121  # the 11 x 11 lowest frequencies
_LABEL = b"doorsill-sealed/v1"
_HEAD = struct.Struct("<4sIH")  # magic, sealing epoch, count
_REFUSAL = struct.Struct("<4sIH")  # magic, the server's sealing epoch, why
_QUESTION, _ANSWER, _REFUSED = b"dsq1", b"dsa1", b"dsr1"

QUESTION_BYTES = _HEAD.size + TOKEN_BYTES + COUNT * ELEMENT_BYTES
ANSWER_BYTES = _HEAD.size + COUNT * ELEMENT_BYTES + PROOF_BYTES

MALFORMED, OTHER_EPOCH, BAD_TOKEN, SPENT_TOKEN, BUSY = range(1, 6)
_WHY = {
    MALFORMED: "it does not understand the question",
    OTHER_EPOCH: "it has another sealing epoch than the list; update the list",
    BAD_TOKEN: "it does not take the token",
    SPENT_TOKEN: "the token was spent before",
    BUSY: "it is busy",
}


class Refusal(Exception):  # noqa: N818 - not an error of ours: it ends in a verdict
    """A message is not what its form asks for, or the server refused the question.

    Attributes:
        code: Why, one of the numbers above.
    """

    def __init__(self, why: str, code: int = MALFORMED) -> None:
        """Say why."""
        super().__init__(why)
        self.code = code


class Question(NamedTuple):
    """What a client asks: elements of 32 bytes, one behind another."""

    epoch: int
    token: bytes
    elements: bytes


def window(slot: int) -> list[int]:
    """Return which bits of the second plane open a slot: 20 neighbours among the lowest 121."""
    return [(_STEP * slot + i) % _RING_BITS for i in range(_BITS)]


WINDOWS = tuple(window(slot) for slot in range(SLOTS))


def reading(plane: int, slot: int) -> int:
    """Return the 20 bits of a slot, of a second plane read as a number of 128 bits."""
    bits = 0
    for place in WINDOWS[slot]:
        bits = bits << 1 | plane >> (127 - place) & 1
    return bits


def oprf_input(epoch: int, clear: bytes, slot: int, bits: int) -> bytes:
    """Return what the oblivious function is asked for, 42 bytes."""
    return b"".join(
        (_LABEL, struct.pack("<I", epoch), clear, bytes((slot,)), (bits << 4).to_bytes(3, "big"))
    )


def _hashed(purpose: bytes, size: int, *parts: bytes) -> bytes:
    return hashlib.sha512(b"".join((_LABEL, purpose, *parts))).digest()[:size]


def pad(output: bytes, slot: int, tag: bytes) -> bytes:
    """Return what hides the key in a slot, from an output of the function."""
    return _hashed(b" slot", KEY_BYTES, tag, bytes((slot,)), output)


def xor(a: bytes, b: bytes) -> bytes:
    """Return two byte strings of one length, xored."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def seal_record(key: bytes, clear: bytes, record: bytes) -> bytes:
    """Return a sealed record with its tag behind it."""
    tag = _hashed(b" tag", TAG_BYTES, key, clear, record)
    return xor(record, _hashed(b" record", RECORD.size, key, tag)) + tag


def open_record(key: bytes, clear: bytes, sealed: bytes) -> bytes | None:
    """Return a record, None if the key is not its key."""
    tag = sealed[RECORD.size :]
    record = xor(sealed[: RECORD.size], _hashed(b" record", RECORD.size, key, tag))
    return record if _hashed(b" tag", TAG_BYTES, key, clear, record) == tag else None


def pack_question(question: Question) -> bytes:
    """Return the message, of `QUESTION_BYTES` whatever is asked."""
    return _HEAD.pack(_QUESTION, question.epoch, COUNT) + question.token + question.elements


def unpack_question(message: bytes) -> Question:
    """Return what a client asks; `Refusal` if the message is no question."""
    if len(message) != QUESTION_BYTES:
        raise Refusal(f"{len(message)} bytes are no question")
    magic, epoch, count = _HEAD.unpack_from(message)
    if magic != _QUESTION or count != COUNT:
        raise Refusal("this is no question of version 1")
    at = _HEAD.size + TOKEN_BYTES
    return Question(epoch, message[_HEAD.size : at], message[at:])


def pack_answer(epoch: int, elements: bytes, proof: bytes) -> bytes:
    """Return the message, of `ANSWER_BYTES`."""
    return _HEAD.pack(_ANSWER, epoch, COUNT) + elements + proof


def pack_refusal(epoch: int, code: int) -> bytes:
    """Return why a server does not answer."""
    return _REFUSAL.pack(_REFUSED, epoch, code)


def unpack_answer(message: bytes, epoch: int) -> tuple[bytes, bytes]:
    """Return elements and proof; `Refusal` if it is no answer, or one for another epoch."""
    if len(message) == _REFUSAL.size and message[:4] == _REFUSED:
        _, _, code = _REFUSAL.unpack(message)
        raise Refusal(_WHY.get(code, "it refused the question"), code)
    if len(message) != ANSWER_BYTES:
        raise Refusal(f"what came back has {len(message)} bytes and is no answer")
    magic, found, count = _HEAD.unpack_from(message)
    if magic != _ANSWER or count != COUNT:
        raise Refusal("what came back is no answer of version 1")
    if found != epoch:
        raise Refusal(_WHY[OTHER_EPOCH], OTHER_EPOCH)
    return message[_HEAD.size : -PROOF_BYTES], message[-PROOF_BYTES:]
