"""`doorsill hash` and `doorsill compare`: the hashes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.cli_files import walk
from doorsill.cli_output import OK, TROUBLE, Progress, clean, complain, emit, table

if TYPE_CHECKING:
    import argparse

_QUALITY = 50  # PDQ's gate: below it unrelated pictures collide


def hash_files(args: argparse.Namespace) -> int:
    """Print the PDQ hash of each file."""
    from doorsill.errors import NotHashable  # noqa: PLC0415 - commands load what they use
    from doorsill.hashes import hash_image  # noqa: PLC0415

    files, broken = walk(args.paths)
    progress = Progress(len(files))
    for path in progress.over(files):
        try:
            made = hash_image(path, args.profile)
        except NotHashable as error:
            progress.clear()
            complain(f"{_named(path, error)}; name a picture that opens")
            broken += 1
            continue
        progress.clear()
        if args.json:
            emit({"path": path, "hasher": made.hasher, "profile": made.profile, "hash": made.hex,
                  "quality": made.quality})  # fmt: skip
        else:
            print(f"{made.hex}  {made.quality:3}  {clean(path)}")
    return TROUBLE if broken else OK


def _named(path: str, error: Exception) -> str:
    text = str(error)
    return text.replace(f"{path} cannot", f"{path}: it cannot", 1) if text.startswith(path) else f"{path}: {text}"


def compare(args: argparse.Namespace) -> int:
    """Print how far two pictures are apart."""
    from doorsill.hashes import hash_image  # noqa: PLC0415
    from doorsill.policy import Policy  # noqa: PLC0415

    first, second = (hash_image(path, args.profile) for path in (args.a, args.b))
    distance, limit = first.distance(second), Policy().pdq_limit
    within, clear = distance <= limit, min(first.quality, second.quality) >= _QUALITY
    if args.json:
        both = [{"path": path, "hash": made.hex, "quality": made.quality}
                for path, made in ((args.a, first), (args.b, second))]  # fmt: skip
        emit({"hasher": "pdq", "profile": args.profile, "distance": distance, "limit": limit, "within": within,
              "enough_detail": clear, "pictures": both})  # fmt: skip
        return OK
    table(("hash", "quality", "picture"),
          [(made.hex, made.quality, path) for path, made in ((args.a, first), (args.b, second))])  # fmt: skip
    says = "within the usual limit: the same picture, or nearly" if within else "beyond the usual limit"
    print(f"  {distance} of 256 bits differ; {says} ({limit})")
    if not clear:
        print(f"  A quality under {_QUALITY} is too little detail; unrelated pictures can be this near.")
    return OK
