"""A probe that a hasher recognises no faces: drawn ones, one face in different renderings.

    python faces.py --hasher pdq --hasher config.json

A face is drawn from numbers (shape, eyes, brows, nose, mouth); a rendering changes the pose,
light, background and crop, as other photos of one person would. Four faces each share the colours
of hair, skin and eyes, so that colour tells nothing. A hasher that finds *pictures* must score two
renderings of one face as it scores renderings of two faces of one colour: as strangers.
"""

from __future__ import annotations

import argparse
import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hashers import named
from measure import distances
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 240
ALIKE = 4  # faces that share their colours


class Face(NamedTuple):
    """Proportions of one face, shares of its height; and its hair, skin and eyes."""

    width: float
    chin: float
    eyes: float
    apart: float
    eye: float
    brow: float
    nose: float
    mouth: float
    hair: tuple[int, int, int]
    skin: tuple[int, int, int]
    iris: tuple[int, int, int]


def colours(r: random.Random) -> tuple[tuple[int, int, int], ...]:
    """Return those of hair, skin and eyes."""
    tone = r.uniform(0.35, 1)
    return (
        (r.randrange(140), r.randrange(90), r.randrange(60)),
        (round(240 * tone), round(200 * tone), round(170 * tone)),
        (r.randrange(120), r.randrange(120), r.randrange(160)),
    )


def face(r: random.Random, colour: tuple[tuple[int, int, int], ...]) -> Face:
    """Return a face that no one has."""
    return Face(
        r.uniform(0.62, 0.85),
        r.uniform(0.5, 0.95),
        r.uniform(0.38, 0.46),
        r.uniform(0.17, 0.26),
        r.uniform(0.05, 0.085),
        r.uniform(0.01, 0.03),
        r.uniform(0.12, 0.2),
        r.uniform(0.2, 0.36),
        *colour,
    )


def rendering(who: Face, r: random.Random) -> Image.Image:
    """Return a drawing of a face in a pose, light, place and crop of its own."""
    top, bottom = ((r.randrange(256), r.randrange(256), r.randrange(256)) for _ in range(2))
    page = Image.new("RGB", (SIDE, SIDE))
    pen = ImageDraw.Draw(page)
    for y in range(SIDE):
        pen.line(
            (0, y, SIDE, y),
            tuple(round(a + (b - a) * y / SIDE) for a, b in zip(top, bottom, strict=True)),
        )
    for _ in range(r.randrange(3, 9)):
        x, y, s = (r.randrange(low, high) for low, high in ((0, SIDE), (0, SIDE), (20, 110)))
        shape = r.choice((pen.ellipse, pen.rectangle))
        shape(
            (x, y, x + s, y + r.randrange(15, 110)),
            fill=(r.randrange(256), r.randrange(256), r.randrange(256)),
        )
    h = SIDE * r.uniform(0.5, 0.85)
    w, turn = h * who.width, r.uniform(-0.12, 0.12)
    layer = Image.new("RGBA", (SIDE, SIDE))
    pen = ImageDraw.Draw(layer)
    cx, y0 = SIDE / 2, (SIDE - h) / 2
    pen.ellipse((cx - w * 0.56, y0 - h * 0.08, cx + w * 0.56, y0 + h * 0.75), fill=who.hair)
    pen.ellipse((cx - w / 2, y0, cx + w / 2, y0 + h), fill=who.skin)
    for side in (-1, 1):
        ex, ey, er = cx + (side * who.apart + turn) * w * 1.3, y0 + who.eyes * h, who.eye * h
        pen.ellipse((ex - 1.6 * er, ey - er, ex + 1.6 * er, ey + er), fill=(245, 245, 245))
        look = ex + er * r.uniform(-0.5, 0.5)
        pen.ellipse((look - 0.8 * er, ey - 0.8 * er, look + 0.8 * er, ey + 0.8 * er), fill=who.iris)
        pen.line(
            (ex - 1.7 * er, ey - 1.8 * er, ex + 1.7 * er, ey - 1.9 * er),
            who.hair,
            max(2, round(who.brow * h)),
        )
    nx, ny = cx + turn * w * 1.6, y0 + (who.eyes + who.nose) * h
    pen.line(
        (nx, ny - who.nose * h * 0.6, nx + 5, ny, nx - 4, ny),
        tuple(round(c * 0.75) for c in who.skin),
        3,
    )
    lip, m = y0 + (who.eyes + who.nose + 0.12 * who.chin) * h, who.mouth * w / 2
    pen.chord(
        (nx - m, lip - h * 0.04, nx + m, lip + h * 0.04 * r.uniform(0.6, 2)),
        0,
        180,
        fill=(170, 60, 60),
    )
    layer = layer.rotate(r.uniform(-14, 14), Image.Resampling.BICUBIC)
    page.paste(layer, (r.randrange(-35, 36), r.randrange(-25, 26)), layer)
    page = ImageEnhance.Brightness(page).enhance(r.uniform(0.6, 1.3))
    page = ImageEnhance.Color(page).enhance(r.uniform(0.4, 1.4))
    return page.filter(ImageFilter.GaussianBlur(r.uniform(0.2, 1.2)))


def told_apart(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Return how often one of *one* is below one of *two*, equal ones half: 0.5 is blind."""
    ordered = np.sort(two)
    above = len(two) - np.searchsorted(ordered, one, "right")
    equal = np.searchsorted(ordered, one, "right") - np.searchsorted(ordered, one, "left")
    return float((above + equal / 2).mean() / len(two))


def main() -> None:
    """Print how near renderings of one face and of two faces come."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--hasher", action="append", required=True)
    parser.add_argument("--faces", type=int, default=60)
    parser.add_argument("--renderings", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    r = random.Random(asked.seed)
    alike = [colours(r) for _ in range(asked.faces // ALIKE)]
    people = [face(r, colour) for colour in alike for _ in range(ALIKE)]
    drawn = [rendering(who, r) for who in people for _ in range(asked.renderings)]
    owner = np.repeat(np.arange(len(people)), asked.renderings)
    for name in asked.hasher:
        hasher = named(name)
        codes = np.stack([hasher(picture).codes for picture in drawn])
        d = distances(codes, np.ascontiguousarray(codes[:, :1])).astype(float)
        same = owner[:, None] == owner[None]
        np.fill_diagonal(d, np.nan)
        near = (owner // ALIKE)[:, None] == (owner // ALIKE)[None]
        one, two = d[same & ~np.isnan(d)], d[near & ~same]
        nearer = told_apart(one, two)
        print(
            f"{hasher.name:18} one face: {one.mean():.1f} (nearest {one.min():.0f})   "
            f"two: {two.mean():.1f} (nearest {two.min():.0f})   "
            f"told apart {nearer:.3f}, 0.5 is chance"
        )


if __name__ == "__main__":
    main()
