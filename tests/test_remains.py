"""What edits leave of an original: the squares that a list holds beside the whole."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from doorsill.coding import MOST_CODES, Coding
from doorsill.core import Resizer
from doorsill.images.remains import remains
from drawn import scene

SIDE = 96


def _squashed(image: Image.Image, side: int) -> bytes:
    resizer = Resizer(image.width, image.height, "RGB", side)
    resizer.rows(image.tobytes(), 3 * image.width, image.height)
    return resizer.end()


def _apart(one: bytes, other: bytes) -> float:
    """Return the mean difference in levels, the outermost pixels aside."""
    a, b = (
        np.frombuffer(each, np.uint8).reshape(SIDE, SIDE, 3).astype(int) for each in (one, other)
    )
    return float(np.abs(a - b)[4:-4, 4:-4].mean())


@pytest.mark.parametrize("size", [(640, 480), (300, 520), (400, 400)])
def test_they_are_the_edits_of_the_picture_itself(size: tuple[int, int]) -> None:
    """Squares made of the squashed picture are those of the picture turned and cropped."""
    image = scene(size)
    found = list(remains(_squashed(image, 2 * SIDE), 2 * SIDE, size[0] / size[1]))
    naive = [image.rotate(each, Image.Resampling.BICUBIC, expand=True) for each in (-12, 12)]
    w, h = (round(0.14 * each) for each in size)
    naive.append(image.crop((w, h, size[0] - w, size[1] - h)))
    w, h = (round(0.22 * each) for each in size)
    naive += [image.crop((x, y, x + size[0] - w, y + size[1] - h)) for y in (0, h) for x in (0, w)]

    nearness = [[_apart(one, _squashed(other, SIDE)) for other in naive] for one in found]
    assert [len(one) for one in found] == [3 * SIDE * SIDE] * len(naive)
    for number, row in enumerate(nearness):
        assert row[number] < 3.5
        assert row[number] < min(each for at, each in enumerate(row) if at != number) / 2


class _Model:
    """Stands where a model does; a hash is the square itself."""

    digest = b"m" * 32

    class config:  # noqa: N801 - as a model's
        """What `Coding` asks of a model."""

        side = SIDE

    def __init__(self, *, originals: bool) -> None:
        self.originals = originals

    @staticmethod
    def is_flat(_: bytes) -> bool:
        """No square is."""
        return False

    @staticmethod
    def resizer(width: int, height: int, mode: str, ground: str) -> Resizer:
        return Resizer(width, height, mode, SIDE, ground)

    @staticmethod
    def code(rgb: bytes) -> bytes:
        return rgb


@pytest.mark.parametrize("originals", [True, False])
def test_the_first_view_of_an_original_has_them(originals: bool) -> None:  # noqa: FBT001
    """The whole comes first, the same as ever; other views and other pictures have one hash."""
    coding, image = Coding([_Model(originals=originals)]), scene((320, 240))  # type: ignore[list-item]
    for place in range(2):
        resizers = coding.begin(*image.size, "RGB", "white")
        for each in resizers:
            each.rows(image.tobytes(), 3 * image.width, image.height)
        coding.take(place, resizers)
    found = [codes for _, codes in coding.finish(lambda: None, early=False)]

    assert [len(codes) for codes in found] == [MOST_CODES if originals else 1, 1]
    assert found[0][0] == found[1][0] == (b"m" * 32, _squashed(image, SIDE))
