"""Makes list.dsl, a small list with every kind of section: python make_list.py.

The C tests cut and bend it, pytest reads it back; see README.md.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from doorsill.core import DIGESTS
from doorsill.lists import SEED, TEST, Text
from doorsill.publish.write import Contents, HasherRows, write_list


def value(name: str, size: int) -> bytes:
    """Return bytes that look random and are the same everywhere."""
    return hashlib.shake_128(name.encode()).digest(size)


def contents() -> Contents:
    """Return the list: 70 entries, more than one block of a search and not a multiple of it."""
    made = Contents(epoch=7)
    for entry in range(70):
        flags = TEST if entry == 69 else SEED if entry % 10 == 3 else 0
        made.add_entry((entry % 2, flags, 1 + (entry % 3 == 0) * 2), value(f"id {entry}", 6))
    full = HasherRows("pdq", "full")
    unknown = HasherRows("pdq", "unknown", limit=20)
    neural = HasherRows("example-model", "full", width=384, limit=60, quality=0,
                        model=value("model", 32))  # fmt: skip
    made.hashers = [full, unknown, neural]
    for entry in range(70):
        full.hashes += value(f"full {entry}", 32)
        full.entries.append(entry)
    for row in range(40):  # two frames for each of 20 entries
        unknown.hashes += value(f"unknown {row}", 32)
        unknown.entries.append(row // 2 + 30)
    for entry in range(0, 70, 2):
        neural.hashes += value(f"neural {entry}", 48)
        neural.entries.append(entry)
    for kind in DIGESTS:
        made.digests[kind] = [(hashlib.new(kind, b"file %d" % e).digest(), e) for e in range(5)]
    made.texts = [
        (Text.LIST, 0, "en", "vector list"),
        (Text.LIST, 0, "de", "Prüfliste"),
        (Text.PUBLISHER, 0, "en", "publisher A"),
        (Text.CATEGORY, 0, "en", "even"),
        (Text.CATEGORY, 1, "en", "odd"),
        (Text.HELP, 0, "en", "https://example.org/help"),
    ]
    made.withdrawn = [(value("gone", 6), 5)]
    return made


if __name__ == "__main__":
    write_list(Path(__file__).with_name("list.dsl"), contents())
