"""The messages, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from palette import STEP
from parts import Prose
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from bubbles import Bubble
    from words import Words

_MOST = 300  # bubbles; the oldest that are over go
_CHARACTERS = 62  # of a comfortable line, with the padding
_NEAR = 4 * STEP  # how far from the end still counts as reading the newest


class Conversation(QScrollArea):
    """Bubbles in order, the newest in sight unless the person reads older ones."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.setObjectName("conversation")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.bubbles: list[Bubble] = []
        self._follows = True
        self._inside = QWidget()
        self._inside.setObjectName("column")
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP)
        self._column.setSpacing(STEP)
        self._note = Prose("", quiet=True)
        self._column.addWidget(self._note, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch()
        self.setWidget(self._inside)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self.keep_up)
        bar.valueChanged.connect(self._scrolled)

    def add(self, bubble: Bubble, *, mine: bool) -> None:
        """Put a bubble at the end."""
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(bubble)
        line.insertStretch(0 if mine else 1, 1)
        if self.bubbles:  # Tab stops at the newest, the arrow keys go on from there
            self.bubbles[-1].setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.bubbles.append(bubble)
        self._follows = self._follows or mine
        self._column.addWidget(row)
        bubble.stepped.connect(lambda by: self._step(bubble, by))
        bubble.fit(self._room())
        if len(self.bubbles) > _MOST:
            self.bubbles.pop(0)
            oldest: Any = self._column.takeAt(2)  # behind the note and the stretch
            oldest.widget().deleteLater()

    def speak(self, words: Words) -> None:
        """Change the language."""
        self.setAccessibleName(words.conversation)
        for bubble in self.bubbles:
            bubble.speak(words)

    def tell(self, text: str) -> None:
        """Say something of the whole conversation, above all messages."""
        self._note.say(text)
        self._note.fit(self._room())

    def refit(self) -> None:
        """Lay the bubbles out again."""
        self._note.fit(self._room())
        for bubble in self.bubbles:
            bubble.fit(self._room())

    def keep_up(self) -> None:
        """Stay with the newest, if the person was there."""
        if self._follows:
            self.verticalScrollBar().setValue(self._end())

    def reveal(self, widget: QWidget) -> None:
        """Scroll to what has the focus, if it is in here."""
        if self._inside.isAncestorOf(widget):
            self.ensureWidgetVisible(widget, 0, STEP)

    def resizeEvent(self, event: Any) -> None:
        """Fit the bubbles to the new width."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.refit()

    def _room(self) -> int:
        """Return how wide a bubble may be: a comfortable line, or all there is."""
        line: int = _CHARACTERS * self.fontMetrics().averageCharWidth()
        return min(self.viewport().width() - 4 * STEP, line)

    def _step(self, bubble: Bubble, by: int) -> None:
        at = self.bubbles.index(bubble) + by
        if 0 <= at < len(self.bubbles):
            self.bubbles[at].setFocus(Qt.FocusReason.OtherFocusReason)
            self.reveal(self.bubbles[at])

    def _scrolled(self, value: int) -> None:
        self._follows = value >= self._end() - _NEAR

    def _end(self) -> int:
        """Return where the newest bubble is in sight: its beginning, where it is a tall card."""
        end: int = self.verticalScrollBar().maximum()
        if self.bubbles and self.bubbles[-1].height() > self.viewport().height():
            top: int = self.bubbles[-1].mapTo(self._inside, QPoint(0, 0)).y()
            return min(end, top - STEP)
        return end
