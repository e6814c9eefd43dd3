"""The grammar of `list seal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.cli.arguments import public_key, whole

if TYPE_CHECKING:
    from doorsill.cli.release_options import Commands, Make


def add(lists: Commands, command: Make) -> None:
    """Add it to the commands of `list`."""
    made = command(lists, "seal", "seal:seal", "write the sealed list of a list")
    add = made.add_argument
    add("list", metavar="L", help="a list made by `list build`; its PDQ rows are sealed")
    add("-o", "--output", required=True, metavar="S", help="written on where it stopped")
    add("--key", required=True, metavar="FILE", help="made by `keys new --role sealing`")
    add("--sealing-epoch", type=whole("a sealing epoch", 0, (1 << 32) - 1), default=0, metavar="N",
        help="number of the server's key (0); another one makes every row new")  # fmt: skip
    add("--token-key", type=public_key, default=bytes(32), metavar="HEX",
        help="public key of the issuer of tokens, if the server wants them")  # fmt: skip
    add("--jobs", type=whole("a number of processes", 1), metavar="N",
        help="processes; one for each core without it")  # fmt: skip
