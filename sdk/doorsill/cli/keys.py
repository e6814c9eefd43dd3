"""`doorsill keys new`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.output import OK, clean, emit

if TYPE_CHECKING:
    import argparse


def new(args: argparse.Namespace) -> int:
    """Make a key, keep the private half to its owner, and show the line for a trust policy."""
    if args.role == "sealing":
        return _new_sealing(args)
    from doorsill.publish.keys import COSIGNER, LOG, Key  # noqa: PLC0415 - clients never load it
    from doorsill.releases import require_verifier  # noqa: PLC0415

    require_verifier()
    key = Key.new(args.name, LOG if args.role == "publisher" else COSIGNER)
    key.write(Path(args.output))
    word = "log" if args.role == "publisher" else f"witness {args.name.replace('/', '-')}"
    if args.json:
        emit({"path": args.output, "name": key.name, "role": args.role, "vkey": key.vkey})
    else:
        print(f"{clean(args.output)}: the private key, readable by you alone. Keep it offline.")
        print(f"The public half, as a line of a trust policy:\n{word} {key.vkey}")
    return OK


def _new_sealing(args: argparse.Namespace) -> int:
    """Make the secret of a sealing server, or of an issuer of tokens."""
    from doorsill.sealed.keys import TOKEN_INFO, new_seed  # noqa: PLC0415 - few seal
    from doorsill.sealed.oprf import Server, library  # noqa: PLC0415 - likewise

    library()
    key = Server(new_seed(Path(args.output)), TOKEN_INFO).public_key.hex()
    if args.json:
        emit({"path": args.output, "name": args.name, "role": args.role, "token_key": key})
    else:
        print(f"{clean(args.output)}: the secret key, readable by you alone. Who has it and one")
        print("client's list has the raw list.")
        print(f"For an issuer of tokens, its public half for `list seal --token-key`: {key}")
    return OK
