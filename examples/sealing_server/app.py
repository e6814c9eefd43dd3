"""A sealing server over HTTP: `python app.py --key sealing.key`; `--help` says the rest.

An ordinary ASGI app on Starlette, served by uvicorn. It logs that it started and that it failed,
never a question, an address or an account.
"""

from __future__ import annotations

import argparse
import shlex
import sqlite3
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from service import Issuing, Sealing
from spent import Ledger
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from doorsill.errors import DoorsillError
from doorsill.sealed import protocol, tokens
from doorsill.sealed.keys import parse_seed, read_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    Account = Callable[[Request], str | None]

_BINARY = "application/octet-stream"
_MOST_REQUEST = 16 + tokens.MOST * protocol.ELEMENT_BYTES


async def _body(request: Request, most: int) -> bytes:
    """Return the body, cut one byte behind *most*: then it is too long, whatever follows."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            break
    return bytes(body[: most + 1])


def bearer(request: Request) -> str | None:
    """Return who draws tokens: a stand-in for the messenger's own accounts."""
    kind, _, account = request.headers.get("authorization", "").partition(" ")
    return account if kind == "Bearer" and account else None


def make_app(
    sealing: Sealing | None, issuing: Issuing | None = None, account: Account = bearer
) -> Starlette:
    """Return an app that answers questions, issues tokens, or both (for trying it out)."""

    async def question(request: Request) -> Response:
        assert sealing is not None  # noqa: S101 - else there is no such route
        status, body = sealing.answer(await _body(request, protocol.QUESTION_BYTES))
        return Response(body, status, media_type=_BINARY)

    async def draw(request: Request) -> Response:
        assert issuing is not None  # noqa: S101 - likewise
        who = account(request)
        if who is None:
            return Response(b"", 401)
        status, body = issuing.issue(who, await _body(request, _MOST_REQUEST))
        return Response(body, status, media_type=_BINARY)

    routes = [Route("/question", question, methods=["POST"])] if sealing else []
    routes += [Route("/tokens", draw, methods=["POST"])] if issuing else []
    return Starlette(routes=routes)


def _seed(path: str | None, command: str | None) -> bytes:
    """Return the seed of a file, or of a command that asks a key service for it."""
    if command:
        told = subprocess.run(shlex.split(command), check=True, capture_output=True, text=True)
        return parse_seed(told.stdout)
    if not path:
        raise SystemExit("name the key: --key FILE or --key-command COMMAND")
    return read_seed(Path(path))


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="A sealing server.")
    add = made.add_argument
    add("--key", metavar="FILE", help="made by `doorsill keys new --role sealing`")
    add("--key-command", metavar="COMMAND", help="prints what such a file holds, from a KMS say")
    add("--epochs", default="0", metavar="N,M", help="sealing epochs that are answered (0)")
    add("--token-key", metavar="FILE", help="the issuer's key: ask for tokens")
    add("--issue", type=int, default=0, metavar="N",
        help="also issue N tokens a day to each account, for trying it out")  # fmt: skip
    add("--ledger", default=":memory:", metavar="FILE", help="spent tokens, for several processes")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8470)
    return made.parse_args()


def serve() -> None:
    """Run one process; a supervisor or load balancer runs as many as there are cores."""
    args = _options()
    try:
        app = _app(args)
    except (DoorsillError, OSError, ValueError, sqlite3.Error, subprocess.SubprocessError) as error:
        raise SystemExit(f"sealing server: {error}") from None
    uvicorn.run(app, host=args.host, port=args.port, access_log=False,
                log_level="warning", server_header=False, limit_concurrency=256)  # fmt: skip


def _app(args: argparse.Namespace) -> Starlette:
    """Return the app that was asked for, and print the public keys that its lists must name."""
    token_seed = read_seed(Path(args.token_key)) if args.token_key else None
    ledger = Ledger(args.ledger)
    epochs = [int(number) for number in args.epochs.split(",")]
    sealing = Sealing(_seed(args.key, args.key_command), epochs, token_seed, ledger)
    issuing = Issuing(token_seed, ledger, args.issue) if token_seed and args.issue else None
    for epoch in epochs:
        print(f"sealing epoch {epoch}: public key {sealing.public_key(epoch).hex()}", flush=True)
    return make_app(sealing, issuing)


if __name__ == "__main__":
    serve()
