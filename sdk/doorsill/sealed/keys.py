"""Secret keys of sealing servers, issuers of tokens, and those who seal: one line in a file."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.files import read_small

if TYPE_CHECKING:
    from pathlib import Path

SEED_BYTES = 32
_LINE = "doorsill-sealing-key/v1 "
_MAX_FILE = 4096


def sealing_info(epoch: int) -> bytes:
    """Return what a seed's key pair of one sealing epoch is derived by."""
    return b"doorsill-sealed/v1 epoch %d" % epoch


TOKEN_INFO = b"doorsill-sealed/v1 tokens"
"""What an issuer's key pair is derived by."""


def parse_seed(text: str) -> bytes:
    """Return the seed that a key file holds; `ValueError` if it is none."""
    if not text.startswith(_LINE):
        raise ValueError("this is no sealing key")
    seed = bytes.fromhex(text.removeprefix(_LINE).strip())
    if len(seed) != SEED_BYTES:
        raise ValueError("this is no sealing key")
    return seed


def read_seed(path: Path) -> bytes:
    """Return the seed in a key file, 32 bytes.

    Raises:
        DoorsillError: It is none, or others than its owner can read it.
    """
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DoorsillError(f"{path}: others can read this secret key; chmod 600 it, and make "
                                "a new one if they may have")  # fmt: skip
        return parse_seed(read_small(path, _MAX_FILE).decode("ascii"))
    except OSError as error:
        raise DoorsillError(f"{path}: {error.strerror}; name a file that "
                            "`doorsill keys new --role sealing` made") from None  # fmt: skip
    except ValueError:
        raise DoorsillError(f"{path}: no sealing key; make one with "
                            "`doorsill keys new --role sealing`") from None  # fmt: skip


def new_seed(path: Path) -> bytes:
    """Write a new seed for its owner's eyes alone, never over another file; return it."""
    seed = secrets.token_bytes(SEED_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DoorsillError(f"{path}: is there already and stays; name another file") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{_LINE}{seed.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    return seed
