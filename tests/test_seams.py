"""Seams: the pictures of a page that straight lines part are looked at one by one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

import pictures
from doorsill import images
from doorsill.images import seams
from doorsill.limits import Limits
from drawn import decoy, saved, scene
from looks import LIMITS, RADIUS, SCENE, look, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

W, H = SCENE.size
WHITE, BLACK, GRAY = (255, 255, 255), (0, 0, 0), (240, 242, 245)


def page(size: tuple[int, int], colour: tuple[int, int, int], **at: tuple[int, int]) -> Image.Image:
    """Return a page with the picture, and three others, at the places named."""
    drawn = {"picture": SCENE, "second": decoy((W, H)), "third": scene((W, H), 11),
             "fourth": scene((W, H), 12)}  # fmt: skip
    made = Image.new("RGB", size, colour)
    for name, place in at.items():
        made.paste(drawn[name], place)
    return made


def words(made: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """Draw lines of what looks like words into a box."""
    pen, chance = ImageDraw.Draw(made), random.Random(3)  # noqa: S311 - a drawing
    for y in range(box[1] + 4, box[3] - 8, 14):
        x = box[0] + 8
        while x < box[2] - 30:
            wide = chance.randrange(3, 9)
            pen.rectangle((x, y, x + wide, y + 8), fill=(120, 120, 120))
            x += wide + 3 + 8 * (chance.random() < 0.2)
    return made


PAGES = {
    "beside": (page((2 * W + 6, H), WHITE, second=(0, 0), picture=(W + 6, 0)), (W + 6, 0)),
    "beside, no gutter": (page((2 * W, H), WHITE, picture=(0, 0), second=(W, 0)), (0, 0)),
    "one of four": (
        page((2 * W + 6, 2 * H + 6), WHITE, second=(0, 0), third=(W + 6, 0), picture=(0, H + 6),
             fourth=(W + 6, H + 6)), (0, H + 6)),
    "caption": (words(page((W, H + 60), WHITE, picture=(0, 60)), (0, 0, W, 60)), (0, 60)),
    "meme": (
        words(page((W + 80, H + 140), BLACK, picture=(40, 40)), (40, H + 50, W, H + 130)),
        (40, 40)),
    "screenshot": (
        words(words(page((W, 2 * H), GRAY, picture=(0, 100)), (0, 0, W, 90)),
              (0, H + 110, W, 2 * H)), (0, 100)),
    "large": (
        page((2 * W, H), WHITE, picture=(0, 0), second=(W, 0)).resize((6 * W, 3 * H)), (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_picture_of_a_page_is_found_to_the_pixel(name: str) -> None:
    """In collages, memes, captions and screenshots the picture's own box is found."""
    made, (left, top) = PAGES[name]
    times = 3 if name == "large" else 1

    found = seams.parts(made)

    assert (left, top, left + times * W, top + times * H) in found
    assert len(found) <= 4


@pytest.mark.parametrize("name", PAGES)
def test_a_picture_of_a_page_matches(name: str) -> None:
    """A listed picture among others is a view within the radius, and the page by itself is not."""
    made, _ = PAGES[name]
    data = saved(made, "JPEG", quality=85)
    labels, unread = look(data)

    assert nearest(data, SCENE) <= RADIUS
    assert labels[0] == "as shown"
    assert "part 1" in labels
    assert unread == []


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "LA"])
def test_pages_of_every_mode_are_cut(mode: str) -> None:
    """Gray, palettes, alpha, ink and 16 bits are cut where RGB is, to a few pixels."""
    made, (left, top) = PAGES["beside"]
    if mode == "I;16":
        gray = np.asarray(made.convert("L"), np.uint16) * 257
        other = Image.fromarray(gray)
    else:
        other = made.convert("RGBA" if mode == "LA" else "RGB").convert(mode)
    if mode == "P":
        other = made.quantize(256)

    box = np.array((left, top, left + W, top + H))
    assert min(np.abs(box - found).max() for found in seams.parts(other)) <= 4


@pytest.mark.parametrize(
    "kind", ["noise", "gradient", "flat", "smooth", "photo", "checker", "stripes", "text"]
)
def test_a_single_picture_has_no_parts(kind: str) -> None:
    """Photographs, noise, ramps and patterns stay whole, or fall into four at most."""
    for seed in range(8):
        found = seams.parts(
            Image.fromarray(np.asarray(pictures.make(kind, 300, 260, seed)[0], np.uint8))
        )

        assert found == [] or (kind in {"checker", "stripes", "text"} and len(found) <= 4)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (127, 5000), (20_000, 130), (130, 20_000)])
def test_strips_cost_nothing_and_break_nothing(size: tuple[int, int]) -> None:
    """Shapes that no picture has are whole."""
    assert seams.parts(Image.new("RGB", size, WHITE)) == []


def test_lines_everywhere_are_bounded() -> None:
    """A page of a thousand lines gives four parts at most, each of a size to look at."""
    x = np.arange(1200)
    lines = ((x // 7) % 2 * 200).astype(np.uint8)
    weave = np.broadcast_to(lines ^ lines[:, None], (1200, 1200)).astype(np.uint8)

    found = seams.parts(Image.fromarray(np.ascontiguousarray(weave)))

    assert len(found) <= 4
    assert all(min(right - left, bottom - top) >= 0.15 * 1200 for left, top, right, bottom in found)


def test_a_part_of_a_huge_page_is_copied_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a copy of a part would double a large page's memory it is smaller, and matches."""
    made, _ = PAGES["large"]
    monkeypatch.setattr(images, "_PART", 3 * W * H)

    found = [
        view
        for view in images.views(saved(made, "PNG"), LIMITS, [], lambda: None)
        if "part" in view.label
    ]

    assert [view.size for view in found] == [(3 * W // 2, 3 * H // 2)] * 2
    assert nearest(saved(made, "PNG"), SCENE) <= RADIUS


def test_parts_are_paid_for() -> None:
    """What a page's parts cost comes out of the pixels allowed, and going over is said."""
    data = saved(PAGES["one of four"][0], "PNG")
    area = (2 * W + 6) * (2 * H + 6)

    labels, unread = look(data, Limits(frame_pixels=area + 3 * W * H))

    assert labels == ["as shown", "part 1", "part 2", "part 3"]
    assert unread == ["frames: it can be read in more ways than can be looked at"]


def jumps_naively(part: NDArray[np.uint8], step: int) -> list[float]:
    """Return shares of rows, 0 to 255, in which columns are apart, from the definition."""
    height, width, _ = part.shape

    def apart(y: int, x: int) -> bool:
        pairs = zip(part[y, x].tolist(), part[y, x + step].tolist(), strict=True)
        return max(abs(a - b) for a, b in pairs) > 20

    return [255 * sum(apart(y, x) for y in range(height)) / height for x in range(width - step)]


@pytest.mark.parametrize("step", [1, 2])
def test_jumps_are_those_of_the_definition(step: int) -> None:
    """Shares of jumping rows equal those counted pixel by pixel, to the rounding of a byte."""
    rng = np.random.default_rng(4)
    part = (rng.integers(0, 3, (17, 23, 3)) * 15 + 40).astype(np.uint8)

    found = seams._jumps(Image.fromarray(part), step)  # noqa: SLF001 - the twin of its inner loop

    assert np.abs(np.asarray(found) - jumps_naively(part, step)).max() <= 1
