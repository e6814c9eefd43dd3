"""A transparency log in a folder, as c2sp.org/tlog-tiles lays it out: checkpoint, tiles, entries.

A web server that hands out this folder is a log that other people's monitors can read, and the
folder that Tessera's POSIX driver writes can be read here.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorsill.errors import DoorsillError
from doorsill.files import read_small, write_atomically
from doorsill.publish import tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doorsill.publish.keys import Key

_WIDTH = 256  # of a tile, tlog-tiles
_HASH_BYTES = 32
_LENGTH = struct.Struct(">H")
_MAX_BUNDLE = _WIDTH * (_LENGTH.size + 0xFFFF)
_MAX_CHECKPOINT = 1 << 16


class LogError(DoorsillError):
    """A log is not what its checkpoint says, or cannot be added to."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint (c2sp.org/tlog-checkpoint): its text, and the lines of signatures below."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[str, ...] = ()

    @classmethod
    def make(cls, origin: str, size: int, root: bytes) -> Checkpoint:
        """Return an unsigned one."""
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        return cls(origin, size, root, text)

    @classmethod
    def parse(cls, note: str) -> Checkpoint:
        """Take a note apart. Who signed it is not asked here; `LogError` if it is no checkpoint."""
        text, gap, below = note.partition("\n\n")
        try:
            origin, size, encoded = text.split("\n")[:3]
            root = base64.b64decode(encoded, validate=True)
            if not re.fullmatch("0|[1-9][0-9]{0,18}", size) or len(root) != _HASH_BYTES:
                raise ValueError  # noqa: TRY301 - one place for all that it can be
            return cls(origin, int(size), root, f"{text}\n",
                       tuple(below.splitlines(keepends=True)) if gap else ())  # fmt: skip
        except ValueError:
            raise LogError(
                "this is no checkpoint: origin, size and root hash, a line each"
            ) from None

    @classmethod
    def read(cls, path: Path) -> Checkpoint:
        """Read a checkpoint; `LogError` names the file if it is none."""
        try:
            return cls.parse(read_small(path, _MAX_CHECKPOINT).decode())
        except UnicodeDecodeError:
            raise LogError(f"{path}: bytes that are no text; a checkpoint is one") from None
        except LogError as error:
            raise LogError(f"{path}: {error}") from None

    def note(self) -> str:
        """Return text and signatures."""
        return f"{self.text}\n{''.join(self.signatures)}"

    def signed(self, line: str) -> Checkpoint:
        """Return it with one more signature, which replaces the same key's earlier one."""
        who = _signer(line)
        others = tuple(each for each in self.signatures if _signer(each) != who)
        return Checkpoint(self.origin, self.size, self.root, self.text, (*others, line))


def _signer(line: str) -> tuple[str, bytes]:
    try:
        _, name, signature = line.split(" ")
        return name, base64.b64decode(signature)[:4]
    except ValueError:  # no signature line: nobody's, so that it stays and is refused by the core
        return line, b""


def _tile_name(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number >= 1000:  # noqa: PLR2004 - three digits a folder
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


class Log:
    """The log in a folder."""

    def __init__(self, folder: Path) -> None:
        """Stand before the folder; it may be new."""
        self.folder = folder

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint; None for a log without entries."""
        try:
            return Checkpoint.read(self.folder / "checkpoint")
        except FileNotFoundError:
            return None

    def entries(self) -> list[bytes]:
        """Return all entries.

        Raises:
            LogError: Some are missing or cut short.
        """
        latest = self.checkpoint()
        found = list(self._read(latest.size)) if latest else []
        if latest and len(found) != latest.size:
            raise LogError(
                f"{self.folder}: {len(found)} entries, its checkpoint says {latest.size}"
            )
        return found

    def _read(self, size: int) -> Iterator[bytes]:
        for tile in range(-(-size // _WIDTH)):
            width = min(_WIDTH, size - tile * _WIDTH)
            path = self._path("entries", tile, width)
            if not path.exists():  # a log may keep the full tile alone
                path = self._path("entries", tile, _WIDTH)
            data, at = read_small(path, _MAX_BUNDLE), 0
            for _ in range(width):
                if len(data) < at + _LENGTH.size:
                    raise LogError(f"{path}: cut short")
                (length,) = _LENGTH.unpack_from(data, at)
                at += _LENGTH.size + length
                if at > len(data):
                    raise LogError(f"{path}: cut short")
                yield data[at - length : at]

    def _path(self, level: str, tile: int, width: int) -> Path:
        name = _tile_name(tile) + (f".p/{width}" if width < _WIDTH else "")
        return self.folder / "tile" / level / name

    def append(self, entry: bytes, key: Key) -> Checkpoint:
        """Add an entry and return the new checkpoint, signed by the log's key.

        Tiles are written before the checkpoint that needs them, so that a crash leaves a whole log.
        """
        latest = self.checkpoint()
        if latest and latest.origin != key.name:
            raise LogError(f"{self.folder}: is the log of {latest.origin}, not of {key.name}")
        entries = [*self.entries(), entry]
        leaves = [tree.leaf_hash(each) for each in entries]
        first = (len(entries) - 1) // _WIDTH * _WIDTH
        bundle = b"".join(_LENGTH.pack(len(each)) + each for each in entries[first:])
        self._write("entries", first // _WIDTH, len(entries) - first, bundle)
        self._write_tiles(leaves)
        made = Checkpoint.make(key.name, len(entries), tree.root(leaves))
        made = made.signed(key.sign_note(made.text))
        self.keep(made)
        return made

    def _write_tiles(self, leaves: list[bytes]) -> None:
        hashes, level = leaves, 0
        while hashes:
            first = (len(hashes) - 1) // _WIDTH * _WIDTH
            self._write(str(level), first // _WIDTH, len(hashes) - first, b"".join(hashes[first:]))
            full = len(hashes) // _WIDTH * _WIDTH
            hashes = [tree.root(hashes[at : at + _WIDTH]) for at in range(0, full, _WIDTH)]
            level += 1

    def _write(self, level: str, tile: int, width: int, data: bytes) -> None:
        path = self._path(level, tile, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Make this the newest checkpoint, for example with more signatures."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / "checkpoint", checkpoint.note().encode())

    def tiles_agree(self, leaves: list[bytes]) -> bool:
        """Tell whether the tiles of level 0 hold the hashes of the entries."""
        for first in range(0, len(leaves), _WIDTH):
            part = leaves[first : first + _WIDTH]
            path = self._path("0", first // _WIDTH, len(part))
            if not path.exists():
                path = self._path("0", first // _WIDTH, _WIDTH)
            try:
                kept = read_small(path, _WIDTH * _HASH_BYTES)
            except OSError:
                return False
            if kept[: _HASH_BYTES * len(part)] != b"".join(part):
                return False
        return True
