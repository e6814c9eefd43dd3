"""Draws the test card: a door standing open, light on its sill, and what the card is for.

Large shapes of strong contrast, nothing symmetrical, so that PDQ tells its eight orientations
apart and survives a messenger. The one font is the one inside Pillow.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

SIZE = (1024, 768)
_SCALE = 4  # drawn larger and reduced: smooth edges
_INK, _NIGHT, _DUSK = (22, 30, 56), (34, 47, 86), (52, 71, 122)
_CREAM, _LIGHT, _AMBER = (252, 244, 228), (255, 222, 150), (242, 172, 66)
_CORAL, _TEAL, _MINT = (226, 96, 76), (30, 122, 122), (134, 203, 178)
_BARS = (_CREAM, _LIGHT, _AMBER, _CORAL, _MINT, _TEAL, _DUSK)

Colour = tuple[int, int, int]


class _Sheet:
    """A drawing in the card's own pixels, whatever it is drawn at."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIZE[0] * _SCALE, SIZE[1] * _SCALE), _NIGHT)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        edges = (x, y, x + width, y + height)
        self._draw.rectangle(
            [round(e * _SCALE) - (i > 1) for i, e in enumerate(edges)], fill=colour
        )

    def rounded(self, edges: tuple[int, int, int, int], radius: int, colour: Colour) -> None:
        self._draw.rounded_rectangle([e * _SCALE for e in edges], radius * _SCALE, fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        edges = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse([e * _SCALE for e in edges], fill=colour)

    def write(self, x: float, y: float, words: str, size: float, colour: Colour) -> None:
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text((x * _SCALE, y * _SCALE), words, font=font, fill=colour, anchor="ls")


def draw() -> Image.Image:
    """Return the test card."""
    sheet = _Sheet()
    sheet.box(0, 600, 1024, 168, _INK)  # the floor
    _door(sheet)
    _words(sheet)
    _bars(sheet)
    return sheet.image.reduce(_SCALE)


def _door(sheet: _Sheet) -> None:
    sheet.rounded((84, 64, 426, 780), 171, _CREAM)  # the frame, an arch
    sheet.rounded((112, 92, 398, 780), 143, _AMBER)
    sheet.rounded((140, 120, 398, 780), 129, _LIGHT)
    sheet.disc(330, 236, 44, _CREAM)
    sheet.box(84, 600, 342, 180, _INK)
    # Light falls over the sill and across the floor to the right.
    sheet.shape([(112, 600), (398, 600), (742, 768), (196, 768)], _AMBER)
    sheet.shape([(146, 600), (364, 600), (600, 768), (262, 768)], _LIGHT)
    # The leaf, swung inward on its left hinge.
    sheet.shape([(112, 214), (126, 172), (150, 142), (236, 196), (236, 556), (112, 600)], _TEAL)
    sheet.shape([(134, 236), (214, 258), (214, 372), (134, 378)], _DUSK)
    sheet.shape([(134, 412), (214, 404), (214, 528), (134, 552)], _DUSK)
    sheet.disc(222, 392, 9, _LIGHT)
    sheet.box(64, 594, 382, 28, _CORAL)  # the sill


def _words(sheet: _Sheet) -> None:
    sheet.write(492, 196, "doorsill", 112, _CREAM)
    sheet.write(498, 268, "test card", 62, _AMBER)
    lines = ("This picture is harmless.", "Every hash list carries it.")
    for row, line in enumerate((*lines, "If it is found, the check works.")):
        sheet.write(498, 342 + 42 * row, line, 30, _CREAM)


def _bars(sheet: _Sheet) -> None:
    """Draw colours and greys of uneven width, so that the card differs from its mirror image."""
    left = 498.0
    for place, colour in enumerate(_BARS):
        width = 38 + 9 * place
        sheet.box(left, 474, width, 84, colour)
        left += width
    for step in range(9):
        level = round(255 * step / 8)
        sheet.box(737 + 24 * step, 726 - 7 * step, 24, 18 + 7 * step, (level, level, level))
    sheet.disc(938, 92, 40, _CREAM)
    sheet.disc(954, 82, 36, _NIGHT)
