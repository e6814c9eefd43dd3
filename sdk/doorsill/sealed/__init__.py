"""Sealed lists: the device carries a list that it cannot read, and asks a server that sees nothing.

`native/SEALED.md` has the protocol, byte by byte. Nothing here opens a connection: the host gives a
function that carries a question to the sealing server and brings its answer.
"""

from doorsill.sealed.lists import SealedList
from doorsill.sealed.tokens import Tokens

__all__ = ["SealedList", "Tokens"]
