"""The host's rules: which evidence and which outcome leads to which action."""

from __future__ import annotations

from dataclasses import dataclass, field

from doorsill.verdict import Action, Evidence, Outcome


@dataclass(frozen=True)
class Policy:
    """What to do on each evidence and outcome; the host has the last word.

    A publisher can lower an action for its entries, never raise one.

    Attributes:
        exact: The same file as an entry.
        agreed: PDQ and the neural hash agree on an entry. Warns, for who has the model can make a
            harmless picture meet both: lintel's card says how often that succeeds.
        single: One hash, and no second one was compared. Where others of a picture's views were
            compared by both, a view that was not leads to no more than `agreed`.
        neural_only: The neural hash alone.
        contradicted: A second hash exists and disagrees.
        unreadable: Some part of the picture could not be read.
        unhashable: Too little detail to be compared.
        out_of_scope: Not a picture.
        stale: A list is past its `use_until`; what else was found can only ask for more.
        pdq_limit: No PDQ distance above this is a match, whatever a list says; 0..64 bits.
        quenched: Ids (12 hex digits) of entries that this host ignores, at once.
    """

    exact: Action = Action.BLOCK
    agreed: Action = Action.WARN
    single: Action = Action.BLOCK
    neural_only: Action = Action.WARN
    contradicted: Action = Action.WARN
    unreadable: Action = Action.WARN
    unhashable: Action = Action.SEND
    out_of_scope: Action = Action.SEND
    stale: Action = Action.SEND
    pdq_limit: int = 31
    quenched: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse what the core would refuse, with words."""
        if not 0 <= self.pdq_limit <= 64:  # noqa: PLR2004 - a quarter of PDQ's 256 bits
            raise ValueError(f"pdq_limit is {self.pdq_limit}; it must lie in 0..64")
        for entry in self.quenched:
            if len(entry) != 12 or not set(entry) <= set("0123456789abcdef"):  # noqa: PLR2004
                raise ValueError(f"quenched holds {entry!r}; an id is 12 lower-case hex digits")

    @classmethod
    def cautious(cls) -> Policy:
        """Return the usual rules, but one hash alone only warns."""
        return cls(single=Action.WARN)

    @classmethod
    def strict(cls) -> Policy:
        """Return the usual rules, but what cannot be read is held back."""
        return cls(unreadable=Action.BLOCK)

    def on_evidence(self) -> tuple[Action, ...]:
        """Return the actions in the order of `Evidence`."""
        return (Action.SEND, *(getattr(self, e.value) for e in Evidence if e != Evidence.NONE))

    def on_outcome(self) -> tuple[Action, ...]:
        """Return the actions in the order of `Outcome`; a match is decided by its evidence."""
        fixed = {Outcome.CLEAR: Action.SEND, Outcome.MATCH: Action.SEND}
        return tuple(fixed.get(o) or getattr(self, o.value) for o in Outcome)
