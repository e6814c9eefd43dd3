"""Neural hashes of a picture's views: which views get one, and of which of their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorsill.core import Resizer
from doorsill.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from doorsill.neural import Model

    Codes = tuple[tuple[bytes, bytes], ...]

MOST_VIEWS = 6
"""Views of a picture that get a neural hash, the first ones: the whole picture, as stored or
through its profile, over two grounds, without its border, the parts of a page. PDQ's orientations
come free, a neural hash takes a few milliseconds, so 60 frames of a sticker would take half a
second."""

MOST_CODES = 8
"""Neural hashes of one view, over all models; of an original eight by one model."""


class Coding:
    """Hashes the first views of one picture by the models given, none perhaps.

    Pixels are squashed with the view; the models run once the picture is gone, so that both are
    never in memory together, and what a model keeps does not lie behind a hole of 50 MB.
    """

    def __init__(self, models: Sequence[Model] = (), *, margins: bool = False) -> None:
        """Begin a picture; *margins* says whether PDQ hashes are wanted with theirs."""
        self.margins = margins
        self._models = models
        self._left = MOST_VIEWS
        self._first = True
        self._waiting: list[tuple[int, list[list[bytes]]]] = []

    def again(self) -> Coding:
        """Return one for another picture."""
        return Coding(self._models, margins=self.margins)

    def begin(self, width: int, height: int, mode: str, ground: str) -> list[Resizer]:
        """Return what squashes the pixels of the next view, for each model; nothing is owed.

        Of an original's first view a second, larger square is wanted, for `remains`.
        """
        if not self._left:
            return []
        found = [model.resizer(width, height, mode, ground) for model in self._models]
        if self._first and self._models and self._models[0].originals:
            side = 2 * self._models[0].config.side
            found.append(Resizer(width, height, mode, side, ground))
        self._first = False
        return found

    def take(self, place: int, resizers: Sequence[Resizer]) -> None:
        """Keep the squashed pixels of the view at that place, whose rows have all come.

        Flat ones have no hash and take no other view's turn: a stranger could put six before his.
        """
        if resizers and self._left:
            squares = [[resizer.end()] for resizer in resizers[: len(self._models)]]
            for larger in resizers[len(self._models) :]:
                from doorsill.images.remains import remains  # noqa: PLC0415 - Pillow is there by now

                squares[0] += remains(larger.end(), larger.side, larger.aspect)
            detailed = [
                [square for square in each if not model.is_flat(square)]
                for model, each in zip(self._models, squares, strict=True)
            ]
            if any(detailed):
                self._left -= 1
                self._waiting.append((place, detailed))

    def finish(self, check: Callable[[], None], *, early: bool) -> Iterator[tuple[int, Codes]]:
        """Yield places and hashes of the views that wait; *early* none that another may join."""
        while self._waiting and not (early and self._left):
            place, squares = self._waiting.pop(0)
            yield place, self._codes(squares, check)

    def _codes(self, squares: list[list[bytes]], check: Callable[[], None]) -> Codes:
        """Return (model digest, hash) pairs.

        A model that gives none is left out of them: the Gate sees that and says so.
        """
        codes: list[tuple[bytes, bytes]] = []
        for model, each in zip(self._models, squares, strict=True):
            for square in each:
                check()
                try:
                    codes.append((model.digest, model.code(square)))
                except ModelError:
                    break
        return tuple(codes[:MOST_CODES])
