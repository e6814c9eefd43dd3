"""The grammar of `list seal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorsill.cli.release_options import Commands, Make


def add(lists: Commands, command: Make) -> None:
    """Add it to the commands of `list`."""
    made = command(lists, "seal", "seal:seal", "write the sealed list of a list")
    add = made.add_argument
    add("list", metavar="L", help="a list made by `list build`; its PDQ rows are sealed")
    add("-o", "--output", required=True, metavar="S", help="written on where it stopped")
    add("--key", required=True, metavar="FILE", help="made by `keys new --role sealing`")
    add("--sealing-epoch", type=_epoch, default=0, metavar="N",
        help="number of the server's key (0); another one makes every row new")  # fmt: skip
    add("--token-key", type=_public_key, default=bytes(32), metavar="HEX",
        help="public key of the issuer of tokens, if the server wants them")  # fmt: skip
    add("--jobs", type=_jobs, metavar="N", help="processes; one for each core without it")


def _epoch(text: str) -> int:
    epoch = int(text)
    if not 0 <= epoch < 1 << 32:
        raise ValueError
    return epoch


def _jobs(text: str) -> int:
    jobs = int(text)
    if jobs < 1:
        raise ValueError
    return jobs


def _public_key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32 or not any(key):  # noqa: PLR2004 - bytes of a key
        raise ValueError
    return key
