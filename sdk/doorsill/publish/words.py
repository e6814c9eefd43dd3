"""What a list says of itself: its publishers, categories and texts, and their numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorsill.errors import RowsError
from doorsill.lists import HashList, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_PUBLISHERS = 64  # bits of a class
_MOST_CATEGORIES = 1 << 16
CARD = "test card"
_LONGEST = 200  # characters of a name that comes with rows
_CARD_MESSAGE = "This is the harmless doorsill test card. Your list works."


@dataclass(frozen=True)
class Category:
    """What a person is told of one category; "" for the list's own words."""

    name: str = ""
    message: str = ""
    help_link: str = ""
    appeal_link: str = ""


@dataclass(frozen=True)
class ListWords:
    """What a list says of itself, in one language.

    Attributes:
        publisher: Who vouches for rows that do not say.
        category: Of rows that do not say.
        message: What a person is told, likewise the links, where a category has no own.
        publishers: Names of publishers by the id that rows have for them.
        categories: Words of categories by the name that rows have for them.
        epoch: The number of the release; None for the previous list's and one more, or 0.
        profile: How rows that do not say were hashed: "full", "cpp512" or "unknown".
        limit: The greatest PDQ distance that is a match, 0..64.
        quality: The least PDQ quality that is listed and compared, 0..100.
        flags: Of every entry, as in the header: 1 is `seed`, not yet reviewed.
        model: Name of the model whose hashes it holds beside PDQ's, "" for none.
    """

    name: str
    publisher: str
    category: str
    message: str = ""
    help_link: str = ""
    appeal_link: str = ""
    language: str = "en"
    publishers: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, Category] = field(default_factory=dict)
    demo: bool = False
    epoch: int | None = None
    profile: str = "unknown"
    limit: int = 31
    quality: int = 50
    flags: int = 0
    model: str = ""


def numbers(keys: Iterable[str], names: Mapping[str, str], before: Mapping[str, int], most: int
            ) -> dict[str, int]:  # fmt: skip
    """Return a number for each key: that of its name in the previous list, else the next free."""
    told = {key: before[names.get(key, key)] for key in keys if names.get(key, key) in before}
    free = (number for number in range(most) if number not in set(before.values()))
    try:
        for key in sorted(set(keys) - set(told)):
            told[key] = next(free)
    except StopIteration:
        raise RowsError(f"a list has room for {most} publishers or categories; build two") from None
    return told


@dataclass
class Numbered:
    """Publishers and categories with their numbers in one list."""

    words: ListWords
    publishers: dict[str, int]
    categories: dict[str, int]
    names: dict[str, str]

    @classmethod
    def of(
        cls,
        words: ListWords,
        publishers: set[str],
        categories: set[str],
        told: Mapping[str, str],
        previous: HashList | None,
    ) -> Numbered:
        """Number what the entries name; *told* has names that the sources give."""
        names = {key: words.publishers.get(key) or _fit(told.get(key) or key) for key in publishers}
        if len(set(names.values())) != len(names):
            raise RowsError("two publishers have one name; give each its own in the plan")
        category_names = {key: _category_name(words, key) for key in categories}
        if len(set(category_names.values())) != len(category_names):
            raise RowsError("two categories have one name; give each its own in the plan")
        return cls(
            words,
            numbers(publishers, names, _before(previous, Text.PUBLISHER), _MOST_PUBLISHERS),
            numbers(
                categories, category_names, _before(previous, Text.CATEGORY), _MOST_CATEGORIES - 1
            ),
            names,
        )

    @property
    def card(self) -> int:
        """The number of the test card's category."""
        return max(self.categories.values(), default=-1) + 1

    def texts(self) -> list[tuple[int, int, str, str]]:
        """Return the list's texts."""
        words = self.words
        texts = [(Text.LIST, 0, words.name)]
        texts += sorted((Text.PUBLISHER, number, self.names[key])
                        for key, number in self.publishers.items())  # fmt: skip
        for key, number in sorted(self.categories.items(), key=lambda pair: pair[1]):
            own = _category(words, key)
            texts += [
                (Text.CATEGORY, number, _category_name(words, key)),
                (Text.MESSAGE, number, own.message or words.message),
                (Text.HELP, number, own.help_link or words.help_link),
                (Text.APPEAL, number, own.appeal_link or words.appeal_link),
            ]
        texts += [(Text.CATEGORY, self.card, CARD), (Text.MESSAGE, self.card, _CARD_MESSAGE)]
        return [(kind, key, words.language, text) for kind, key, text in texts if text]


def _category(words: ListWords, key: str) -> Category:
    return words.categories.get(key, Category())


def _category_name(words: ListWords, key: str) -> str:
    return _category(words, key).name or _fit(key)


def _fit(name: str) -> str:
    """Return a name from a stranger's rows as a list may hold it."""
    return "".join(c if c.isprintable() else "?" for c in name)[:_LONGEST] or "unnamed"


def _before(previous: HashList | None, kind: Text) -> dict[str, int]:
    """Return the numbers of names in the previous list, the test card's category left out."""
    if previous is None:
        return {}
    count = previous.info["publishers" if kind == Text.PUBLISHER else "categories"]
    told = ((previous.text(kind, number), number) for number in range(count))
    return {name: number for name, number in told if name and name != CARD}
