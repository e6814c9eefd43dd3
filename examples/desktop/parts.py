"""What bubbles and cards are made of: paragraphs and buttons that fit a given width."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from palette import STEP
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QFont,
    QKeySequence,
    QPixmap,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTextEdit,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from attachments import Preview
    from words import Words

_LINE_HEIGHT = 125.0  # per cent
PREVIEW = 36 * STEP  # pixels a picture is wide or high at most
_LINK_MOST = 500  # characters, as in a list


class Part(Protocol):
    """A widget that takes a width."""

    def fit(self, width: int) -> None:
        """Be no wider than so many pixels."""


class Prose(QTextEdit):
    """A paragraph of plain text: it can be selected, and wraps anywhere rather than be cut off.

    A QLabel cannot break a long word, and guesses its height wrong in nested layouts.
    """

    def __init__(
        self, text: str, *, quiet: bool = False, scale: float = 1, bold: bool = False
    ) -> None:
        """Take the text, and how to show it."""
        super().__init__()
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.say(text)
        self.setProperty("quiet", quiet)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the bubble is what Tab stops at
        self.setAcceptDrops(False)
        self.document().setDocumentMargin(0)
        self._scale, self._bold, self.tight = scale, bold, False

    def say(self, text: str) -> None:
        """Take another text; it has to be fitted again."""
        self.setPlainText(text)
        self.setAccessibleName(text)
        self._fitted = (0, 0.0)

    def fit(self, width: int) -> None:
        """Be as wide as the text, at most *width*, and as high as it then is."""
        points = QApplication.font().pointSizeF() * self._scale
        if self._fitted == (width, points):
            return
        self._fitted = width, points
        font = QFont(self.font())
        font.setPointSizeF(points)
        font.setBold(self._bold)
        self.setFont(font)
        document = self.document()
        document.setDefaultFont(font)
        if not self.tight:
            self._space_lines()
        document.setTextWidth(-1)
        wide = min(width, math.ceil(document.idealWidth()) + 1)
        document.setTextWidth(wide)
        self.setFixedSize(wide, math.ceil(document.size().height()))

    def _space_lines(self) -> None:
        space = QTextBlockFormat()
        space.setLineHeight(_LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(space)

    def wheelEvent(self, event: Any) -> None:
        """Leave scrolling to the conversation."""
        event.ignore()

    def keyPressEvent(self, event: Any) -> None:
        """Copy and select; leave the other keys to the bubble."""
        super().keyPressEvent(event)
        if not event.matches(QKeySequence.StandardKey.Copy):
            event.ignore()


class Picture(QLabel):
    """A preview."""

    def __init__(self, preview: Preview, name: str, most: int = PREVIEW) -> None:
        """Take what is shown, and what a screen reader says."""
        super().__init__()
        self._image, self.most = preview.image(), most
        self._fitted = (0, 0.0)
        self.setAccessibleName(name)

    def fit(self, width: int) -> None:
        """Be no wider than that."""
        side, dense = min(width, self.most), self.devicePixelRatioF()
        if self._fitted == (side, dense):
            return
        self._fitted = side, dense
        shown = QPixmap.fromImage(self._image)
        if max(self._image.width(), self._image.height()) > side * dense:
            smooth = Qt.TransformationMode.SmoothTransformation
            keep = Qt.AspectRatioMode.KeepAspectRatio
            shown = shown.scaled(int(side * dense), int(side * dense), keep, smooth)
        shown.setDevicePixelRatio(dense)
        self.setPixmap(shown)
        self.setFixedSize(shown.deviceIndependentSize().toSize())


class Busy(QProgressBar):
    """Something goes on; nobody knows how far it is."""

    def __init__(self, name: str) -> None:
        """Take what a screen reader says."""
        super().__init__()
        self.setRange(0, 0)
        self.setTextVisible(False)
        self.setFixedHeight(STEP // 2)
        self.setAccessibleName(name)

    def fit(self, width: int) -> None:
        """Be as wide as a short sentence."""
        self.setFixedWidth(min(width, 30 * STEP))


class Button(QPushButton):
    """A button whose text is shortened where there is no room, never for a screen reader."""

    def __init__(
        self, text: str, act: Callable[[], object], *, link: bool = False, name: str = ""
    ) -> None:
        """Take what it says and does."""
        super().__init__(text)
        self._text = text
        self.setAccessibleName(name or text)
        self.setProperty("link", link)
        self.setAutoDefault(True)  # Enter presses it, as Space does
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(lambda: act())  # noqa: PLW0108 - it takes no `checked`

    def fit(self, width: int) -> None:
        """Shorten the text."""
        self.ensurePolished()
        self.setText(_as_label(self._text))
        around = self.sizeHint().width() - self.fontMetrics().horizontalAdvance(self._text)
        room = width - around
        if self.fontMetrics().horizontalAdvance(self._text) > room:
            middle = Qt.TextElideMode.ElideMiddle
            self.setText(_as_label(self.fontMetrics().elidedText(self._text, middle, room)))
        self.setFixedWidth(min(width, self.sizeHint().width()))


class Buttons(QWidget):
    """Buttons in a row, or one below the other where they would not fit."""

    def __init__(self, *all_: Button | Prose) -> None:
        """Take them in their order, and words that stand beside them."""
        super().__init__()
        self._all = all_
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(STEP)
        for each in self._all:
            if isinstance(each, Prose):
                each.tight = True  # so that its line stands as high as the button's
            self._row.addWidget(each)
        self._row.addStretch()

    def fit(self, width: int) -> None:
        """Lay them out."""
        for each in self._all:
            each.fit(width)
        total = sum(each.width() for each in self._all) + STEP * (len(self._all) - 1)
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.LeftToRight if total <= width else ways.TopToBottom)


def link(what: str, address: str, words: Words) -> Buttons | None:
    """Return a button that opens a list's link in the browser; None if it is no plain https link.

    Beside it stands the host as it is asked for in the network, so that no letters of another
    script pass for others.
    """
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    host = url.host(QUrl.ComponentFormattingOption.FullyEncoded)
    if len(address) > _LINK_MOST or not url.isValid() or url.scheme() != "https":
        return None
    if not host or url.userInfo():
        return None
    button = Button(what, lambda: QDesktopServices.openUrl(url), link=True,
                    name=words.opens.format(what=what, host=host))  # fmt: skip
    button.setToolTip(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))
    return Buttons(button, Prose(host, quiet=True))


def _as_label(text: str) -> str:
    return text.replace("&", "&&")  # or it would mark a shortcut
