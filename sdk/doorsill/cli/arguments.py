"""Types of the command line's arguments, whose errors say what would do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def whole(what: str, least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number; *what* says of what kind, in its errors."""
    bounds = f"of {least} or more" if most is None else f"in {least}..{most}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(
                f"{text!r} does not do; {what} is a whole number {bounds}"
            )
        return number

    return read


def plain(text: str) -> str:
    """Return a text that a list can hold; a terminal may send bytes that are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not text in UTF-8; type it anew") from None
    return text


def public_key(text: str) -> bytes:
    """Return a public key, 32 bytes that are not all zero."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32 or not any(key):  # noqa: PLR2004 - bytes of a key
        raise argparse.ArgumentTypeError(
            f"{text[:80]!r} does not do; a public key is 64 hex digits, as `keys new` prints it"
        )
    return key
