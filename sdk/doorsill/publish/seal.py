"""Seals a hash list: of each PDQ row half stays in clear, the rest a server alone can open.

The bytes are `native/SEALED.md`'s. The same list, seed and sealing epoch give the same file, so that
an approver who has the seed rebuilds it, and so that a new release changes only what is new.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from doorsill.core import pdq_planes
from doorsill.errors import RowsError
from doorsill.files import write_atomically
from doorsill.limits import cores
from doorsill.lists import TEST, HashList
from doorsill.publish.sections import ID_BYTES, SECTION, Kind, ListFile
from doorsill.publish.write import assemble
from doorsill.sealed import protocol
from doorsill.sealed.lists import INFO, KIND_CLEAR, KIND_INFO, KIND_RECORDS, KIND_SLOTS, SealedList
from doorsill.sealed.oprf import Server
from doorsill.sealed.protocol import RECORD, ROW_BYTES, SLOTS
from doorsill.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["seal_list"]
