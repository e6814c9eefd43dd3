"""Checks releases: hands the core's rules their two primitives, hashlib's and PyNaCl's.

The rules stand in `native/FORMAT.md`, and as code in `native/src/proof.c`; there are none here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from doorsill._native import ffi, lib
from doorsill.core import text
from doorsill.errors import TrustError

TIERS = ("none", "signed", "witnessed", "approved")  # as the header's doorsill_tier
MAX_PROOF = int(lib.DOORSILL_MAX_PROOF)
MAX_TRUST = int(lib.DOORSILL_MAX_TRUST)
OPEN_AGAIN = 0
"""The time to give where no freshness is asked."""

_KINDS = {
    lib.DOORSILL_BAD_TRUST: ("bad_trust", "mend the trust policy"),
    lib.DOORSILL_BAD_PROOF: ("bad_proof", "fetch list and proof again"),
    lib.DOORSILL_NOT_TRUSTED: ("not_trusted", "do not use this list; ask its publisher"),
    lib.DOORSILL_OTHER_POLICY: (
        "other_policy",
        "fetch the policies beside it (.policy-N and their proofs), or get the app's update",
    ),
    lib.DOORSILL_OTHER_LIST: ("other_list", "fetch list and proof again, together"),
    lib.DOORSILL_ROLLED_BACK: ("rolled_back", "keep the accepted list; ask the publisher"),
    lib.DOORSILL_STALE: ("stale", "fetch the newest proof, and see whether this clock is right"),
}


class Accepted(NamedTuple):
    """The release that was accepted last: size and root of the log's tree, digest of the list."""

    size: int
    root: bytes
    sha256: bytes


class Release(NamedTuple):
    """What a release's manifest and signatures say, as `doorsill_release` in the header.

    Times are POSIX seconds. Bit i of `cosigners` is the i-th `witness` line of the policy.
    """

    list: str
    epoch: int
    list_bytes: int
    issued: int
    use_until: int
    policy_version: int
    cosigners: int
    tier: str
    root: bytes
    sha256: bytes
    policy: bytes
    policy_before: bytes

    def accepted(self) -> Accepted:
        """Return what is to be remembered of it."""
        return Accepted(self.epoch + 1, self.root, self.sha256)


@ffi.def_extern(error=0)  # type: ignore[untyped-decorator] # cffi has no types
def doorsill_python_sha256(_: Any, data: Any, size: int, digest: Any) -> int:
    """Fill in the digest; an exception is a 0, and that is "not verified"."""
    import hashlib  # noqa: PLC0415 - only signed lists need it before a picture does

    ffi.memmove(digest, hashlib.sha256(ffi.buffer(data, size)).digest(), 32)
    return 1


@ffi.def_extern(error=0)  # type: ignore[untyped-decorator] # cffi has no types
def doorsill_python_ed25519_verify(
    _: Any, key: Any, message: Any, size: int, signature: Any
) -> int:
    """Tell whether the signature is good; whatever goes wrong, it is not."""
    from nacl.bindings import crypto_sign_open  # noqa: PLC0415 - the extra [trust]
    from nacl.exceptions import BadSignatureError  # noqa: PLC0415 - likewise

    signed = bytes(ffi.buffer(signature, 64)) + bytes(ffi.buffer(message, size))
    try:
        crypto_sign_open(signed, bytes(ffi.buffer(key, 32)))
    except BadSignatureError:
        return 0
    return 1


_CRYPTO = ffi.new(
    "doorsill_crypto *",
    {"sha256": lib.doorsill_python_sha256, "ed25519_verify": lib.doorsill_python_ed25519_verify},
)


def require_verifier() -> None:
    """Raise `TrustError` unless PyNaCl is there to verify signatures with."""
    try:
        import nacl.bindings  # noqa: F401, PLC0415 - the extra [trust]
    except ImportError:
        raise TrustError("signatures are verified by PyNaCl, which is not installed; "
                         "pip install 'doorsill[trust]'", "bad_trust") from None  # fmt: skip


def _trust(policy: bytes, tier: str) -> tuple[Any, Any]:
    kept = ffi.from_buffer("char[]", policy)
    fields = {"text": kept, "size": len(policy), "tier": TIERS.index(tier)}
    return ffi.new("doorsill_trust *", fields), kept


def _last(accepted: Accepted | None) -> Any:
    return ffi.new("doorsill_accepted *", accepted) if accepted else ffi.NULL


def _check(status: int, detail: Any) -> None:
    if status != lib.DOORSILL_OK:
        kind, remedy = _KINDS.get(status, ("bad_argument", "this is a fault of doorsill"))
        raise TrustError(f"{text(detail[0])}; {remedy}", kind)


def _release(raw: Any) -> Release:
    fields = {name: int(getattr(raw, name)) for name in Release._fields[1:7]}
    digests = {name: bytes(getattr(raw, name)) for name in Release._fields[8:]}
    values: dict[str, Any] = {"list": text(raw.list), "tier": TIERS[raw.tier], **fields, **digests}
    return Release(**values)


def check_trust(policy: bytes, tier: str) -> str:
    """Return the highest tier that a trust policy can show.

    Raises:
        TrustError: It is no tlog-policy, or cannot show *tier*.
    """
    trust, _kept = _trust(policy, tier)
    highest, detail = ffi.new("uint32_t *"), ffi.new("char **")
    _check(lib.doorsill_trust_check(trust, _CRYPTO, highest, detail), detail)
    return TIERS[highest[0]]


def manifest_fault(manifest: bytes) -> str:
    """Return what breaks the form of a manifest (rule 1), "" if nothing does.

    The core reads manifests in proofs alone, so this one is put into a proof that nobody signed:
    if it is refused for want of signatures, its form was right.
    """
    import base64  # noqa: PLC0415 - publishers and auditors alone ask
    import hashlib  # noqa: PLC0415 - likewise

    key = b"\x01" + bytes(32)
    id_ = hashlib.sha256(b"nobody\n" + key).digest()[:4].hex()
    policy = f"log nobody+{id_}+{base64.b64encode(key).decode()}\nquorum none\n"
    head = f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(manifest).decode()}\nindex 0\n"
    proof = f"{head}\nnobody\n1\n{base64.b64encode(bytes(32)).decode()}\n\n".encode()
    trust, _kept = _trust(policy.encode(), "signed")
    release, detail = ffi.new("doorsill_release *"), ffi.new("char **")
    status = lib.doorsill_release_check(trust, ffi.from_buffer(proof), len(proof), ffi.NULL, 0,
                                        ffi.NULL, OPEN_AGAIN, _CRYPTO, release, detail)  # fmt: skip
    return "" if status == lib.DOORSILL_NOT_TRUSTED else text(detail[0])


def check_release(  # noqa: PLR0913, PLR0917 - as many as the core's call has
    policy: bytes,
    tier: str,
    proof: bytes,
    data: Any = None,
    last: Accepted | None = None,
    now: int = OPEN_AGAIN,
) -> Release:
    """Return what a release says once all the rules hold.

    Args:
        policy: The trust policy's text.
        tier: The least that will do.
        proof: The text of the `.tlog-proof`.
        data: The list file, any buffer; None looks at the proof alone.
        last: What was accepted before.
        now: POSIX seconds, or `OPEN_AGAIN`.

    Raises:
        TrustError: A rule does not hold; its `kind` says which one.
    """
    trust, _kept = _trust(policy, tier)
    release, detail = ffi.new("doorsill_release *"), ffi.new("char **")
    buffer, size = (ffi.NULL, 0) if data is None else (ffi.from_buffer(data), len(data))
    status = lib.doorsill_release_check(trust, ffi.from_buffer(proof), len(proof), buffer, size,
                                        _last(last), now, _CRYPTO, release, detail)  # fmt: skip
    _check(status, detail)
    return _release(release)


def check_link(policy: bytes, new_policy: bytes, tier: str, proof: bytes,
               last: Accepted | None) -> Release:  # fmt: skip
    """Return the release that changed one trust policy into another, once both signed it.

    Raises:
        TrustError: One of them did not, or the link leads elsewhere.
    """
    trust, _kept = _trust(policy, tier)
    other, _kept_too = _trust(new_policy, tier)
    release, detail = ffi.new("doorsill_release *"), ffi.new("char **")
    status = lib.doorsill_trust_link(trust, other, ffi.from_buffer(proof), len(proof), _last(last),
                                     _CRYPTO, release, detail)  # fmt: skip
    _check(status, detail)
    return _release(release)
