"""Who may publish a list. Signed lists are to come; `Trust.none()` is the tier before them."""

from __future__ import annotations

from dataclasses import dataclass

_TIERS = ("none",)  # the weakest first


@dataclass(frozen=True)
class Trust:
    """What a list's publisher must show before the list is opened.

    Attributes:
        tier: "none": whoever can write the file decides what is in it.
    """

    tier: str

    def rank(self) -> int:
        """Return where the tier stands; the weakest is 0."""
        return _TIERS.index(self.tier)

    @classmethod
    def none(cls) -> Trust:
        """Return the tier that asks for nothing; verdicts say so."""
        return cls("none")
