"""Where a message is written: a text field, and chips of the pictures that go with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from palette import STEP, icon
from parts import Picture, Prose
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from attachments import Attachment
    from palette import Colours
    from PySide6.QtCore import QMimeData
    from words import Words

ENCODED = ("image/png", "image/jpeg", "image/webp", "image/gif")  # as programs copy pictures
MOST = 6  # pictures at a time; a snapshot of each is held in memory
_LINES = 6  # how far the field grows
_ROUND = 5 * STEP
_CHIP = 8 * STEP


class Field(QPlainTextEdit):
    """A text field: Enter sends, Shift and Enter begin a line, and pictures can be pasted."""

    entered = Signal()
    escaped = Signal()
    pasted = Signal(object)
    """QMimeData that holds a picture or files."""

    def __init__(self) -> None:
        """Make it one line high."""
        super().__init__()
        self.setObjectName("field")
        self.setAcceptDrops(False)  # the whole window takes them
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(0)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self.grow)
        self.grow()

    def grow(self) -> None:
        """Be as high as the text, up to a few lines."""
        lines = max(1, min(_LINES, int(self.document().size().height())))
        text = lines * self.fontMetrics().lineSpacing()
        high = max(_ROUND, text + 2 * STEP)
        self.setViewportMargins(0, (high - text) // 2 - 2, 0, 0)  # 2: its edge
        self.setFixedHeight(high)
        policy = Qt.ScrollBarPolicy
        full = self.document().size().height() > _LINES
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if full else policy.ScrollBarAlwaysOff
        )

    def resizeEvent(self, event: Any) -> None:
        """Grow where the same text takes more lines."""
        super().resizeEvent(event)
        self.grow()

    def keyPressEvent(self, event: Any) -> None:
        """Send, or write."""
        plain = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and plain:
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Tell whether it can be pasted."""
        return addable(source) or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text; hand on the rest."""
        if addable(source):
            self.pasted.emit(source)
        else:
            self.insertPlainText(source.text())


def addable(mime: QMimeData) -> bool:
    """Tell whether something pasted or dropped holds files or a picture."""
    files = any(url.isLocalFile() for url in mime.urls())
    return files or mime.hasImage() or any(mime.hasFormat(kind) for kind in ENCODED)


class Chip(QFrame):
    """A picture that goes with the message, and a button that takes it out again."""

    removed = Signal(object)

    def __init__(self, attachment: Attachment, colours: Colours, words: Words) -> None:
        """Show it small."""
        super().__init__()
        self.setObjectName("chip")
        self.attachment = attachment
        row = QHBoxLayout(self)
        row.setContentsMargins(STEP // 2, STEP // 2, STEP // 2, STEP // 2)
        row.setSpacing(STEP // 2)
        if attachment.preview is not None:
            shown = Picture(attachment.preview, attachment.name, most=_CHIP - STEP)
            shown.fit(_CHIP - STEP)
        else:
            shown = QLabel(Path(attachment.name).suffix.strip(".")[:5].upper() or "…")  # type: ignore[assignment]
        row.addWidget(shown)
        text = words.remove.format(name=attachment.name)
        self.button = QPushButton(icon("cross", colours.text, 16), "")
        self.button.setProperty("round", True)
        self.button.setIconSize(QSize(16, 16))
        self.button.setFixedSize(4 * STEP, 4 * STEP)
        self.button.setAccessibleName(text)
        self.button.setToolTip(text)
        self.button.clicked.connect(lambda: self.removed.emit(self))
        row.addWidget(self.button)


class Composer(QFrame):
    """The lower edge of the window."""

    choosing = Signal()
    sending = Signal(str, list)
    """A text, perhaps empty, and attachments, perhaps none."""
    pasted = Signal(object)
    escaped = Signal()

    def __init__(self, words: Words, colours: Colours) -> None:
        """Begin empty."""
        super().__init__()
        self.setObjectName("composer")
        self._words, self._colours = words, colours
        self.chips: list[Chip] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * STEP, STEP, 2 * STEP, STEP)
        column.setSpacing(STEP)
        self._note = Prose("", quiet=True)
        self._note.hide()
        column.addWidget(self._note)
        self._shelf = QScrollArea()
        self._shelf.setWidgetResizable(True)
        self._shelf.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._shelf.setFixedHeight(_CHIP + STEP)
        self._shelf.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        inside.setObjectName("shelf")
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(STEP)
        self._row.addStretch()
        self._shelf.setWidget(inside)
        self._shelf.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._shelf.hide()
        column.addWidget(self._shelf)
        line = QHBoxLayout()
        line.setSpacing(STEP)
        self.add_button, self.field, self.send_button = QPushButton(), Field(), QPushButton()
        for each in (self.add_button, self.send_button):
            each.setProperty("round", True)
            each.setFixedSize(_ROUND, _ROUND)
            each.setIconSize(QSize(24, 24))
            each.setAutoDefault(True)
        self.send_button.setProperty("main", True)
        bottom = Qt.AlignmentFlag.AlignBottom
        line.addWidget(self.add_button, 0, bottom)
        line.addWidget(self.field, 1)
        line.addWidget(self.send_button, 0, bottom)
        column.addLayout(line)
        self.add_button.clicked.connect(self.choosing)
        self.send_button.clicked.connect(self.send)
        self.field.entered.connect(self.send)
        self.field.escaped.connect(self.escaped)
        self.field.pasted.connect(self.pasted)
        self.field.textChanged.connect(self._refresh)
        self.speak(words)
        self.wear(colours)

    def speak(self, words: Words) -> None:
        """Change the language."""
        self._words = words
        self.field.setPlaceholderText(words.write)
        for widget, said in (
            (self.field, words.write),
            (self.add_button, words.choose),
            (self.send_button, words.send),
        ):
            widget.setAccessibleName(said)
            widget.setToolTip("" if widget is self.field else said)
        self.tell("")

    def wear(self, colours: Colours) -> None:
        """Change the colours."""
        self._colours = colours
        self.add_button.setIcon(icon("plus", colours.accent))
        self._refresh()

    def tell(self, text: str) -> None:
        """Show a line above the field, or none."""
        self._note.say(text)
        self._note.setVisible(bool(text))
        self._note.fit(self.width() - 4 * STEP)

    def fits(self) -> bool:
        """Tell whether one more picture can be added."""
        return len(self.chips) < MOST

    def add(self, attachment: Attachment) -> None:
        """Put a picture beside the text."""
        chip = Chip(attachment, self._colours, self._words)
        chip.removed.connect(self._remove)
        self.chips.append(chip)
        self._row.insertWidget(self._row.count() - 1, chip)
        self.tell("")
        self._refresh()

    def empty(self) -> bool:
        """Take all pictures out; return whether there were some."""
        chips = list(self.chips)
        for chip in chips:
            self._remove(chip)
        return bool(chips)

    def send(self) -> None:
        """Hand over what is here, if there is something."""
        text = self.field.toPlainText().strip()
        attachments = [chip.attachment for chip in self.chips]
        if text or attachments:
            self.field.clear()
            self.empty()
            self.sending.emit(text, attachments)

    def _remove(self, chip: Chip) -> None:
        self.chips.remove(chip)
        self._row.removeWidget(chip)
        chip.hide()
        chip.deleteLater()
        self.field.setFocus()
        self._refresh()

    def _refresh(self) -> None:
        self._shelf.setVisible(bool(self.chips))
        ready = bool(self.chips or self.field.toPlainText().strip())
        self.send_button.setEnabled(ready)
        colour = self._colours.on_accent if ready else self._colours.quiet
        self.send_button.setIcon(icon("up", colour))
