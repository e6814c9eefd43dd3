"""The one module that calls the oblivious function's library: PyPI `voprf`, RFC 9497.

Mode VOPRF, suite ristretto255-SHA512. Elements take 32 bytes, proofs 64, outputs 64. Whatever the
library says of bytes that came from outside ends here, as `ValueError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorsill.errors import DoorsillError
from doorsill.sealed.protocol import ELEMENT_BYTES, PROOF_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def library() -> Any:
    """Return the library; `DoorsillError` if it is not installed."""
    try:
        from voprf import ristretto  # noqa: PLC0415 - the extra [sealed]
    except ImportError:
        raise DoorsillError("sealed lists need the package voprf, which is not installed; "
                            "pip install 'doorsill[sealed]'") from None  # fmt: skip
    return ristretto


def _guarded(call: Callable[[], Any]) -> Any:
    """Return what a call of the library returns; its panics are no reason to end a host."""
    try:
        return call()
    except ValueError:
        raise
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the library is no `Exception`
        raise ValueError(f"the library gave up: {type(error).__name__}") from None


class Blinded:
    """Inputs that were blinded: `elements` go to the server, the rest stays here."""

    def __init__(self, inputs: Sequence[bytes]) -> None:
        """Blind inputs with fresh random numbers of the system."""
        pairs = [library().Client.blind(each) for each in inputs]
        self._clients = [client for client, _ in pairs]
        self.elements = b"".join(element.serialize() for _, element in pairs)

    def finish(self, elements: bytes, proof: bytes, public_key: bytes) -> list[bytes]:
        """Return the outputs, 64 bytes each.

        Raises:
            ValueError: The proof does not show that the key's owner computed these elements of
                these inputs, or something is no element at all.
        """
        ristretto = library()
        outputs = _guarded(
            lambda: ristretto.Client.finalize_batch(
                self._clients,
                ristretto.VerifiableBatchOutput.deserialize(proof + elements),
                ristretto.PublicKey.deserialize(public_key),
            )
        )
        return list(outputs)


class Server:
    """The side that has the key: a sealing server, and whoever seals."""

    def __init__(self, seed: bytes, info: bytes) -> None:
        """Derive the key pair (RFC 9497, DeriveKeyPair) from a secret seed of 32 bytes."""
        self._evaluator = library().Evaluator.from_seed(seed, info)
        self.public_key: bytes = self._evaluator.public_key.serialize()

    def evaluate(self, elements: bytes) -> tuple[bytes, bytes]:
        """Return the evaluated elements and the proof; `ValueError` if one is no element."""
        ristretto = library()
        parts = [elements[i : i + ELEMENT_BYTES] for i in range(0, len(elements), ELEMENT_BYTES)]
        made = _guarded(
            lambda: self._evaluator.evaluate_batch(
                [ristretto.BlindedInput.deserialize(part) for part in parts]
            ).serialize()
        )
        return made[PROOF_BYTES:], made[:PROOF_BYTES]

    def output(self, value: bytes) -> bytes:
        """Return the function's output for an input that is known here, 64 bytes."""
        return bytes(self._evaluator.evaluate_known_input(value))
