"""`ListSet`: the lists of one moment, and the models that pictures are hashed by for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorsill.lists import HashList
    from doorsill.models import Models


class ListSet(NamedTuple):
    """Lists with their models: swapped in one assignment, so that no reading mixes two sets.

    Attributes:
        lists: What a picture is compared with.
        models: What neural hashes of it are made by; None where no list asks for one.
    """

    lists: tuple[HashList, ...] = ()
    models: Models | None = None

    @classmethod
    def of(cls, lists: Iterable[HashList], before: Models | None = None) -> ListSet:
        """Return these lists with their models, those that are open already where they will do."""
        new = tuple(lists)
        pinned = asked(new)
        if not pinned:
            return cls(new)
        if before is not None and before.asked == pinned.keys() and not before.lacking:
            return cls(new, before)
        from doorsill.models import Models  # noqa: PLC0415 - few lists ask for one

        return cls(new, Models.wanted((name, digest) for digest, name in pinned.items()))

    @property
    def has_sealed(self) -> bool:
        """Whether a sealing server is to be asked."""
        return any(each.is_sealed for each in self.lists)


def asked(lists: Iterable[HashList]) -> dict[bytes, str]:
    """Return the names of the models that lists ask for, by digest."""
    return {bytes.fromhex(hasher.model): hasher.name for each in lists for hasher in each.hashers
            if hasher.model}  # fmt: skip
