"""A small sealed list, its server and pictures, for tests; and a sealer said plainly."""

from __future__ import annotations

import hashlib
import hmac
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import drawn
import naive_voprf as naive
from doorsill import SealedList, Trust, core, hash_image
from doorsill.publish.seal import seal_list
from doorsill.publish.write import Contents, HasherRows, list_bytes
from doorsill.sealed.keys import TOKEN_INFO
from doorsill.sealed.oprf import Server
from doorsill.testcard import test_card

sys.path.append(str(Path(__file__).parent.parent / "examples/sealing_server"))

from loopback import running, sealed_list
from service import Issuing, Sealing
from spent import Ledger

__all__ = ["Issuing", "Ledger", "Sealing", "running", "sealed_list"]

SEED = hashlib.sha256(b"a sealing server").digest()
TOKEN_SEED = hashlib.sha256(b"an issuer").digest()
TOKEN_KEY = Server(TOKEN_SEED, TOKEN_INFO).public_key
EPOCH = 7
LISTED, STRANGER = 3, 50  # seeds of drawn scenes
LABEL = b"doorsill-sealed/v1"


@cache
def picture(seed: int = LISTED, quality: int = 60) -> bytes:
    """Return a drawn scene as a JPEG."""
    return drawn.saved(drawn.scene(seed=seed), "JPEG", quality=quality)


def raw_list(scenes: int = 5, flags: int = 0, epoch: int = 0) -> bytes:
    """Return a list of drawn scenes; id is the seed, six times."""
    contents, rows = Contents(epoch=epoch), HasherRows("pdq", "full")
    contents.add_entry((1, 2, 1), b"\0\0\0\0\0\1")
    hashes = [hash_image(test_card()).bytes]
    for seed in range(1, scenes + 1):
        contents.add_entry((0, flags, 1), bytes([seed]) * 6)
        hashes.append(hash_image(drawn.saved(drawn.scene(seed=seed), "PNG")).bytes)
    rows.hashes, contents.hashers = bytearray().join(hashes), [rows]
    rows.entries.extend(range(len(hashes)))
    contents.texts = [(0, 0, "en", "sealed scenes"), (2, 0, "en", "scenes")]
    return list_bytes(contents)


def sealed_file(folder: Path, token_key: bytes = bytes(32), epoch: int = EPOCH) -> Path:
    """Seal the list of drawn scenes."""
    raw, made = folder / "raw.dsl", folder / "sealed.dsl"
    raw.write_bytes(raw_list())
    seal_list(raw, made, SEED, sealing_epoch=epoch, token_key=token_key, jobs=1)
    return made


def opened(path: Path) -> SealedList:
    """Open a sealed list without a signature."""
    return SealedList.open(path, Trust.none())


@dataclass
class Wire:
    """Carries questions to a server, and remembers them."""

    server: Sealing = field(default_factory=lambda: Sealing(SEED, [EPOCH]))
    seen: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __call__(self, message: bytes) -> bytes:
        """Answer as the example's server does."""
        _, body = self.server.answer(message)
        self.seen.append((message, body))
        return body


def with_tokens(share: int = 5) -> tuple[Sealing, Issuing]:
    """Return a server that wants tokens and the issuer of them."""
    ledger = Ledger()
    return Sealing(SEED, [EPOCH], TOKEN_SEED, ledger), Issuing(TOKEN_SEED, ledger, share)


# ---- the naive twin: SEALED.md, once more


def _sha(size: int, *parts: bytes) -> bytes:
    return hashlib.sha512(LABEL + b"".join(parts)).digest()[:size]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def window_bytes(r: bytes, slot: int) -> bytes:
    """Return w(r, j)."""
    bits = "".join(f"{byte:08b}" for byte in r)
    taken = "".join(bits[(15 * slot + i) % 121] for i in range(20)) + "0000"
    return int(taken, 2).to_bytes(3, "big")


def twin_input(f: bytes, slot: int, w: bytes, epoch: int = EPOCH) -> bytes:
    """Return x(f, j, w)."""
    return LABEL + epoch.to_bytes(4, "little") + f + bytes([slot]) + w


def twin_output(secret: int, value: bytes) -> bytes:
    """Return F(x)."""
    return naive.finalize(value, 1, naive.hash_to_group(value).times(secret).encode())


def twin_row(pdq: bytes, class_: int, entry: bytes, epoch: int = EPOCH) -> bytes:
    """Return one row of a PDQ hash, sealed."""
    return twin_row_of(*core.pdq_planes(pdq), class_, entry, epoch)


def twin_row_of(f: bytes, r: bytes, class_: int, entry: bytes, epoch: int) -> bytes:
    """Return one row, sealed."""
    secret = naive.derive_key(SEED, b"doorsill-sealed/v1 epoch %d" % epoch)
    record = r + class_.to_bytes(2, "little") + entry
    key = hmac.digest(SEED, LABEL + b" key " + epoch.to_bytes(4, "little") + f + record, "sha512")[
        :10
    ]
    tag = _sha(8, b" tag", key, f, record)
    slots = b""
    for slot in range(8):
        output = twin_output(secret, twin_input(f, slot, window_bytes(r, slot), epoch))
        slots += _xor(key, _sha(10, b" slot", tag, bytes([slot]), output))
    return f + slots + _xor(record, _sha(24, b" record", key, tag)) + tag


def twin_token_input(nonce: bytes, day: int, list_key: bytes, token_key: bytes) -> bytes:
    """Return what a token's authenticator is made of."""
    origin = list_key.hex().encode()
    told = b"\0\x05" + b"\0\x12" + LABEL + b"\x20" + day.to_bytes(32, "big") + b"\0\x40" + origin
    return b"\0\x05" + nonce + hashlib.sha256(told).digest() + hashlib.sha256(token_key).digest()
