"""Tokens: who may ask how often, without linking a question to an account.

The shape of RFC 9578 (Privacy Pass), token type 0x0005: VOPRF(ristretto255, SHA-512), privately
verifiable. The issuer, who knows accounts, signs blinded tokens; the sealing server sees them for
the first time, unblinded. `native/SEALED.md` has the bytes.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.sealed.oprf import Blinded
from doorsill.sealed.protocol import ELEMENT_BYTES, PROOF_BYTES, TOKEN_BYTES

if TYPE_CHECKING:
    from doorsill.sealed.lists import SealedList

TYPE = 5
DAY_SECONDS = 86_400
MOST = 1000
"""Tokens of one request, at most: two thousand pictures a day take two."""

ISSUER = b"doorsill-sealed/v1"
_INPUT = struct.Struct(">H32s32s32s")  # type, nonce, digest of the challenge, id of the key
_REQUEST = struct.Struct(">4sHBIH")  # magic, type, the key's truncated id, day, count
_ISSUED = struct.Struct(">4sH")  # magic, count
_ASK, _GIVE = b"dst1", b"dsi1"


def key_id(public_key: bytes) -> bytes:
    """Return the id of an issuer's key."""
    return hashlib.sha256(public_key).digest()


def challenge(day: int, list_key: bytes) -> bytes:
    """Return the digest of the challenge that tokens of one day and one sealing key answer.

    Args:
        day: Days since 1970, in UTC.
        list_key: The sealing server's public key.
    """
    origin = list_key.hex().encode()
    context = day.to_bytes(32, "big")
    parts = (struct.pack(">HH", TYPE, len(ISSUER)), ISSUER, bytes((len(context),)), context,
             struct.pack(">H", len(origin)), origin)  # fmt: skip
    return hashlib.sha256(b"".join(parts)).digest()


def token_input(nonce: bytes, day: int, list_key: bytes, token_key: bytes) -> bytes:
    """Return what a token's authenticator is the function's output of, 98 bytes."""
    return _INPUT.pack(TYPE, nonce, challenge(day, list_key), key_id(token_key))


def today(now: float | None = None) -> int:
    """Return the day's number."""
    return int(time.time() if now is None else now) // DAY_SECONDS


class Request:
    """Tokens asked for; the host carries `message` to the issuer, who knows the account."""

    def __init__(self, sealed: SealedList, count: int, day: int) -> None:
        """Blind the tokens of a day."""
        if not 1 <= count <= MOST:
            raise DoorsillError(f"{count} tokens cannot be asked for at once; 1 to {MOST} can")
        about = sealed.sealed
        self.day = day
        self._key = about.token_key
        self._inputs = [
            token_input(secrets.token_bytes(32), day, about.public_key, self._key)
            for _ in range(count)
        ]
        self._blinded = Blinded(self._inputs)
        head = _REQUEST.pack(_ASK, TYPE, key_id(self._key)[-1], day, count)
        self.message = head + self._blinded.elements

    def finish(self, issued: bytes) -> list[bytes]:
        """Return the tokens; `DoorsillError` if what the issuer gave is not as it should be."""
        count = len(self._inputs)
        if issued[: _ISSUED.size] != _ISSUED.pack(_GIVE, count):
            raise DoorsillError("the issuer gave no tokens; see its status, and ask again later")
        try:
            outputs = self._blinded.finish(
                issued[_ISSUED.size : -PROOF_BYTES], issued[-PROOF_BYTES:], self._key
            )
        except ValueError:
            raise DoorsillError("the issuer's proof does not hold: its key is not the one that "
                                "the list names; use none of its tokens") from None  # fmt: skip
        return [value + output for value, output in zip(self._inputs, outputs, strict=True)]


def unpack_request(message: bytes) -> tuple[int, int, bytes]:
    """Return the key's truncated id, day and elements that a client asks for; else `ValueError`."""
    if len(message) < _REQUEST.size:
        raise ValueError("too short for a request of tokens")
    magic, kind, truncated, day, count = _REQUEST.unpack_from(message)
    elements = message[_REQUEST.size :]
    if magic != _ASK or kind != TYPE or not 1 <= count <= MOST:
        raise ValueError("this is no request of tokens")
    if len(elements) != ELEMENT_BYTES * count:
        raise ValueError("it holds another number of elements than it says")
    return truncated, day, elements


def pack_issued(elements: bytes, proof: bytes) -> bytes:
    """Return what an issuer gives."""
    return _ISSUED.pack(_GIVE, len(elements) // ELEMENT_BYTES) + elements + proof


class Tokens:
    """A purse of tokens for one sealed list; may be used from any thread. Kept in memory only.

    `request` and `take` fill it, in two steps, for the host carries the messages; each question
    takes one out.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._tokens: deque[tuple[int, bytes]] = deque()
        self._lock = threading.Lock()

    def request(self, sealed: SealedList, count: int, *, now: float | None = None) -> Request:
        """Return a request for so many tokens of today, at most 1,000; send its `message`."""
        return Request(sealed, count, today(now))

    def take(self, request: Request, issued: bytes) -> int:
        """Put in what the issuer gave; return how many there are now.

        Raises:
            DoorsillError: It is not what was asked for, or of another key.
        """
        tokens = request.finish(issued)
        with self._lock:
            self._tokens += [(request.day, token) for token in tokens]
            return len(self._tokens)

    def __len__(self) -> int:
        """Return how many are left, old ones among them."""
        return len(self._tokens)

    def pop(self, now: float | None = None) -> bytes | None:
        """Return a token of today or, for clocks that differ, yesterday; None if there is none."""
        with self._lock:
            while self._tokens:
                day, token = self._tokens.popleft()
                if day >= today(now) - 1:
                    assert len(token) == TOKEN_BYTES  # noqa: S101 - by its making
                    return token
        return None
