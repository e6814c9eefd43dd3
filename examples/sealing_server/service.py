"""What a sealing server and an issuer of tokens do with a message, without a network.

Stateless but for the nonces of tokens that were spent. Nothing looks into a question: it cannot.
"""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING

from doorsill.sealed import protocol, tokens
from doorsill.sealed.keys import TOKEN_INFO, sealing_info
from doorsill.sealed.oprf import Server
from doorsill.sealed.protocol import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spent import Ledger

STATUS = {
    0: 200,
    protocol.MALFORMED: 400,
    protocol.BAD_TOKEN: 401,
    protocol.SPENT_TOKEN: 403,
    protocol.OTHER_EPOCH: 409,
    protocol.BUSY: 503,
}
_NONCE = slice(2, 34)
_AUTHENTICATOR = 64
DAYS = (-1, 0, 1)  # tokens of yesterday, today and, for clocks that run ahead, tomorrow


class Sealing:
    """A sealing server: questions in, answers or refusals out."""

    def __init__(
        self,
        seed: bytes,
        epochs: Sequence[int],
        token_seed: bytes | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Stand with a key for each sealing epoch, and if a seed is given, ask for tokens."""
        self._servers = {epoch: Server(seed, sealing_info(epoch)) for epoch in epochs}
        self._newest = max(epochs)
        self._issuer = None if token_seed is None else Server(token_seed, TOKEN_INFO)
        self._ledger = ledger

    def public_key(self, epoch: int) -> bytes:
        """Return the public key of an epoch."""
        return self._servers[epoch].public_key

    def answer(self, message: bytes, now: float | None = None) -> tuple[int, bytes]:
        """Return the HTTP status and the body."""
        try:
            body = self._answer(message, time.time() if now is None else now)
        except Refusal as refusal:
            return STATUS[refusal.code], protocol.pack_refusal(self._newest, refusal.code)
        return 200, body

    def _answer(self, message: bytes, now: float) -> bytes:
        question = protocol.unpack_question(message)
        server = self._servers.get(question.epoch)
        if server is None:
            raise Refusal("no such sealing epoch", protocol.OTHER_EPOCH)
        if self._issuer is not None:
            self._spend(question.token, server.public_key, now)
        try:
            elements, proof = server.evaluate(question.elements)
        except ValueError:
            raise Refusal("an element is none") from None
        return protocol.pack_answer(question.epoch, elements, proof)

    def _spend(self, token: bytes, list_key: bytes, now: float) -> None:
        assert self._issuer is not None  # noqa: S101 - asked by the caller
        value, authenticator = token[:-_AUTHENTICATOR], token[-_AUTHENTICATOR:]
        nonce, key = token[_NONCE], self._issuer.public_key
        days = [tokens.today(now) + step for step in DAYS]
        day = next((d for d in days if tokens.token_input(nonce, d, list_key, key) == value), None)
        if day is None or not hmac.compare_digest(self._issuer.output(value), authenticator):
            raise Refusal("not a token of this issuer", protocol.BAD_TOKEN)
        if self._ledger is None or not self._ledger.spend(day, nonce):
            raise Refusal("spent before", protocol.SPENT_TOKEN)


class Issuing:
    """An issuer of tokens: it knows accounts, and no question."""

    def __init__(self, seed: bytes, ledger: Ledger, share: int) -> None:
        """Give each account so many tokens a day."""
        self._server = Server(seed, TOKEN_INFO)
        self._ledger = ledger
        self._share = share

    @property
    def public_key(self) -> bytes:
        """The key that lists name."""
        return self._server.public_key

    def issue(self, account: str, message: bytes, now: float | None = None) -> tuple[int, bytes]:
        """Return the HTTP status and the body; an empty body says no."""
        try:
            truncated, day, elements = tokens.unpack_request(message)
            if truncated != tokens.key_id(self.public_key)[-1] or day != tokens.today(now):
                return 422, b""
            made = self._server.evaluate(elements)
        except ValueError:
            return 400, b""
        count = len(elements) // protocol.ELEMENT_BYTES
        if not self._ledger.draw(day, account, count, self._share):
            return 429, b""
        return 200, tokens.pack_issued(*made)
