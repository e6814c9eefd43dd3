"""The upper edge of the window: whom it talks to, whether pictures are checked, the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attachments import one_line
from palette import STEP
from parts import Button, Buttons, Prose
from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QVBoxLayout
from words import ALL

if TYPE_CHECKING:
    from window import Window
    from words import Words


class Header(QFrame):
    """Says only what is so: "checked" stands there while the test card passes, never before."""

    again = Signal()
    """The person wants the gate tested and the server asked once more."""

    def __init__(self, window: Window) -> None:
        """Begin with the test under way."""
        super().__init__()
        self._window = window
        self._checked: bool | None = None  # not known yet
        self._here = False
        self._trouble: list[tuple[str, str]] = []  # the name of a sentence, and why
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QFrame()
        top.setObjectName("header")
        row = QHBoxLayout(top)
        row.setContentsMargins(2 * STEP, STEP, 2 * STEP, STEP)
        row.setSpacing(STEP)
        self._texts = QVBoxLayout()
        self._texts.setSpacing(STEP // 2)
        self._settings = QToolButton()
        self._settings.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._settings.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row.addLayout(self._texts)
        row.addStretch(1)
        row.addWidget(self._settings, 0, Qt.AlignmentFlag.AlignTop)
        self._banner = QFrame()
        self._banner.setObjectName("banner")
        self._banner_column = QVBoxLayout(self._banner)
        self._banner_column.setContentsMargins(2 * STEP, STEP, 2 * STEP, STEP)
        self._banner_column.setSpacing(STEP)
        column.addWidget(top)
        column.addWidget(self._banner)
        self._shown: list[Any] = []

    # ---- what is so

    def starting(self) -> None:
        """The gate is being tested, the server asked."""
        self._checked, self._trouble = None, []
        self.refresh()

    def protected(self) -> None:
        """The test card was stopped."""
        self._checked = True
        self.refresh()

    def unprotected(self, why: str) -> None:
        """It was not."""
        self._checked = False
        self._trouble.append(("unprotected", why))
        self.refresh()

    def joined(self) -> None:
        """The other is there."""
        self._here = True
        self.refresh()

    def offline(self, why: str) -> None:
        """The server is not."""
        self._trouble.append(("offline", why))
        self.refresh()

    # ---- how it looks

    def speak(self, words: Words) -> None:
        """Change the language."""
        self._settings.setText(words.settings)
        self._settings.setAccessibleName(words.settings)
        self._settings.setMenu(self._menu(words))
        self.refresh()

    @property
    def known(self) -> bool:
        """Whether the test is over, one way or the other."""
        return self._checked is not None

    def refresh(self) -> None:
        """Show what is so."""
        for part in self._shown:
            part.hide()
            part.deleteLater()
        words, peer = self._window.words, self._window.peer
        title = Prose(peer.name.capitalize() or words.echo, bold=True, scale=1.2)
        lines = [title, Prose(self._line(), quiet=True)]
        for part in lines:
            self._texts.addWidget(part)
        notices: list[Any] = []
        for name, why in self._trouble:
            notices += [Prose(getattr(words, name)), Prose(why)]
        if notices:
            notices.append(Buttons(Button(words.again, self.again.emit)))
            said = QAccessibleAnnouncementEvent(self, notices[0].toPlainText())
            QAccessible.updateAccessibility(said)
        for part in notices:
            self._banner_column.addWidget(part)
        self._banner.setVisible(bool(notices))
        self._shown = [*lines, *notices]
        self.fit()
        self._window.conversation.tell(self._claim())

    def fit(self) -> None:
        """Lay out the texts for this width."""
        beside = self._settings.sizeHint().width() + 5 * STEP
        for part in self._shown:
            inside = self._banner.isAncestorOf(part)
            part.fit(self.width() - (4 * STEP if inside else beside))

    def resizeEvent(self, event: Any) -> None:
        """Fit the texts to the new width."""
        super().resizeEvent(event)
        self.fit()

    def _line(self) -> str:
        """Return what fits into one line: whether the other is there, and pictures are checked."""
        words, peer = self._window.words, self._window.peer
        claims = {None: words.starting, True: words.checked, False: words.unchecked}
        claim = claims[self._checked]
        if not peer.name:
            return claim
        here = words.encrypted if self._here else words.waiting
        server = QUrl(peer.server).host()
        return f"{here.format(name=peer.name.capitalize(), server=server)} · {claim}"

    def _claim(self) -> str:
        """Return what more may be said of the check, and of the peer; it opens the conversation."""
        words, gate = self._window.words, self._window.checker.gate
        said = [] if self._window.peer.name else [words.echo_line]
        if self._checked and gate is not None:
            names = ", ".join(one_line(each.name) for each in gate.lists)
            said += [words.protected.format(lists=names)]
            said += [words.demo] if any(each.is_demo for each in gate.lists) else []
            said += [words.stale] if any(each.is_stale() for each in gate.lists) else []
            if any(each.trust.tier == "none" for each in gate.lists):
                said.append(words.unsigned)
        return " ".join(said)

    def _menu(self, words: Words) -> QMenu:
        """Return the languages and the looks, the present ones marked."""
        menu, window = QMenu(self), self._window
        languages, looks = menu.addMenu(words.languages), menu.addMenu(words.appearance)
        for under, choices, now, act in (
            (languages, [(each.language, each) for each in ALL.values()], words, window.speak),
            (
                looks,
                [(words.as_system, "system"), (words.light, "light"), (words.dark, "dark")],
                window.look,
                window.wear,
            ),
        ):
            group = QActionGroup(under)
            for name, value in choices:
                action = under.addAction(name)
                action.setCheckable(True)
                action.setChecked(value == now)
                action.triggered.connect(lambda _=False, v=value, a=act: a(v))
                group.addAction(action)
        return menu
