"""Neural hashes of a picture's views: which views get one, and of which of their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doorsill.core import Resizer
    from doorsill.neural import Model

    Codes = tuple[tuple[bytes, bytes], ...]

MOST_VIEWS = 4
"""Views of a picture that get a neural hash, the first ones: the whole picture, as stored or
through its profile, over two grounds, without its border. PDQ's orientations come free, a neural
hash takes a few milliseconds, so 60 frames of a sticker would take half a second."""

MOST_CODES = 4
"""Neural hashes of one view, over all models and squares."""


def squares(rgb: bytes) -> Iterator[bytes]:
    """Yield the squares of a squashed view, 3 * side * side bytes each, that are hashed.

    The place for others, such as the mirrored one; borders are taken off before, by `images`.
    """
    yield rgb


class Coding:
    """Hashes the first views of one picture by the models given, none perhaps."""

    def __init__(self, models: Sequence[Model]) -> None:
        """Begin a picture."""
        self._models = models
        self._left = MOST_VIEWS

    def begin(self, width: int, height: int, mode: str, ground: str) -> list[Resizer]:
        """Return what squashes the pixels of the next view, for each model; nothing is owed."""
        if not self._left:
            return []
        return [model.resizer(width, height, mode, ground) for model in self._models]

    def end(self, resizers: Sequence[Resizer], check: Callable[[], None]) -> Codes:
        """Return (model digest, hash) pairs of a view whose rows have all come.

        A model that gives none is left out of it: the Gate sees that and says so.
        """
        codes: list[tuple[bytes, bytes]] = []
        if not resizers or not self._left:
            return ()
        self._left -= 1
        for model, resizer in zip(self._models, resizers, strict=True):
            for square in squares(resizer.end()):
                check()
                try:
                    codes.append((model.digest, model.code(square)))
                except ModelError:
                    break
        return tuple(codes[:MOST_CODES])
