"""Keys of publishers, witnesses and approvers: Ed25519, in the notation of c2sp.org/signed-note.

A private key is one line, PRIVATE+KEY+name+id+base64(type, seed), as Go's sumdb/note writes it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.files import read_small

if TYPE_CHECKING:
    from pathlib import Path

LOG, COSIGNER = 0x01, 0x04
"""Types of signed-note: Ed25519 of a log, timestamped Ed25519 cosignature."""
_PRIVATE = "PRIVATE+KEY+"
_SEED_BYTES = 32
_MAX_FILE = 4096


class KeyFileError(DoorsillError):
    """A key cannot be made, read or used."""


@dataclass(frozen=True)
class Key:
    """A private key with its name.

    Attributes:
        name: Without spaces and plus; a log's is the origin of its list.
        kind: `LOG` or `COSIGNER`.
        seed: 32 bytes, secret.
    """

    name: str
    kind: int
    seed: bytes

    def __post_init__(self) -> None:
        """Refuse names that signed-note does."""
        if not self.name or "+" in self.name or any(c.isspace() for c in self.name):
            raise KeyFileError(f"{self.name!r} is no name of a key: no spaces and no plus, such as "
                               "example.org/list")  # fmt: skip

    @classmethod
    def new(cls, name: str, kind: int) -> Key:
        """Return a new key from the system's randomness."""
        return cls(name, kind, os.urandom(_SEED_BYTES))

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        from nacl.signing import SigningKey  # noqa: PLC0415 - the extra [trust]

        return bytes(SigningKey(self.seed).verify_key)

    @property
    def id(self) -> bytes:
        """The key id, 4 bytes of SHA-256(name, newline, type, public key)."""
        told = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(told).digest()[:4]

    @property
    def vkey(self) -> str:
        """The public key as policies write it: name+id+base64(type, key)."""
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.public)}"

    def sign(self, message: bytes) -> bytes:
        """Return an Ed25519 signature, 64 bytes."""
        from nacl.signing import SigningKey  # noqa: PLC0415 - the extra [trust]

        return SigningKey(self.seed).sign(message).signature

    def sign_note(self, text: str) -> str:
        """Return a log's signature line under a checkpoint's text."""
        return self._line(self.sign(text.encode()))

    def cosign_note(self, text: str, time: int) -> str:
        """Return a cosignature line (c2sp.org/tlog-cosignature) at a time in POSIX seconds."""
        message = f"cosignature/v1\ntime {time}\n{text}"
        return self._line(time.to_bytes(8, "big") + self.sign(message.encode()))

    def _line(self, signature: bytes) -> str:
        return f"— {self.name} {_base64(self.id + signature)}\n"

    def write(self, path: Path) -> None:
        """Write the private key, for its owner's eyes alone; never over another file."""
        line = f"{_PRIVATE}{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.seed)}\n"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileError(f"{path}: is there already and stays; name another file") from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, path: Path) -> Key:
        """Read a private key.

        Raises:
            KeyFileError: It is none, or others than its owner can read it.
        """
        if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
            raise KeyFileError(
                f"{path}: others can read this private key; chmod 600 it, and make a "
                "new one if they may have"
            )
        try:
            line = read_small(path, _MAX_FILE).decode().strip()
            name, id_, raw = line.removeprefix(_PRIVATE).split("+", 2)
            data = base64.b64decode(raw, validate=True)
            key = cls(name, data[0], data[1:])
            good = line.startswith(_PRIVATE) and key.id.hex() == id_ and key.kind in {LOG, COSIGNER}
        except (ValueError, IndexError):
            good = False
        if not good:
            raise KeyFileError(f"{path}: no private key; make one with `doorsill keys new`")
        return key


@dataclass(frozen=True)
class PublicKey:
    """A key that signed a checkpoint, or did not; for those who sign or audit, not for clients."""

    name: str
    id: bytes
    kind: int
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> PublicKey:
        """Take name+id+base64(type, key) apart.

        Raises:
            KeyFileError: It is none.
        """
        try:
            name, id_, raw = vkey.split("+", 2)
            data = base64.b64decode(raw, validate=True)
            found = cls(name, bytes.fromhex(id_), data[0], data[1:])
        except (ValueError, IndexError):
            raise KeyFileError(f"{vkey!r} is no public key, name+id+key") from None
        if hashlib.sha256(name.encode() + b"\n" + data).digest()[:4] != found.id:
            raise KeyFileError(f"{vkey!r} has another key's id")
        return found

    def signed(self, text: str, line: str) -> bool:
        """Tell whether this log's key made this signature line under a checkpoint's text."""
        from nacl.exceptions import BadSignatureError  # noqa: PLC0415 - the extra [trust]
        from nacl.signing import VerifyKey  # noqa: PLC0415 - likewise

        try:
            dash, name, encoded = line.rstrip("\n").split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if (dash, name, raw[:4], self.kind) != ("—", self.name, self.id, LOG):
                return False
            VerifyKey(self.key).verify(text.encode(), raw[4:])
        except (ValueError, BadSignatureError):
            return False
        return True


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
