"""Who may publish a list: `Trust`, a tlog-policy and the least tier that will do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doorsill import releases
from doorsill.errors import TrustError
from doorsill.files import read_small

if TYPE_CHECKING:
    import os

TIERS = releases.TIERS
_LEAST = "witnessed"


@dataclass(frozen=True)
class Trust:
    """What a list's publisher must show before the list is opened.

    Attributes:
        tier: The least that will do, or of an open list what it showed. "signed": by its publisher,
            safe against mirrors and networks. "witnessed": independent witnesses saw that everyone
            gets the same. "approved": approvers rebuilt and checked it, too. "none": whoever can
            write the file decides what is in it.
        policy: The text of the trust policy (tlog-policy); empty for "none".
        path: Where it was read from, for messages.
    """

    tier: str
    policy: bytes = b""
    path: str = ""

    def rank(self) -> int:
        """Return where the tier stands; the weakest is 0."""
        return TIERS.index(self.tier)

    @classmethod
    def none(cls) -> Trust:
        """Return the tier that asks for nothing; verdicts say so."""
        return cls("none")

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, tier: str = _LEAST) -> Trust:
        """Read a trust policy, which nothing ever writes to.

        Args:
            path: A text of the form c2sp.org/tlog-policy, with `log` lines, and with groups named
                `witnesses` and `approvers` for the tiers of these names.
            tier: The least that will do. Less than "witnessed" must be named.

        Raises:
            TrustError: It cannot be read, is no tlog-policy, or cannot show that tier; or PyNaCl,
                which verifies, is not installed.
        """
        if tier not in TIERS[1:]:
            raise TrustError(f"tier is one of {TIERS[1:]}, not {tier!r}", "bad_trust")
        releases.require_verifier()
        try:
            policy = read_small(path, releases.MAX_TRUST)
            releases.check_trust(policy, tier)
        except OSError as error:
            raise TrustError(
                f"{path}: {error.strerror}; name a trust policy", "bad_trust"
            ) from None
        except TrustError as error:
            raise TrustError(f"{path}: {error}", error.kind) from None
        return cls(tier, policy, str(path))

    def under(self, policy: bytes) -> Trust:
        """Return the same demand under the policy that took this one's place."""
        return replace(self, policy=policy)
