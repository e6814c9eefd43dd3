"""A chat window whose pictures pass a gate before they are sent.

    pip install '.[desktop]'
    python examples/desktop/window.py

There is nobody at the other end but an echo, unless a Matrix server is named by the environment:
see README.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attachments import MOST_BYTES, Attachment, numbers
from bubbles import ArrivedBubble, Bubble, PictureBubble, TextBubble, size_of
from checker import Arrival, Checker, State
from composer import ENCODED, MOST, Composer, addable
from conversation import Conversation
from header import Header
from palette import DARK, LIGHT, STEP, dress
from peer import Peer, found
from PySide6.QtCore import QLibraryInfo, Qt, QTimer, QTranslator
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMainWindow, QVBoxLayout, QWidget
from words import ALL, Words, of_this_system

from doorsill import Gate, HashList, Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QMimeData

_FRAME = 16  # milliseconds
_PATTERNS = "*.jpg *.jpeg *.png *.webp *.gif *.avif *.heic *.heif *.tif *.tiff *.bmp"


def host_does(words: Words) -> str:
    """Return what this app does with a picture that it stops; each host has to say its own."""
    return words.host_does


class Window(QMainWindow):
    """One conversation."""

    def __init__(self, checker: Checker, peer: Peer, words: Words, look: str = "system") -> None:
        """Show it empty, and start to test the gate.

        Args:
            checker: What screens and sends; the window starts and closes it.
            peer: For its name.
            words: The language to begin with.
            look: "light", "dark" or "system".
        """
        super().__init__()
        self.checker, self.peer, self.words, self.look = checker, peer, words, look
        self._pictures: dict[int, PictureBubble | TextBubble] = {}
        self._translator = QTranslator(self)
        self.header = Header(self)
        self.conversation = Conversation()
        self.composer = Composer(words, self._colours())
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.conversation, 1)
        column.addWidget(self.composer)
        self.setCentralWidget(middle)
        self._curtain = QLabel(self)
        self._curtain.setObjectName("curtain")
        self._curtain.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._curtain.setWordWrap(True)
        self._curtain.hide()
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)  # here, not where it is collected
        self.setMinimumSize(40 * STEP, 50 * STEP)
        self.resize(64 * STEP, 92 * STEP)
        self._connect()
        QShortcut(QKeySequence.StandardKey.Open, self, self.choose)
        self.speak(words)
        self.wear(look)
        self.composer.field.setFocus()
        checker.start()

    def _connect(self) -> None:
        queued = Qt.ConnectionType.QueuedConnection  # they come from another thread
        for signal, act in (
            (self.checker.protected, self._protected),
            (self.checker.unprotected, self._unprotected),
            (self.checker.joined, self._joined),
            (self.checker.offline, self._offline),
            (self.checker.loaded, self._loaded),
            (self.checker.unloadable, self._unloadable),
            (self.checker.moved, self._moved),
            (self.checker.arrived, self._arrived),
        ):
            signal.connect(act, queued)
        self.header.again.connect(self._again)
        self.composer.choosing.connect(self.choose)
        self.composer.sending.connect(self.send)
        self.composer.pasted.connect(self.add)
        self.composer.escaped.connect(self._escape)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    # ---- language and look

    def speak(self, words: Words) -> None:
        """Change the language, also that of Qt's own dialogs."""
        self.words = words
        QApplication.removeTranslator(self._translator)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._translator.load(f"qtbase_{words.code}", folder):
            QApplication.installTranslator(self._translator)
        self.setWindowTitle(f"{self.peer.name.capitalize() or words.echo} · doorsill")
        self._curtain.setText(words.drop)
        self.header.speak(words)
        self.conversation.speak(words)
        self.composer.speak(words)

    def wear(self, look: str) -> None:
        """Change the look."""
        self.look = look
        dress(QApplication.instance(), self._colours())
        self.composer.wear(self._colours())
        self.header.refresh()
        self.conversation.refit()

    def _colours(self) -> Any:
        scheme = QGuiApplication.styleHints().colorScheme()
        dark = self.look == "dark" or (self.look == "system" and scheme == Qt.ColorScheme.Dark)
        return DARK if dark else LIGHT

    def _system_changed(self) -> None:
        self.wear(self.look)

    # ---- what the person does

    def choose(self) -> None:
        """Let the person choose pictures."""
        kinds = f"{self.words.pictures} ({_PATTERNS});;{self.words.all_files} (*)"
        chosen, _ = QFileDialog.getOpenFileNames(self, self.words.choose, "", kinds)
        for path in chosen:
            self._load(Path(path), Path(path).name)

    def add(self, mime: QMimeData) -> None:
        """Add what was pasted or dropped."""
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        for path in paths:
            self._load(path, path.name)
        if paths:
            return
        for kind in ENCODED:  # as it is, where it was copied as a file's bytes
            if mime.hasFormat(kind) and mime.data(kind).size():
                ending = kind.partition("/")[2].replace("jpeg", "jpg")
                self._load(bytes(mime.data(kind).data()), f"{self.words.picture}.{ending}")
                return
        picture: Any = mime.imageData()
        if picture is not None:
            self._load(QImage(picture), f"{self.words.picture}.png")

    def _load(self, source: Any, name: str) -> None:
        if self.composer.fits():
            self.checker.load(source, name)
        else:
            self.composer.tell(self.words.too_many.format(count=MOST))

    def send(self, text: str, attachments: list[Attachment]) -> None:
        """Show and send."""
        for attachment in attachments:
            bubble = PictureBubble(self.words, attachment, self.checker, host_does)
            self._pictures[attachment.number] = bubble
            self.conversation.add(bubble, mine=True)
            # The bubble is drawn first, the check would be in its way.
            QTimer.singleShot(_FRAME, self, bubble.begin)
        if text:
            number = next(numbers)
            self._pictures[number] = TextBubble(self.words, "", text, mine=True)
            self.conversation.add(self._pictures[number], mine=True)
            self.checker.say(number, text)

    def _escape(self) -> None:
        """Stop the newest picture that is on its way, else take those out that wait to be sent."""
        for bubble in reversed(self.conversation.bubbles):
            if isinstance(bubble, PictureBubble) and not bubble.state.step.over:
                bubble.escape()
                return
        self.composer.empty()

    def _again(self) -> None:
        self.header.starting()
        self.checker.open()

    # ---- what the checker says

    def _protected(self) -> None:
        self.header.protected()

    def _unprotected(self, why: str) -> None:
        self.header.unprotected(why)

    def _joined(self) -> None:
        self.header.joined()

    def _offline(self, why: str) -> None:
        self.header.offline(why)

    def _loaded(self, attachment: Attachment) -> None:
        if self.composer.fits():  # several may have been under way
            self.composer.add(attachment)
        else:
            self.composer.tell(self.words.too_many.format(count=MOST))

    def _unloadable(self, name: str, large: bool) -> None:  # noqa: FBT001 - a signal's argument
        most = size_of(MOST_BYTES, self.words)
        said = self.words.too_large if large else self.words.not_read
        self.composer.tell(said.format(name=name, size=most))

    def _moved(self, number: int, state: State) -> None:
        bubble = self._pictures.get(number)
        if bubble is not None:
            bubble.reach(state)
            self.conversation.keep_up()

    def _arrived(self, arrival: Arrival) -> None:
        name = self.peer.name.capitalize()
        bubble: Bubble = (
            ArrivedBubble(self.words, name, arrival)
            if arrival.name
            else TextBubble(self.words, name, arrival.text, mine=False)
        )
        self.conversation.add(bubble, mine=False)

    # ---- Qt's events

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001 - Qt's name
        """Go from stop to stop as they stand: header, messages, field; new ones in their place."""
        tab = Qt.FocusPolicy.TabFocus
        stops = [
            each
            for each in self.findChildren(QWidget)
            if each.focusPolicy() & tab and each.isVisibleTo(self) and each.isEnabled()
        ]
        here = self.focusWidget()
        at = stops.index(here) if here in stops else -1
        following = stops[(at + (1 if forward else -1)) % len(stops)]
        reason = Qt.FocusReason
        following.setFocus(reason.TabFocusReason if forward else reason.BacktabFocusReason)
        self.conversation.reveal(following)
        return True

    def dragEnterEvent(self, event: Any) -> None:
        """Take pictures and files."""
        if addable(event.mimeData()):
            event.acceptProposedAction()
            gap = 2 * STEP
            self._curtain.setGeometry(self.rect().adjusted(gap, gap, -gap, -gap))
            self._curtain.raise_()
            self._curtain.show()

    def dragLeaveEvent(self, event: Any) -> None:
        """Forget it."""
        self._curtain.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: Any) -> None:
        """Add what was dropped."""
        self._curtain.hide()
        event.acceptProposedAction()
        self.add(event.mimeData())
        self.composer.field.setFocus()

    def closeEvent(self, event: Any) -> None:
        """End what goes on."""
        self.checker.close()
        super().closeEvent(event)


def open_gate(path: str, trust: str) -> Gate:
    """Return a gate before a list, or before the DEMO list."""
    if not path:
        data = files("doorsill").joinpath("data", "demo.dsl").read_bytes()
        return Gate(HashList(data, Trust.none(), path="the DEMO list"))
    return Gate(HashList.open(path, Trust.load(trust) if trust else Trust.none()))


def make_window(
    peer: Peer, make_gate: Callable[[], Gate], words: Words, look: str = "system"
) -> Window:
    """Return a window onto a peer, before a gate."""
    return Window(Checker(make_gate, lambda: peer), peer, words, look)


def main() -> int:
    """Run it until it is closed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", default="", help="a hash list; else the DEMO list")
    parser.add_argument("--trust", default="", help="the trust policy that it must meet")
    parser.add_argument("--language", choices=list(ALL), help="else that of the system")
    parser.add_argument("--look", choices=("system", "light", "dark"), default="system")
    parser.add_argument("--as", dest="me", choices=("alice", "bob"), default="alice")
    args = parser.parse_args()
    app = QApplication(sys.argv[:1])
    words = ALL[args.language] if args.language else of_this_system()
    window = make_window(found(args.me), lambda: open_gate(args.list, args.trust), words, args.look)
    window.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
