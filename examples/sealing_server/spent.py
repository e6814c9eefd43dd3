"""The only state: which tokens were spent, and how many an account has drawn, for three days.

SQLite in memory, or in a file that the processes of one machine share. Behind a load balancer with
several machines put a shared store in its place: it is one "add if absent" a question.
"""

from __future__ import annotations

import sqlite3
import threading

_KEPT_DAYS = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (day INTEGER, nonce BLOB, PRIMARY KEY (day, nonce)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drawn (day INTEGER, account TEXT, count INTEGER,
                                  PRIMARY KEY (day, account)) WITHOUT ROWID;
"""


class Ledger:
    """May be used from any thread."""

    def __init__(self, path: str = ":memory:") -> None:
        """Open or make it."""
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = OFF")  # what a power cut loses is spent once more
        self._base.executescript(_SCHEMA)
        self._day = 0

    def close(self) -> None:
        """Let go of it."""
        self._base.close()

    def _forget(self, day: int) -> None:
        if day <= self._day:
            return
        self._day = day
        for table in ("spent", "drawn"):
            self._base.execute(f"DELETE FROM {table} WHERE day < ?", (day - _KEPT_DAYS,))  # noqa: S608 - of two names above

    def spend(self, day: int, nonce: bytes) -> bool:
        """Note a nonce; tell whether it is new."""
        with self._lock:
            self._forget(day)
            done = self._base.execute("INSERT OR IGNORE INTO spent VALUES (?, ?)", (day, nonce))
            return done.rowcount == 1

    def draw(self, day: int, account: str, count: int, share: int) -> bool:
        """Note that an account draws so many tokens; tell whether its share allows it."""
        with self._lock:
            self._forget(day)
            done = self._base.execute(
                "INSERT INTO drawn SELECT ?1, ?2, ?3 WHERE ?3 <= ?4 ON CONFLICT DO UPDATE "
                "SET count = count + ?3 WHERE count + ?3 <= ?4",
                (day, account, count, share),
            )
            return done.rowcount == 1
