"""The folder in which a client keeps the release that it accepted: two names and one moment.

Lists, proofs and policies lie under names that say what they are; `accepted` alone changes, and
renaming it into place is the moment in which the next release takes over. Whatever stops an
update before it leaves the old release, whatever stops it after leaves the new one.
`native/FORMAT.md` has the files.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from doorsill import releases
from doorsill.errors import ListError, TrustError
from doorsill.files import PART, read_small, write_atomically
from doorsill.releases import MAX_PROOF, MAX_TRUST, OPEN_AGAIN, Accepted, Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from doorsill.trust import Trust

PROOF = ".tlog-proof"
_STATE = "accepted"
_FIRST_LINE = "doorsill-accepted/v1"
_KEYS = ("list", "size", "root", "sha256")
_MAX_STATE = 1024
_CHUNK = 1 << 20


class Link(NamedTuple):
    """A change of the trust policy: the new text, and the proof of the release that brought it."""

    version: int
    policy: bytes
    proof: bytes


class Checked(NamedTuple):
    """A release that holds, the policy that it holds under, and the links that led there."""

    release: Release
    proof: bytes
    policy: bytes
    links: list[Link]


def links_beside(prefix: str) -> Iterator[Link]:
    """Yield the links `PREFIX-2`, `PREFIX-3` and so on, as far as there are files."""
    version = 2
    while True:
        name = f"{prefix}-{version}"
        try:
            yield Link(version, read_small(name, MAX_TRUST), read_small(name + PROOF, MAX_PROOF))
        except FileNotFoundError:
            return
        version += 1


def check(  # noqa: PLR0913 - what a release is checked against, no less
    trust: Trust,
    proof: bytes,
    data: Any,
    links: Iterator[Link],
    *,
    last: Accepted | None = None,
    now: int = OPEN_AGAIN,
) -> Checked:
    """Return the checked release; links are walked only if it is under another policy than ours.

    *last* bounds links as well as the release: what was accepted has its own links behind it.

    Raises:
        TrustError: A rule does not hold.
    """
    policy, walked, behind = trust.policy, list[Link](), last
    while True:
        try:
            found = releases.check_release(policy, trust.tier, proof, data, last, now)
        except TrustError as error:  # noqa: PERF203 - a link or two, in years
            if error.kind not in {"other_policy", "not_trusted"}:
                raise
            step = _step(trust, policy, links, behind)
            if step is None:
                raise
            policy, behind = step[0].policy, step[1].accepted()
            walked.append(step[0])
        else:
            return Checked(found, proof, policy, walked)


def _step(trust: Trust, policy: bytes, links: Iterator[Link],
          behind: Accepted | None) -> tuple[Link, Release] | None:  # fmt: skip
    """Return the next link that leads on from *policy*; those that led up to it are passed by."""
    for link in links:
        try:
            release = releases.check_link(policy, link.policy, trust.tier, link.proof, behind)
        except TrustError as error:
            if error.kind in {"other_policy", "not_trusted"}:
                continue
            raise TrustError(f"the link to policy {link.version}: {error}", error.kind) from None
        return link._replace(version=release.policy_version), release
    return None


def folder_of(path: str | os.PathLike[str]) -> Path:
    """Return the folder of that name."""
    from pathlib import Path  # noqa: PLC0415 - a tenth of a start, and unsigned lists lie in no folder

    return Path(path)


def read_state(folder: Path) -> tuple[str, Accepted] | None:
    """Return which list the folder keeps and what was accepted last; None in an empty folder.

    Raises:
        TrustError: The file does not say it: nothing is guessed.
    """
    try:
        lines = read_small(folder / _STATE, _MAX_STATE).decode().splitlines()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        lines = []
    fields = [line.partition(" ") for line in lines[1:]]
    if lines[:1] == [_FIRST_LINE] and tuple(key for key, _, _ in fields) == _KEYS:
        name, size, root, sha256 = (value for _, _, value in fields)
        try:
            accepted = Accepted(int(size), bytes.fromhex(root), bytes.fromhex(sha256))
        except ValueError:
            accepted = Accepted(0, b"", b"")
        if accepted.size > 0 and len(accepted.root) == len(accepted.sha256) == 32:  # noqa: PLR2004
            return name, accepted
    raise TrustError(f"{folder / _STATE}: damaged; remove the folder and accept the list that came "
                     "with the app again", "bad_proof")  # fmt: skip


def list_path(folder: Path, sha256: bytes) -> Path:
    """Return where the list with this digest lies."""
    return folder / f"list-{sha256.hex()}.dsl"


def kept_links(folder: Path) -> Iterator[Link]:
    """Yield the links that this client has walked before, in order."""
    kept = (path.name.removeprefix("policy-") for path in folder.glob("policy-*"))
    for version in sorted(int(number) for number in kept if number.isdigit()):
        name = folder / f"policy-{version}"
        yield Link(version, read_small(name, MAX_TRUST), read_small(f"{name}{PROOF}", MAX_PROOF))


def check_next(folder: Path, trust: Trust, new: str, data: Any, now: int) -> Checked:
    """Return the checked release, which may take the place of the one in the folder.

    Raises:
        TrustError: It may not.
    """
    state = read_state(folder)
    last = state[1] if state else None
    proof = read_small(new + PROOF, MAX_PROOF)
    walked: list[Link] = []
    if last:
        # Our own links first, up to the policy of the release that we have. If that is damaged,
        # or the app has come with a newer policy, the new release must hold under the app's alone.
        with suppress(TrustError, OSError):
            own = check(trust, _kept_proof(folder, last), None, kept_links(folder))
            walked, trust = own.links, trust.under(own.policy)
    found = check(trust, proof, data, links_beside(new + ".policy"), last=last, now=now)
    if state and found.release.list != state[0]:
        raise TrustError(
            f"{folder}: keeps the list {state[0]}, and this is one of "
            f"{found.release.list}; give each list its folder",
            "other_list",
        )
    return found._replace(links=walked + found.links)


def _kept_proof(folder: Path, last: Accepted) -> bytes:
    return read_small(f"{list_path(folder, last.sha256)}{PROOF}", MAX_PROOF)


def commit(folder: Path, checked: Checked, data: Any) -> None:
    """Make a checked release the accepted one. `OSError` leaves the one before."""
    release = checked.release
    path = list_path(folder, release.sha256)
    if not _holds(path, data):
        write_atomically(path, data)
    write_atomically(folder / f"{path.name}{PROOF}", checked.proof)
    for link in checked.links:
        write_atomically(folder / f"policy-{link.version}{PROOF}", link.proof)
        write_atomically(folder / f"policy-{link.version}", link.policy)
    values = (release.list, release.epoch + 1, release.root.hex(), release.sha256.hex())
    lines = [f"{key} {value}\n" for key, value in zip(_KEYS, values, strict=True)]
    write_atomically(folder / _STATE, f"{_FIRST_LINE}\n{''.join(lines)}".encode())
    _sweep(folder, path.name)


def _holds(path: Path, data: Any) -> bool:
    """Tell whether a file holds these bytes already."""
    view = memoryview(data)
    try:
        with path.open("rb") as file:
            parts = all(file.read(_CHUNK) == view[at : at + _CHUNK]
                        for at in range(0, len(view), _CHUNK))  # fmt: skip
            return parts and not file.read(1)
    except OSError:
        return False


def _sweep(folder: Path, name: str) -> None:
    """Remove older lists, and what a crash left half written; what stays goes the next time."""
    with suppress(OSError):
        for path in folder.iterdir():
            old = path.name.startswith("list-") and path.name not in {name, name + PROOF}
            if old or path.name.startswith(PART):
                path.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder while a release is accepted into it; a second updater waits for its turn.

    The system lets go of the lock when its holder ends, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ListError(f"{folder}: {error.strerror}; nothing was accepted, name a folder that can "
                        "be written to") from None  # fmt: skip
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        import msvcrt  # noqa: PLC0415 - only there

        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
