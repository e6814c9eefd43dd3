"""Makes pictures of the window, without a screen: window.png beside this file, or all of them.

    QT_QPA_PLATFORM=offscreen python examples/desktop/screenshots.py [FOLDER]

With a folder: every card in every language, light and dark, narrow, and with large letters.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peer import Echo
from PIL import Image
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication
from window import Window, make_window, open_gate
from words import ALL, ENGLISH, Words

from doorsill import DoorsillError, Gate, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorsill import Verdict

_SECONDS = 20
_POLL_MILLISECONDS = 5
_NORMAL, _NARROW, _TALL = (544, 736), (320, 640), (544, 816)
_POINTS, _LARGE = 10, 18


def wait(happened: Callable[[], object], seconds: float = _SECONDS) -> None:
    """Run the window until something has happened.

    Raises:
        TimeoutError: It has not.
    """
    end = time.monotonic() + seconds
    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: loop.quit() if happened() or time.monotonic() > end else None)
    poll.start(_POLL_MILLISECONDS)
    loop.exec()
    if not happened():
        raise TimeoutError("the window does not get there")


def bundled(name: str) -> bytes:
    """Return one of doorsill's own harmless pictures."""
    return files("doorsill").joinpath("data", name).read_bytes()


def smaller(name: str, side: int) -> bytes:
    """Return one of them as a messenger would make it."""
    with Image.open(io.BytesIO(bundled(name))) as picture:
        picture.thumbnail((side, side))
        again = io.BytesIO()
        picture.save(again, "JPEG", quality=80)
    return again.getvalue()


def cut() -> bytes:
    """Return a picture of which the end is missing."""
    whole = bundled("coffee.jpg")
    return whole[: len(whole) // 2]


class _Slow(Gate):
    """A gate that takes its time, for a picture of that."""

    async def screen_async(self, picture: Any, **options: Any) -> Verdict:
        await asyncio.sleep(_SECONDS)
        return await super().screen_async(picture, **options)


class Scene:
    """A window in which something has happened."""

    def __init__(self, words: Words, look: str, make_gate: Callable[[], Gate] | None = None,
                 size: tuple[int, int] = _NORMAL, points: int = _POINTS) -> None:  # fmt: skip
        """Open it, and wait until it knows whether pictures are checked."""
        QApplication.setFont(QFont(QApplication.font().family(), points))
        self.window: Window = make_window(
            Echo(), make_gate or (lambda: open_gate("", "")), words, look
        )
        self.window.resize(*size)
        self.window.show()
        wait(lambda: self.window.header.known)

    def add(self, data: bytes, name: str) -> None:
        """Put a picture beside the text."""
        before = len(self.window.composer.chips)
        self.window.checker.load(data, name)
        wait(lambda: len(self.window.composer.chips) > before)

    def send(self, text: str = "") -> None:
        """Send what is there."""
        self.window.composer.field.setPlainText(text)
        self.window.composer.send()

    def settled(self, more: int) -> None:
        """Wait until so many bubbles are there and nothing more will happen by itself."""
        shown = self.window.conversation.bubbles
        wait(lambda: len(shown) >= more and all(each.rests for each in shown))

    def save(self, path: Path) -> None:
        """Draw it into a file, and close it."""
        for _ in range(20):
            QApplication.processEvents()
        drawn = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
        size = drawn.width(), drawn.height()
        picture = Image.frombytes("RGBA", size, bytes(drawn.constBits()))
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        self.window.close()


def talk(words: Words, look: str, **options: Any) -> Scene:
    """Return an ordinary picture that was sent, and a listed one that was not."""
    scene = Scene(words, look, **options)
    scene.add(smaller("coffee.jpg", 240), "coffee.jpg")
    scene.send()
    scene.settled(2)
    scene.add(smaller("lighthouse.jpg", 640), "lighthouse.jpg")
    scene.send()
    scene.settled(3)
    return scene


def question(words: Words, look: str, picture: bytes, **options: Any) -> Scene:
    """Return a picture that the person is asked about."""

    def cautious() -> Gate:
        return Gate(open_gate("", "").lists, Policy.cautious())

    scene = Scene(words, look, cautious, **options)
    scene.add(picture, "picture.jpg")
    scene.send()
    scene.settled(1)
    return scene


def progress(words: Words, look: str, **options: Any) -> Scene:
    """Return a picture that is being checked, and a message with another that is being written."""
    lists = open_gate("", "").lists
    scene = Scene(words, look, lambda: _Slow(lists), **options)
    scene.add(bundled("coffee.jpg"), "coffee.jpg")
    scene.send()
    scene.add(bundled("coffee.jpg"), "coffee.jpg")
    scene.add(b"text", "notes.txt")
    scene.window.composer.field.setPlainText(words.echo_line)
    return scene


def broken(words: Words, look: str, **options: Any) -> Scene:
    """Return a window whose gate does not work."""

    def no_gate() -> Gate:
        raise DoorsillError("the test card does not match; run `doorsill doctor`")

    scene = Scene(words, look, no_gate, **options)
    scene.add(bundled("coffee.jpg"), "coffee.jpg")
    scene.send()
    scene.settled(1)
    return scene


def main() -> None:
    """Make one, or all."""
    QApplication([])
    if len(sys.argv) < 2:  # noqa: PLR2004 - no folder
        talk(ENGLISH, "light", size=_TALL).save(Path(__file__).with_name("window.png"))
        return
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, dict[str, Any]] = {
        "": {},
        "-narrow": {"size": _NARROW},
        "-large": {"points": _LARGE},
    }
    for words in ALL.values():
        for shape, options in shapes.items():
            look = "light" if shape else "dark"
            name = f"{words.code}{shape}.png"
            talk(words, look, **options).save(folder / f"blocked-{name}")
            match = smaller("lighthouse.jpg", 640)
            question(words, look, match, **options).save(folder / f"asked-{name}")
            question(words, look, cut(), **options).save(folder / f"unread-{name}")
            progress(words, look, **options).save(folder / f"progress-{name}")
            broken(words, look, **options).save(folder / f"broken-{name}")


if __name__ == "__main__":
    main()
