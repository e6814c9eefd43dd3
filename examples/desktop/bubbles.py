"""Message bubbles: a text, or a picture on its way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cards
from checker import Arrival, State, Step
from palette import STEP
from parts import PREVIEW, Part, Picture, Prose
from PySide6.QtCore import QDateTime, QLocale, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from attachments import Attachment
    from checker import Checker
    from words import Words

_PADDING = 2 * STEP
_WHILE_ASKING = 16 * STEP  # pixels of a preview: the question is to be in sight


class Bubble(QFrame):
    """One message. Tab and the arrow keys stop at it, and a screen reader reads it as a whole."""

    stepped = Signal(int)
    """The person wants the bubble before or after this one: -1 or 1."""

    def __init__(self, words: Words, who: str, *, mine: bool) -> None:
        """Take the language, and who wrote it; "" is the person, or the echo."""
        super().__init__()
        self.setObjectName("bubble")
        self.setProperty("mine", mine)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.words = words
        self._who, self._mine = who, mine
        self._time = QDateTime.currentDateTime()
        self._parts: list[Any] = []
        self._width = 40 * STEP
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(_PADDING, STEP * 3 // 2, _PADDING, STEP * 3 // 2)
        self._column.setSpacing(STEP)

    def speak(self, words: Words) -> None:
        """Change the language."""
        self.words = words
        self.show_parts()

    def fit(self, width: int) -> None:
        """Be no wider than that."""
        self._width = width
        for part in self._parts:
            part.fit(width - 2 * _PADDING - 4)  # 4: its edges

    def show_parts(self) -> None:
        """Show what it has to show now."""
        focus = self._holds_focus()
        before, self._parts = (
            self._parts,
            [*self.parts(), Prose(self.stamp(), quiet=True, scale=0.85)],
        )
        for part in before:
            self._column.removeWidget(part)
            if part not in self._parts:
                part.hide()
                part.deleteLater()
        for part in self._parts:
            self._column.addWidget(part)
        self.setAccessibleName(f"{self.summary()} {self.stamp()}")
        self.fit(self._width)
        if focus:  # which was on a button that is no more
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def rests(self) -> bool:
        """Whether nothing more happens until the person does something."""
        return True

    def parts(self) -> list[Part]:
        """Return what it is made of at the moment."""
        raise NotImplementedError

    def summary(self) -> str:
        """Return what a screen reader says of it."""
        raise NotImplementedError

    def escape(self) -> bool:
        """Do the safe thing, if there is something to stop; return whether there was."""
        return False

    def keyPressEvent(self, event: Any) -> None:
        """Go to another bubble, or stop what goes on."""
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.stepped.emit(-1 if key == Qt.Key.Key_Up else 1)
        elif key != Qt.Key.Key_Escape or not self.escape():
            super().keyPressEvent(event)

    def stamp(self) -> str:
        """Return who wrote it, and when."""
        who = self.words.you if self._mine else self._who or self.words.echo
        short = QLocale(self.words.code).toString(self._time.time(), QLocale.FormatType.ShortFormat)
        return self.words.at.format(who=who, time=short)

    def _holds_focus(self) -> bool:
        holder: QWidget | None = QGuiApplication.focusObject()  # type: ignore[assignment,unused-ignore]
        return isinstance(holder, QWidget) and self.isAncestorOf(holder)


class TextBubble(Bubble):
    """Words of the person, or of the other side."""

    def __init__(self, words: Words, who: str, text: str, *, mine: bool) -> None:
        """Take the text."""
        super().__init__(words, who, mine=mine)
        self._text = text
        self._state = State(Step.SENT)
        self.show_parts()

    def reach(self, state: State) -> None:
        """Show that it was not sent."""
        self._state = state
        self.show_parts()

    def parts(self) -> list[Part]:
        """As of a Bubble."""
        lost: list[Part] = []
        if self._state.step == Step.FAILED:
            lost = [Prose(self.words.failed, quiet=True), Prose(self._state.trouble, quiet=True)]
        return [Prose(self._text), *lost]

    def summary(self) -> str:
        """As of a Bubble."""
        return self._text


class ArrivedBubble(Bubble):
    """A file from the other side."""

    def __init__(self, words: Words, who: str, arrival: Arrival) -> None:
        """Take it."""
        super().__init__(words, who, mine=False)
        self._arrival = arrival
        self.show_parts()

    def parts(self) -> list[Part]:
        """As of a Bubble."""
        arrival = self._arrival
        shown: list[Part] = []
        if arrival.preview is not None:
            shown = [Picture(arrival.preview, f"{self.words.picture}: {arrival.name}")]
        return [*shown, Prose(self.summary())]

    def summary(self) -> str:
        """As of a Bubble."""
        return f"{self._arrival.name} · {size_of(self._arrival.size, self.words)}"


class PictureBubble(Bubble):
    """A picture of the person's, from the first moment to the end."""

    def __init__(
        self,
        words: Words,
        attachment: Attachment,
        checker: Checker,
        host_does: Callable[[Words], str],
    ) -> None:
        """Take the picture, who checks it, and what the host says of what it does."""
        super().__init__(words, "", mine=True)
        self.attachment = attachment
        self.state = State(Step.CHECKING)
        self._checker, self._host_does = checker, host_does
        self._size = len(attachment.data)
        self._begun = False
        self._shown: Picture | None = None
        if attachment.preview is not None:
            self._shown = Picture(attachment.preview, f"{words.picture}: {attachment.name}")
        self.show_parts()

    def reach(self, state: State) -> None:
        """Go on to another step, and tell a screen reader."""
        if state == self.state:
            return
        self.state = state
        card = state.step in {Step.ASKING, Step.BLOCKED}
        if card != bool(self.property("card")):
            self.setProperty("card", card)
            self.style().unpolish(self)
            self.style().polish(self)
        if state.step in {Step.SENT, Step.BLOCKED, Step.DECLINED}:  # nobody tries these again
            preview = None if state.step == Step.BLOCKED else self.attachment.preview
            self.attachment = replace(self.attachment, data=b"", preview=preview)
        self.show_parts()
        said = QAccessibleAnnouncementEvent(self, cards.note(state, self.words))
        QAccessible.updateAccessibility(said)

    def parts(self) -> list[Part]:
        """As of a Bubble."""
        step, words, verdict = self.state.step, self.words, self.state.verdict
        lists = self._checker.gate.lists if self._checker.gate is not None else ()
        if step == Step.BLOCKED and verdict is not None:
            self._shown = None
            return cards.blocked(verdict, lists, words, self._host_does(words), self._copy)
        shown: list[Part] = []
        if self._shown is not None:
            self._shown.most = _WHILE_ASKING if step == Step.ASKING else PREVIEW
            shown.append(self._shown)
        shown.append(Prose(self._caption()))
        if step == Step.ASKING and verdict is not None:
            return [*shown, *cards.asking(verdict, lists, words, self._answer, self._copy)]
        if step.over:
            return [*shown, *cards.ended(self.state, words, self._again)]
        return [*shown, *cards.waiting(self.state, words, self.cancel)]

    @property
    def rests(self) -> bool:
        """As of a Bubble."""
        return self.state.step.over or self.state.step == Step.ASKING

    @property
    def over(self) -> bool:
        """Whether it was sent, or will not be."""
        return self.state.step.over

    def summary(self) -> str:
        """As of a Bubble."""
        return f"{self.words.picture} {self.attachment.name}. {cards.note(self.state, self.words)}"

    def stamp(self) -> str:
        """As of a Bubble; a card names the picture that it stands for here."""
        blocked = self.state.step == Step.BLOCKED
        return f"{super().stamp()} · {self.attachment.name}" if blocked else super().stamp()

    def escape(self) -> bool:
        """Stop it: do not send, or cancel."""
        if self.state.step == Step.ASKING:
            self._answer(False)
        elif not self.state.step.over:
            self.cancel()
        else:
            return False
        return True

    def begin(self) -> None:
        """Have it checked and sent, unless it was cancelled before."""
        if not self.state.step.over:
            self._begun = True
            self._checker.send(self.attachment)

    def cancel(self) -> None:
        """Stop checking or sending it."""
        if self._begun:
            self._checker.cancel(self.attachment.number)
        else:
            self.reach(State(Step.CANCELLED))

    def _answer(self, send: bool) -> None:  # noqa: FBT001 - the answer itself
        self._checker.answer(self.attachment.number, send)

    def _again(self) -> None:
        self._begun = True
        self._checker.send(self.attachment)

    def _copy(self, code: str) -> None:
        QGuiApplication.clipboard().setText(code)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.words.copied))

    def _caption(self) -> str:
        return f"{self.attachment.name} · {size_of(self._size, self.words)}"


def size_of(count: int, words: Words) -> str:
    """Return a number of bytes as people write it."""
    short = QLocale.DataSizeFormat.DataSizeSIFormat
    written: str = QLocale(words.code).formattedDataSize(count, 1 if count > 10**6 else 0, short)
    return written
