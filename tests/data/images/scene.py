"""Draws the demo's listed picture: a lighthouse at dusk, large enough for a messenger to reduce."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (1600, 1080)
_SCALE = 2  # drawn larger and reduced: smooth edges
_HORIZON = 690
_SKY = ((36, 46, 92), (94, 84, 138), (214, 122, 118), (252, 196, 128))
_SEA = ((206, 138, 118), (66, 78, 122), (24, 34, 70))

Colour = tuple[int, int, int]


def draw() -> Image.Image:
    """Return the lighthouse."""
    rand = random.Random(7)  # noqa: S311 - the same picture every time
    image = Image.new("RGB", SIZE)
    image.paste(_ramp(_SKY, _HORIZON), (0, 0))
    image.paste(_ramp(_SEA, SIZE[1] - _HORIZON), (0, _HORIZON))
    _clouds(image, rand)
    _sun(image)
    _hills(image, rand)
    _waves(image, rand)
    _beam(image)
    _sharp(image, rand)
    return _grained(image, rand)


def _ramp(colours: tuple[Colour, ...], height: int) -> Image.Image:
    """Return these colours flowing into each other from top to bottom."""
    column = Image.new("RGB", (1, len(colours)))
    column.putdata(colours)
    return column.resize((SIZE[0], height), Image.Resampling.BICUBIC)


def _mist(rand: random.Random, width: int, height: int) -> Image.Image:
    """Return soft random shades of the picture's size, from a grid of that many."""
    grid = Image.frombytes("L", (width, height), rand.randbytes(width * height))
    return grid.resize(SIZE, Image.Resampling.BICUBIC)


def _clouds(image: Image.Image, rand: random.Random) -> None:
    thick = Image.blend(_mist(rand, 6, 20), _mist(rand, 16, 60), 0.45)
    mask = thick.point(lambda level: max(0, min(120, (level - 122) * 2)))
    fade = _ramp(((255,) * 3, (120,) * 3, (0,) * 3), _HORIZON).convert("L")
    mask.paste(0, (0, _HORIZON, *SIZE))
    mask.paste(ImageChops.multiply(mask.crop((0, 0, SIZE[0], _HORIZON)), fade))
    image.paste((255, 208, 186), mask=mask)


def _sun(image: Image.Image) -> None:
    """Draw the sun and its glow, cut off at the horizon."""
    sky = image.copy()
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse((260, 340, 780, 860), fill=190)
    sky.paste((255, 220, 150), mask=mask.filter(ImageFilter.GaussianBlur(130)))
    ImageDraw.Draw(sky).ellipse((430, 510, 610, 690), fill=(255, 240, 205))
    image.paste(sky.crop((0, 0, SIZE[0], _HORIZON)), (0, 0))


def _hills(image: Image.Image, rand: random.Random) -> None:
    """Draw three ranges, the nearer the darker, lower towards the sun."""
    draw = ImageDraw.Draw(image)
    for layer, colour in enumerate(((150, 106, 138), (106, 82, 126), (72, 62, 108))):
        phases = [rand.uniform(0, math.tau) for _ in range(4)]
        ridge = [(0, _HORIZON)]
        for x in range(0, SIZE[0] + 4, 4):
            bumps = sum(math.sin(x / (260 / 2**n) + p) / 2**n for n, p in enumerate(phases))
            away = min(1, abs(x - 520) / 620) ** 1.4
            ridge.append((x, _HORIZON - round(away * (150 - 38 * layer) * (1 + 0.45 * bumps))))
        draw.polygon([*ridge, (SIZE[0], _HORIZON)], fill=colour)


def _waves(image: Image.Image, rand: random.Random) -> None:
    """Draw the sun's path and ripples that grow towards the viewer."""
    draw = ImageDraw.Draw(image, "RGBA")
    for row in range(150):
        depth = (row / 150) ** 1.7
        y = _HORIZON + 2 + depth * (SIZE[1] - _HORIZON)
        for _ in range(7):
            x, length = rand.uniform(-80, SIZE[0]), rand.uniform(20, 60) * (1 + 4 * depth)
            shade = (255, 214, 176, 26) if rand.random() < 0.45 else (16, 26, 62, 46)
            draw.rectangle((x, y, x + length, y + 1 + 5 * depth), fill=shade)
        reach = 90 * (1 - 0.25 * depth)
        for _ in range(2):
            x, length = rand.gauss(520, reach * 0.5), rand.uniform(30, 110)
            edges = (x - length / 2, y, x + length / 2, y + 1 + 4 * depth)
            draw.rectangle(edges, fill=(255, 230, 176, 120))


def _beam(image: Image.Image) -> None:
    mask = Image.new("L", SIZE)
    draw = ImageDraw.Draw(mask)
    draw.polygon([(1212, 292), (0, 60), (0, 250), (1212, 306)], fill=120)
    draw.polygon([(1212, 294), (0, 112), (0, 190), (1212, 304)], fill=165)
    draw.polygon([(1212, 292), (1600, 236), (1600, 350), (1212, 306)], fill=120)
    fade = Image.new("L", (6, 1))
    fade.putdata([20, 90, 150, 200, 255, 120])
    soft = ImageChops.multiply(mask.filter(ImageFilter.GaussianBlur(9)), fade.resize(SIZE))
    image.paste((255, 244, 206), mask=soft)


class _Pen:
    """Draws smooth edges in the picture's pixels on a layer of its own."""

    def __init__(self) -> None:
        self.layer = Image.new("RGBA", (SIZE[0] * _SCALE, SIZE[1] * _SCALE))
        self._draw = ImageDraw.Draw(self.layer)

    def shape(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour)

    def line(self, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=round(width * _SCALE), joint="curve")


def _sharp(image: Image.Image, rand: random.Random) -> None:
    pen = _Pen()
    _cliff(pen, rand)
    _tower(pen)
    _house(pen)
    _boat(pen)
    birds = ((300, 250, 26), (372, 214, 20), (420, 276, 16), (760, 330, 14), (690, 180, 18))
    for x, y, size in birds:
        left = [(x - size, y - size * 0.4), (x - size * 0.4, y - size * 0.55), (x, y)]
        right = [(x + size * 0.5, y - size * 0.6), (x + size, y - size * 0.35)]
        pen.line([*left, *right], (40, 40, 74), 3)
    smooth = pen.layer.reduce(_SCALE)
    image.paste(smooth, mask=smooth)


def _cliff(pen: _Pen, rand: random.Random) -> None:
    top = [(870, 860), (920, 800), (985, 772), (1040, 735), (1130, 722), (1330, 716)]
    top += [(1450, 700), (1600, 690)]
    face = [(x, y + 26) for x, y in top]
    pen.shape([*top, (1600, 1080), (800, 1080), (830, 960)], (40, 42, 74))
    pen.shape([*face, (1600, 1080), (1030, 1080), (960, 930)], (56, 54, 88))
    pen.shape([(1180, 760), (1600, 728), (1600, 1080), (1340, 1080), (1240, 900)], (78, 68, 102))
    for _ in range(520):  # grass along the edge
        place = rand.randrange(len(top) - 1)
        (x0, y0), (x1, y1) = top[place : place + 2]
        along = rand.random()
        x, y = x0 + along * (x1 - x0), y0 + along * (y1 - y0) + 8
        colour = rand.choice(((74, 104, 96), (104, 132, 104), (54, 80, 88)))
        pen.line([(x, y), (x + rand.uniform(-9, 9), y - rand.uniform(8, 24))], colour, 2)


def _tower(pen: _Pen) -> None:
    def half(y: float) -> float:  # the tower narrows upwards
        return 34 + (y - 340) * 0.083

    for band in range(6):
        low, high = 720 - 63 * band, 720 - 63 * (band + 1)
        for side, light in ((-1, 1.0), (-0.35, 0.9), (0.3, 0.76)):
            base = (224, 76, 66) if band % 2 == 0 else (250, 240, 226)
            colour = (round(base[0] * light), round(base[1] * light), round(base[2] * light))
            lower = [(1212 + side * half(low), low), (1212 + half(low), low)]
            upper = [(1212 + half(high), high), (1212 + side * half(high), high)]
            pen.shape([*lower, *upper], colour)
    for y in (420, 546, 640):
        pen.shape([(1200, y), (1218, y), (1218, y + 30), (1200, y + 30)], (52, 48, 84))
    pen.shape([(1162, 330), (1262, 330), (1254, 348), (1170, 348)], (46, 44, 78))
    pen.shape([(1184, 268), (1240, 268), (1240, 330), (1184, 330)], (255, 232, 160))
    for x in (1184, 1203, 1221, 1240):
        pen.line([(x, 268), (x, 330)], (46, 44, 78), 4)
    pen.shape([(1172, 270), (1252, 270), (1212, 224)], (196, 60, 58))
    pen.line([(1212, 228), (1212, 198)], (46, 44, 78), 4)
    pen.line([(1158, 312), (1266, 312)], (46, 44, 78), 4)


def _house(pen: _Pen) -> None:
    pen.shape([(1310, 620), (1490, 620), (1490, 718), (1310, 722)], (238, 222, 206))
    pen.shape([(1430, 620), (1490, 620), (1490, 718), (1430, 720)], (196, 176, 178))
    pen.shape([(1292, 624), (1336, 556), (1470, 556), (1510, 624)], (150, 62, 70))
    pen.shape([(1448, 540), (1472, 540), (1472, 590), (1448, 590)], (110, 58, 72))
    for x in (1330, 1384, 1446):
        pen.shape([(x, 646), (x + 28, 646), (x + 28, 682), (x, 682)], (255, 214, 130))
        pen.line([(x + 14, 646), (x + 14, 682)], (110, 74, 80), 3)


def _boat(pen: _Pen) -> None:
    pen.shape([(232, 818), (400, 812), (372, 852), (262, 854)], (60, 40, 66))
    pen.shape([(232, 818), (400, 812), (396, 822), (236, 828)], (224, 92, 76))
    pen.line([(318, 816), (310, 640)], (50, 40, 66), 4)
    pen.shape([(316, 650), (326, 802), (404, 796)], (252, 240, 222))
    pen.shape([(304, 664), (308, 804), (238, 802)], (246, 202, 160))
    for row in range(5):
        y = 866 + 12 * row
        pen.line([(262 + 10 * row, y), (372 - 12 * row, y)], (66, 56, 92), 4)


def _grained(image: Image.Image, rand: random.Random) -> Image.Image:
    """Return *image* with a film's grain, as a photograph would have."""
    size = (SIZE[0] // 2, SIZE[1] // 2)
    grain = Image.frombytes("L", size, rand.randbytes(size[0] * size[1]))
    soft = grain.resize(SIZE, Image.Resampling.BICUBIC).point(lambda level: 124 + level // 32)
    return ImageChops.overlay(image, Image.merge("RGB", (soft, soft, soft)))
