"""What a screening says: `Verdict`, and the words that it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Outcome(str, Enum):
    """What was found out about a picture."""

    CLEAR = "clear"
    """No entry of the lists is near."""
    MATCH = "match"
    """An entry matches."""
    UNHASHABLE = "unhashable"
    """Too little detail for a perceptual hash; digests were compared."""
    UNREADABLE = "unreadable"
    """Claims to be a picture and cannot be read in full."""
    OUT_OF_SCOPE = "out_of_scope"
    """Not a picture: only digests were compared."""


class Evidence(str, Enum):
    """What a match rests on; the members stand in order, the weakest first."""

    NONE = "none"
    """There is no match."""
    CONTRADICTED = "contradicted"
    """Near by one hash; a second hash exists and disagrees."""
    NEURAL_ONLY = "neural_only"
    """Near by the neural hash alone."""
    SINGLE = "single"
    """PDQ, md5 or sha1 alone, where no second hash was compared."""
    AGREED = "agreed"
    """PDQ and the neural hash, for the same entry."""
    EXACT = "exact"
    """The same file: sha256, or sha1 and md5 of one entry together."""


class Action(str, Enum):
    """What the policy asks the host to do; the mildest first."""

    SEND = "send"
    """Nothing stands against sending it."""
    WARN = "warn"
    """Not to be sent until the person confirms, in neutral words."""
    BLOCK = "block"
    """Not to be sent."""


# The members stand in the order of the header's numbers (tests/test_structure.py holds them to it).
OUTCOMES = tuple(Outcome)
EVIDENCE = tuple(Evidence)
ACTIONS = tuple(Action)


@dataclass(frozen=True)
class Match:
    """One entry of one list that a picture matched, on its strongest evidence.

    Attributes:
        list: The list's name.
        entry: The publisher's id of the entry, 12 hex digits.
        category: The category's name.
        publisher: Names of all publishers that vouch for the entry, joined by ", ".
        hasher: "pdq" or a model's name; for digests "sha256", "sha1+md5", "sha1" or "md5".
        profile: How the picture was hashed, "full" or "cpp512"; "" for digests.
        distance: Hamming distance in bits; 0 for digests.
        evidence: What this match rests on.
        action: What the policy says of this match alone.
        view: Which reading of the picture matched; "" for digests.
        test: Whether the entry is the published test card.
        epoch: Number of the list's release.
        help: An https link to help, in the list's English or first language; "" if it has none.
        appeal: Likewise, where to appeal.
    """

    list: str
    entry: str
    category: str
    publisher: str
    hasher: str
    profile: str
    distance: int
    evidence: Evidence
    action: Action
    view: str
    test: bool
    epoch: int = 0
    help: str = ""
    appeal: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer to one screening.

    Attributes:
        outcome: What was found out.
        action: What the policy asks the host to do.
        evidence: What the match that decided rests on.
        reason: The rule that decided, or what could not be read, in one plain sentence.
        matches: At most 16, the one that decided first.
        quality: PDQ's quality of the best view, 0..100.
        coverage: What was compared, such as ("sha256", "sha1", "md5", "pdq: as shown").
        protection: What stood between the decoder and the host: "worker" is a caged process,
            "inline" nothing, as also where the host gave pixels that it had decoded itself.
        trust: The weakest tier among the lists; "none" for unsigned ones.
        milliseconds: How long it took.
        sha256: Of the bytes that the verdict lets the host send, in hex: of `canonical` where
            there is one, else of the file; "" where the host gave pixels. What has another was not
            screened, such as a file that was changed in the meantime.
        canonical: What most viewers show of the file, encoded anew as a JPEG or a PNG without
            metadata, if that was asked for; the verdict then speaks of it and no longer of
            unread parts of the file. None for animations, decoded pixels, and whatever is no
            picture or could not be decoded.
        unchecked: What a list asks for and could not be compared, and why, such as "lintel:
            doorsill-models is not installed"; the rest of the list was searched all the same.
        stale: Whether a list is past its `use_until`: it went on matching, and should be replaced.
    """

    outcome: Outcome
    action: Action
    evidence: Evidence
    reason: str
    matches: tuple[Match, ...]
    quality: int
    coverage: tuple[str, ...]
    protection: str
    trust: str
    milliseconds: float
    sha256: str = ""
    canonical: bytes | None = field(default=None, repr=False)
    stale: bool = False
    unchecked: tuple[str, ...] = ()

    def receipt(self) -> str:
        """Return a plain text for the person, if they ask for one: theirs to save, kept nowhere.

        It says what stopped the picture and where help and appeal are. It holds no picture, no
        hash and no distance, and nothing of it leaves the device unless they send it.
        """
        from doorsill.receipt import receipt  # noqa: PLC0415 - few ask

        return receipt(self)
