"""From the paths of a command line to files and an open gate."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from doorsill.cli.output import complain, paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorsill.gate import Gate
    from doorsill.lists import HashList
    from doorsill.trust import Trust


def walk(paths: Sequence[str]) -> tuple[list[str], int]:
    """Return the files that *paths* name, and how many folders could not be read.

    Folders are walked to the bottom in sorted order; links to folders are not followed, so
    that a walk ends.
    """
    files: list[str] = []
    broken: list[OSError] = []
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - names are kept as they were typed
            files.append(path)
            continue
        for folder, folders, names in os.walk(path, onerror=broken.append):
            folders.sort()
            files += [os.path.join(folder, name) for name in sorted(names)]  # noqa: PTH118
    for error in broken:
        complain(f"{error.filename}: {error.strerror}; check its permissions")
    return files, len(broken)


def demo_list() -> HashList:
    """Open the DEMO list inside the package."""
    from importlib.resources import files  # noqa: PLC0415 - hosts never need it

    from doorsill.lists import HashList  # noqa: PLC0415 - commands load what they use
    from doorsill.trust import Trust  # noqa: PLC0415

    data = files("doorsill").joinpath("data", "demo.dsl").read_bytes()
    return HashList(data, Trust.none(), path="the DEMO list")


def open_lists(
    paths: Sequence[str], policy: str | None = None, tier: str | None = None
) -> list[HashList]:
    """Open the named lists, or the DEMO list, which is then announced loudly on stderr.

    With a trust policy they must be signed; without one that is said loudly.
    """
    from doorsill.lists import HashList  # noqa: PLC0415

    trust = asked_trust(paths, policy, tier)
    if paths:
        lists = [HashList.open(path, trust) for path in paths]
        if policy is None and not all(each.is_demo for each in lists):
            warning = "UNSIGNED: whoever can write a list decides what is in it. See --trust."
            print(paint(warning, "yellow", stream=sys.stderr), file=sys.stderr)
        return lists
    warning = "NO LIST GIVEN: comparing with the built-in DEMO list of harmless pictures."
    print(paint(warning, "bold", "yellow", stream=sys.stderr), file=sys.stderr)
    print("It finds nothing that matters. Name a real list with --list FILE.", file=sys.stderr)
    return [demo_list()]


def asked_trust(paths: Sequence[str], policy: str | None, tier: str | None) -> Trust:
    """Return what --trust and --tier ask for; what asks for something is never passed over.

    Raises:
        DoorsillError: --tier without --trust, --trust without a list or without a name, as an unset
            variable of a shell gives it.
    """
    from doorsill.errors import DoorsillError  # noqa: PLC0415
    from doorsill.trust import Trust  # noqa: PLC0415

    if policy is None:
        if tier is not None:
            raise DoorsillError(f"--tier {tier} needs --trust; name the trust policy, too")
        return Trust.none()
    if not policy:
        raise DoorsillError("--trust is empty; name a trust policy, or leave it out")
    if not paths:
        raise DoorsillError(f"--trust {policy} needs --list; name the lists that it says who signs")
    return Trust.load(policy, tier=tier or "witnessed")


def complain_of_stale(lists: Iterable[HashList]) -> None:
    """Say which lists their publishers wanted to be replaced by now."""
    for each in lists:
        if each.release is not None and each.is_stale():
            from doorsill.cli.sign import stamp  # noqa: PLC0415

            until = stamp(each.release.use_until)
            complain(f"{each.path or each.name}: past its use_until of {until}; it goes on "
                     "matching, fetch the newest release")  # fmt: skip


def open_gate(
    paths: Sequence[str], isolation: str, policy: str | None = None, tier: str | None = None
) -> Gate:
    """Return a gate before the named lists, or before the DEMO list."""
    from doorsill.gate import Gate  # noqa: PLC0415

    return Gate(open_lists(paths, policy, tier), isolation=isolation)
