"""Colours, light and dark, and the one style sheet. Lengths are multiples of 8 pixels, or halves.

Text has a contrast of at least 4.5 to what it stands on, marks and focus rings of 3: WCAG 2.2, AA.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPen, QPixmap

STEP = 8  # pixels; every gap and margin is made of it


@dataclass(frozen=True)
class Colours:
    """One look.

    Attributes:
        window: Behind everything.
        surface: Fields, cards, and what others write.
        mine: What the person writes.
        text: On all three.
        quiet: Times and notes, on all three.
        line: Edges that only divide.
        edge: Edges by which a control is known.
        accent: Links, buttons' edges, the focus ring; on all three.
        on_accent: On the accent.
        notice: Behind the banner that asks for attention.
        on_notice: On it.
    """

    window: str
    surface: str
    mine: str
    text: str
    quiet: str
    line: str
    edge: str
    accent: str
    on_accent: str
    notice: str
    on_notice: str


LIGHT = Colours(
    window="#f5f4f0",
    surface="#ffffff",
    mine="#dfecec",
    text="#1d2527",
    quiet="#4f5b5e",
    line="#d5d8d5",
    edge="#747d7f",
    accent="#17626a",
    on_accent="#ffffff",
    notice="#fbecd0",
    on_notice="#4d3600",
)
DARK = Colours(
    window="#14181a",
    surface="#1e2426",
    mine="#22383b",
    text="#e9eded",
    quiet="#a9b4b6",
    line="#343d40",
    edge="#7d898c",
    accent="#82cbd2",
    on_accent="#0c2123",
    notice="#3b2e12",
    on_notice="#f5dfb3",
)

_SHEET = """
* { outline: none; }
QWidget { color: @text; }
QMainWindow, QDialog, #column, #conversation { background: @window; }
#header, #composer { background: @surface; }
#header { border-bottom: 1px solid @line; }
#composer { border-top: 1px solid @line; }
#banner { background: @notice; }
#banner * { color: @on_notice; }
[quiet="true"] { color: @quiet; }

QTextEdit, QPlainTextEdit { background: transparent; border: none; padding: 0;
  selection-background-color: @accent; selection-color: @on_accent; }
#field { background: @window; border: 2px solid @edge; border-radius: 20px; padding: 0 10px;
  placeholder-text-color: @quiet; }
#field:focus { border-color: @accent; }

#bubble { background: @surface; border: 2px solid @surface; border-radius: 16px; }
#bubble[mine="true"] { background: @mine; border-color: @mine; }
#bubble[card="true"] { background: @surface; border-color: @edge; }
#bubble:focus { border-color: @accent; }

QPushButton, QToolButton { background: transparent; color: @accent; border: 2px solid @edge;
  border-radius: 8px; padding: 6px 14px; }
QPushButton:hover, QToolButton:hover { border-color: @accent; }
QPushButton:focus, QToolButton:focus { border-color: @accent; background: @window; }
QPushButton:pressed, QToolButton:pressed { background: @accent; color: @on_accent; }
QPushButton:disabled { color: @quiet; }
QPushButton[round="true"] { border-radius: 20px; padding: 6px; }
#chip QPushButton { border-radius: 16px; padding: 0; border-color: transparent; }
QPushButton[main="true"] { background: @accent; color: @on_accent; border-color: @accent; }
QPushButton[main="true"]:focus, QPushButton[main="true"]:hover { border-color: @text; }
QPushButton[main="true"]:disabled { background: @line; color: @quiet; border-color: @line; }
QPushButton[link="true"] { border: 2px solid transparent; padding: 2px 0; text-align: left;
  text-decoration: underline; }
QPushButton[link="true"]:hover, QPushButton[link="true"]:focus { border-color: @accent; }
#banner QPushButton { border-color: @on_notice; background: transparent; }
#banner QPushButton:focus { background: @on_notice; color: @notice; }
QToolButton { border-color: transparent; }
QToolButton::menu-indicator { image: none; }

#chip { background: @window; border: 1px solid @line; border-radius: 8px; }
#curtain { background: @surface; border: 2px dashed @accent; border-radius: 16px; }

QMenu { background: @surface; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 6px 24px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QToolTip { background: @surface; color: @text; border: 1px solid @line; padding: 4px; }
QProgressBar { background: @line; border: none; border-radius: 2px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar::handle:vertical { background: @edge; border-radius: 4px; min-height: 32px; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle:horizontal { background: @edge; border-radius: 4px; min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
  background: transparent; border: none; width: 0; height: 0; }
"""


def sheet(colours: Colours) -> str:
    """Return the style sheet in these colours."""
    filled = _SHEET
    for each in sorted(fields(colours), key=lambda field: -len(field.name)):
        filled = filled.replace(f"@{each.name}", getattr(colours, each.name))
    return filled


def dress(app: Any, colours: Colours) -> None:
    """Put an application into these colours, also what the style sheet leaves to Qt."""
    palette, role = QPalette(), QPalette.ColorRole
    for what, colour in (
        (role.Window, colours.window),
        (role.Base, colours.surface),
        (role.AlternateBase, colours.window),
        (role.Button, colours.surface),
        (role.ToolTipBase, colours.surface),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.PlaceholderText, colours.quiet),
        (role.Link, colours.accent),
        (role.WindowText, colours.text),
        (role.Text, colours.text),
        (role.ButtonText, colours.text),
        (role.ToolTipText, colours.text),
    ):
        palette.setColor(what, QColor(colour))
    app.setStyle("Fusion")
    app.setPalette(palette)
    app.setStyleSheet(sheet(colours))


_STROKES = {
    "plus": (((12, 5), (12, 19)), ((5, 12), (19, 12))),
    "up": (((12, 5), (12, 19)), ((6, 11), (12, 5)), ((18, 11), (12, 5))),
    "cross": (((7, 7), (17, 17)), ((7, 17), (17, 7))),
}


def icon(name: str, colour: str, side: int = 24) -> QIcon:
    """Draw "plus", "up" or "cross" in one colour."""
    picture = QPixmap(QSize(2 * side, 2 * side))  # sharp on dense screens, too
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / 24, side / 24)
    pen = QPen(QColor(colour), 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    for start, end in _STROKES[name]:
        painter.drawLine(QPointF(*start), QPointF(*end))
    painter.end()
    return QIcon(picture)
