"""`doorsill hash` and `doorsill compare`: the hashes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.cli.files import walk
from doorsill.cli.output import OK, TROUBLE, Progress, clean, complain, emit, table

if TYPE_CHECKING:
    import argparse

    from doorsill.hashes import Hash

_QUALITY = 50  # PDQ's gate: below it unrelated pictures collide


def _hashed(path: str, profile: str) -> Hash | None:
    """Return the hash of a picture, or complain and return None."""
    from doorsill.errors import NotHashable  # noqa: PLC0415 - commands load what they use
    from doorsill.hashes import hash_image  # noqa: PLC0415

    try:
        return hash_image(path, profile)
    except NotHashable as error:
        complain(error)
        return None


def hash_files(args: argparse.Namespace) -> int:
    """Print the PDQ hash of each file."""
    files, broken = walk(args.paths)
    if not files and not broken:
        complain(f"{', '.join(args.paths)}: no file is in there; name a folder with pictures")
        return TROUBLE
    progress = Progress()
    for path in progress.over(files):
        made = _hashed(path, args.profile)
        progress.clear()
        if made is None:
            broken += 1
        elif args.json:
            emit({"path": path} | _fields(made))
        else:
            print(f"{made.hex}  {made.quality:3}  {clean(path)}")
    return TROUBLE if broken else OK


def _fields(made: Hash) -> dict[str, str | int]:
    return {
        "hasher": made.hasher,
        "profile": made.profile,
        "hash": made.hex,
        "quality": made.quality,
    }


def compare(args: argparse.Namespace) -> int:
    """Print how far two pictures are apart."""
    from doorsill.policy import Policy  # noqa: PLC0415

    first, second = _hashed(args.a, args.profile), _hashed(args.b, args.profile)
    if first is None or second is None:
        return TROUBLE
    pair = ((args.a, first), (args.b, second))
    distance, limit = first.distance(second), Policy().pdq_limit
    within, enough = distance <= limit, min(first.quality, second.quality) >= _QUALITY
    if args.json:
        said = {"distance": distance, "limit": limit, "within": within, "enough_detail": enough}
        emit(said | {"pictures": [{"path": path} | _fields(made) for path, made in pair]})
        return OK
    table(("hash", "quality", "picture"), [(made.hex, made.quality, path) for path, made in pair])
    near = "within the usual limit" if within else "beyond the usual limit"
    print(f"  {distance} of 256 bits differ, {near} of {limit}")
    if not enough:
        print(f"  Under quality {_QUALITY} there is too little detail to tell: unrelated pictures")
        print("  can be as near as this.")
    return OK
