"""Hash lists, opened and read-only."""

from __future__ import annotations

import mmap
import os
import time
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from doorsill import accept, shared
from doorsill.core import HasherInfo, ListHandle
from doorsill.errors import ListError, TrustError
from doorsill.files import open_regular, read_small
from doorsill.limits import Limits
from doorsill.releases import MAX_PROOF

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from typing_extensions import Self  # for type checkers alone; Python's own came with 3.11

    from doorsill.core import Entry
    from doorsill.releases import Release
    from doorsill.trust import Trust

SEED, TEST, WARN = 1, 2, 4  # flags of an entry, as in the header
DEMO = 1  # flag of a list
_WORTH_HUGE_PAGES = 4 << 20


class Text(IntEnum):
    """Kinds of texts in a list, as in the header."""

    LIST = 0
    PUBLISHER = 1
    CATEGORY = 2
    MESSAGE = 3
    HELP = 4
    APPEAL = 5


def _read_privately(file: BufferedReader, size: int) -> bytes | mmap.mmap:
    """Return all of a file in memory of our own, in huge pages where a scan gains by them."""
    if size < _WORTH_HUGE_PAGES or not hasattr(mmap, "MADV_HUGEPAGE"):
        return file.read(size + 1)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them says that the advice is invalid
        memory.madvise(mmap.MADV_HUGEPAGE)
    read = file.readinto(memory)
    return memory if read == size else memory[:read]


def _read(path: str | os.PathLike[str], limits: Limits | None) -> bytes | mmap.mmap:
    """Return a list file in private memory, where nobody changes it once it is checked."""
    most = (limits or Limits()).list_bytes
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = _read_privately(file, size) if size <= most else b""
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or "it cannot be read"
        raise ListError(f"{path}: {why}; name a file made by `doorsill list build`") from None
    if size > most:
        raise ListError(f"{path}: larger than {most} bytes; raise Limits.list_bytes to allow it")
    return data


def _require_trust(trust: object) -> None:
    """Raise `TypeError` for the path of a trust policy, or for what else is no `Trust`."""
    if not hasattr(trust, "tier"):
        raise TypeError(f'trust is {trust!r}; pass Trust.load("trust.txt"), or Trust.none()')


_ATTEMPTS = 5  # how often an updater may replace the accepted list while it is being opened


class HashList:
    """A published hash list; it may be shared by any number of gates and threads.

    Attributes:
        path: Where it was read from, for messages; "" if it came as bytes.
        trust: What its publisher showed.
        release: What its manifest says; None for an unsigned list.
        name: What the list calls itself.
        is_sealed: Whether only a sealing server opens it, as a `sealed.SealedList`.
    """

    is_sealed = False

    def __init__(
        self,
        data: bytes | mmap.mmap,
        trust: Trust,
        *,
        path: str = "",
        release: Release | None = None,
    ) -> None:
        """Open the list in these bytes; see `open` for files. An mmap is private or sealed."""
        self.path = path
        self.trust = trust
        self.release = release
        # What the caller could still change is copied.
        self._data = data if isinstance(data, mmap.mmap) else bytes(data)
        try:
            self.handle = ListHandle(self._data)
        except ListError as error:
            raise ListError(f"{path or 'the list'}: {error}") from None
        self._info = self.handle.describe()
        self.name = self.text(Text.LIST, 0) or "unnamed list"

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] | int, trust: Trust, *, limits: Limits | None = None
    ) -> Self:
        """Read a list into private memory and check it; works offline.

        Args:
            path: A list, with its proof `PATH.tlog-proof` beside it unless *trust* asks for none;
                or a folder into which a list was accepted. A list that was not accepted has no
                memory that an older one could be told by: `accept` what comes from a network.
                Or a number, the descriptor of what another process of the app shared: mapped in
                place, in a millisecond. It has no proof, so *trust* is none: the process that
                shared it had it checked.
            trust: What its publisher must show.
            limits: `list_bytes` bounds it.

        Raises:
            ListError: The file is missing, too large, damaged, or for a newer doorsill.
            TrustError: Its signatures do not show what *trust* asks for.
        """
        _require_trust(trust)
        if isinstance(path, int):
            if trust.tier != "none":
                why = (
                    "has no proof; open the file, or pass Trust.none() where it was checked before"
                )
                raise TrustError(f"descriptor {path}: a shared list {why}", "bad_proof")
            data: bytes | mmap.mmap = shared.mapped(path, (limits or Limits()).list_bytes)
            return cls(data, trust, path=f"descriptor {path}")
        try:
            if trust.tier == "none":
                return cls(_read(path, limits), trust, path=str(path))
            if os.path.isdir(path):  # noqa: PTH112 - pathlib takes a tenth of a start
                return cls._open_accepted(accept.folder_of(path), trust, limits)
            data = _read(path, limits)
            proof = read_small(f"{path}{accept.PROOF}", MAX_PROOF)
            found = accept.check(trust, proof, data, accept.links_beside(f"{path}.policy"))
        except TrustError as error:
            raise TrustError(f"{path}: {error}", error.kind) from None
        except OSError as error:
            why = f"{error.filename or path}: {error.strerror}"
            signed = "a signed list has its .tlog-proof beside it"
            plain = "name a file made by `doorsill list build`"
            raise ListError(f"{why}; {signed if trust.policy else plain}") from None
        return cls._checked(found, data, trust, str(path))

    @classmethod
    def _open_accepted(cls, folder: Path, trust: Trust, limits: Limits | None) -> Self:
        for attempt in range(_ATTEMPTS):
            state = accept.read_state(folder)
            if state is None:
                raise ListError(f"{folder}: no list was accepted here; use HashList.accept")
            path = accept.list_path(folder, state[1].sha256)
            try:
                data, proof = _read(path, limits), read_small(f"{path}{accept.PROOF}", MAX_PROOF)
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue  # an updater has just replaced it
            found = accept.check(trust, proof, data, accept.kept_links(folder))
            if found.release.accepted() == state[1]:
                return cls._checked(found, data, trust, str(path))
        raise TrustError("the proof is not that of the accepted list; accept it again", "bad_proof")

    @classmethod
    def _checked(
        cls, found: accept.Checked, data: bytes | mmap.mmap, trust: Trust, path: str
    ) -> Self:
        shown = replace(trust, tier=found.release.tier, policy=found.policy)
        return cls(data, shown, path=path, release=found.release)

    @classmethod
    def accept(
        cls,
        new_release: str | os.PathLike[str],
        into: str | os.PathLike[str],
        trust: Trust,
        *,
        now: float | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """Take a new release in place of the accepted one, at once or not at all; return it, open.

        After a crash or a loss of power at any point `HashList.open(into, trust)` opens the old or
        the new one. Two updaters take turns.

        Args:
            new_release: The list; beside it its proof, `.tlog-proof`, and if the trust policy has
                changed, `.policy-N` with their own proofs.
            into: A folder for this list alone; made if there is none.
            trust: What its publisher must show.
            now: POSIX seconds; else the system's clock is asked.
            limits: `list_bytes` bounds the list.

        Raises:
            TrustError: Too few have signed, it is older than the accepted one, or its signatures
                are; see its `kind`.
            ListError: A file is missing or damaged, or the folder cannot be written to.
        """
        _require_trust(trust)
        if not trust.policy:
            raise TrustError("Trust.none() cannot accept; load a trust policy", "bad_trust")
        folder, moment = accept.folder_of(into), int(time.time() if now is None else now)
        with accept.locked(folder):
            try:
                data = _read(new_release, limits)
                found = accept.check_next(folder, trust, str(new_release), data, moment)
                path = accept.list_path(folder, found.release.sha256)
                opened = cls._checked(found, data, trust, str(path))  # it can be, before it counts
                accept.commit(folder, found, data)
            except TrustError as error:
                raise TrustError(f"{new_release}: not accepted: {error}", error.kind) from None
            except OSError as error:
                raise ListError(
                    f"{error.filename or folder}: {error.strerror}; the update did not finish, "
                    "what opens is a whole list, the old one or the new: try again"
                ) from None
        return opened

    def share(self) -> int:
        """Return a descriptor by which other processes of the app open this list without a copy.

        It names sealed memory, made anew by each call, that lives until the last process is done
        with it. Hand it over as any descriptor (`pass_fds`, SCM_RIGHTS), and close it. Linux alone;
        elsewhere `ListError`.
        """
        return shared.seal(self._data)

    def is_stale(self, now: float | None = None) -> bool:
        """Tell whether its publisher wanted it to be replaced before *now*, POSIX seconds."""
        moment = time.time() if now is None else now
        return self.release is not None and self.release.use_until < moment

    def __len__(self) -> int:
        """Return the number of entries, the test card not counted."""
        return int(self._info["entries"]) - int(self._info["test_entries"])

    @property
    def is_demo(self) -> bool:
        """Whether the list holds harmless pictures, for demonstrations."""
        return bool(self._info["flags"] & DEMO)

    @property
    def info(self) -> dict[str, Any]:
        """Epoch, size in bytes, counts of entries, withdrawn ones and digests by kind."""
        return dict(self._info)

    @property
    def hashers(self) -> tuple[HasherInfo, ...]:
        """What pictures can be compared by."""
        return tuple(self.handle.hasher(i) for i in range(self._info["hashers"]))

    def entry(self, index: int) -> Entry:
        """Return one entry, 0-based."""
        return self.handle.entry(index)

    def text(self, kind: Text, key: int, language: str = "en") -> str:
        """Return one of the list's texts, in English where the language is missing; "" if none."""
        return self.handle.words(kind, key, language)
