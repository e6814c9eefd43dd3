"""A client with a sealed list: `python client.py sealed.dsl http://127.0.0.1:8470 photo.jpg...`.

The SDK opens no connection; the few lines that do are here, in the host.
"""

from __future__ import annotations

import argparse
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from doorsill import Gate, SealedList, Trust
from doorsill.sealed import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 5


def carrier(url: str, **headers: str) -> Callable[[bytes], bytes]:
    """Return a function that posts a message and returns what came back, refusals too."""

    def carry(message: bytes) -> bytes:
        request = urllib.request.Request(url, message, headers)  # noqa: S310 - the host's own URL
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - likewise
                return bytes(answer.read(1 << 20))
        except urllib.error.HTTPError as refusal:
            return bytes(refusal.read(1 << 20))

    return carry


def main() -> None:
    """Screen pictures and print the verdicts."""
    parser = argparse.ArgumentParser(description="Screen pictures by a sealed list.")
    parser.add_argument("list")
    parser.add_argument("server")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--account", help="draw tokens by this name first")
    args = parser.parse_args()
    sealed = SealedList.open(args.list, Trust.none())
    tokens = Tokens()
    if args.account:
        request = tokens.request(sealed, len(args.pictures))
        bearer = carrier(f"{args.server}/tokens", Authorization=f"Bearer {args.account}")
        tokens.take(request, bearer(request.message))
    sealed.served_by(carrier(f"{args.server}/question"), tokens)
    with Gate(sealed) as gate:
        for picture in args.pictures:
            verdict = gate.screen(picture)
            print(f"{picture}: {verdict.outcome.value}, {verdict.action.value}. {verdict.reason}")


if __name__ == "__main__":
    main()
