"""What doorsill raises. A match is a value, never an exception; neither are bad pixels."""

from __future__ import annotations


class DoorsillError(Exception):
    """Base of all errors that doorsill raises on purpose."""


class ListError(DoorsillError):
    """A hash list cannot be used: missing, damaged, or written for a newer doorsill."""


class TrustError(ListError):
    """A release is not what the trust policy asks for, or the policy itself is none.

    Attributes:
        kind: "bad_trust", "bad_proof", "not_trusted" (too few signed), "other_policy",
            "other_list", "rolled_back" (older, or the log forked) or "stale".
    """

    def __init__(self, message: str, kind: str) -> None:
        """Say what is wrong, for people and for programs."""
        super().__init__(message)
        self.kind = kind


class RowsError(DoorsillError):
    """Rows or originals cannot be made into a hash list."""


class NotHashable(DoorsillError):
    """A hash was asked for of something that cannot be read as a picture."""


class Cancelled(DoorsillError):
    """The `cancel` event was set while a picture was being screened."""


class IsolationError(DoorsillError):
    """Pictures cannot be decoded in a caged process here; nothing weaker is used unasked."""


class ModelError(DoorsillError):
    """A neural hasher's model is missing, damaged, or not what a hasher's may be."""
