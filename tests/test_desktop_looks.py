"""How the chat window reads, looks, and is reached without a mouse or without sight."""

from __future__ import annotations

import os
import string
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip(
    "PySide6.QtWidgets",
    reason="examples/desktop is NOT tested: pip install '.[desktop]'",
    exc_type=ImportError,
)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.append(str(Path(__file__).parent.parent / "examples/desktop"))

import bubbles
import conversation
import parts
import screenshots
from palette import DARK, LIGHT, STEP, Colours
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from screenshots import Scene, cut, question, smaller, talk, wait
from words import ALL, ENGLISH, Words, why_unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Words that would make somebody of the person who meets a card.
ACCUSING = {
    "en": ("illegal", "abus", "crim", "offen", "violat", "suspect", "guilt", "caught", "police"),
    "de": (
        "illegal",
        "verboten",
        "missbrauch",
        "straf",
        "verstoß",
        "verdächt",
        "polizei",
        "schuld",
    ),
    "es": ("ilegal", "prohib", "abus", "delit", "infrac", "sospech", "culp", "policía"),
}


@pytest.fixture(scope="module")
def app() -> QApplication:
    """Return the application, of which a process can have but one."""
    return QApplication.instance() or QApplication([])


@pytest.fixture
def shown(app: QApplication) -> Iterator[Callable[[Scene], Scene]]:
    """Return what keeps a scene until the end of the test."""
    assert app
    scenes: list[Scene] = []

    def keep(scene: Scene) -> Scene:
        scenes.append(scene)
        QTest.qWait(50)
        return scene

    yield keep
    for each in scenes:
        each.window.close()


def placeholders(text: str) -> set[str]:
    """Return the names that a sentence wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("words", ALL.values(), ids=list(ALL))
def test_languages_are_whole(words: Words) -> None:
    """Every language has every sentence, with the same names in it, and none is left in English."""
    same = set()
    for name, text in asdict(words).items():
        english = getattr(ENGLISH, name)
        assert text.strip()
        assert placeholders(english) == placeholders(text), name
        if text == english and words is not ENGLISH:
            same.add(name)
    assert same <= {"code", "echo", "at"}


@pytest.mark.parametrize("words", ALL.values(), ids=list(ALL))
def test_no_language_accuses(words: Words) -> None:
    """No sentence names a crime, the police, or guilt."""
    for text in asdict(words).values():
        assert not [each for each in ACCUSING[words.code] if each in text.lower()], text


@pytest.mark.parametrize("words", ALL.values(), ids=list(ALL))
@pytest.mark.parametrize("reason", ["time: x", "broken: x", "format: x", "frames: x", "", "new: x"])
def test_every_reason_has_words(words: Words, reason: str) -> None:
    """Whatever could not be read is told in words, also where the reason is a new one."""
    assert why_unread(words, reason).endswith(".")


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG 2.2 defines it."""
    parts_ = [each / 255 for each in QColor(colour).getRgb()[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts_]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio, as WCAG 2.2 defines it."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours: Colours) -> None:
    """Text reaches a contrast of 4.5, what marks a control 3."""
    assert 21 == round(contrast("#000000", "#ffffff"))
    behind = (colours.window, colours.surface, colours.mine)
    for under in behind:
        for text in (colours.text, colours.quiet, colours.accent):
            assert contrast(text, under) >= 4.5
        assert contrast(colours.edge, under) >= 3
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    assert contrast(colours.on_notice, colours.notice) >= 4.5


def unclipped(scene: Scene) -> None:
    """Assert that every text of a window is in sight as a whole, or can be scrolled to."""
    QTest.qWait(50)  # for the layout
    window = scene.window
    room = window.conversation.viewport().width()
    for bubble in window.conversation.bubbles:
        assert 0 <= bubble.mapTo(window.conversation, QPoint(0, 0)).x()
        assert bubble.mapTo(window.conversation, QPoint(bubble.width(), 0)).x() <= room
    for prose in window.findChildren(parts.Prose):
        if prose.isVisibleTo(window) and prose.toPlainText():
            size = prose.document().size()
            assert size.height() <= prose.height() + 1, prose.toPlainText()
            assert size.width() <= prose.width() + 1, prose.toPlainText()
            assert inside(prose), prose.toPlainText()
    for button in window.findChildren(parts.Button):
        if button.isVisibleTo(window):
            assert button.sizeHint().width() <= button.width()
            assert inside(button), button.accessibleName()


def inside(widget: QWidget) -> bool:
    """Tell whether a widget lies within its parent."""
    return widget.parentWidget().rect().contains(widget.geometry())


@pytest.mark.parametrize("words", ALL.values(), ids=list(ALL))
@pytest.mark.parametrize("options", [{}, {"size": (320, 640)}, {"points": 20}],
                         ids=["usual", "narrow", "large"])  # fmt: skip
def test_nothing_is_clipped(
    shown: Callable[[Scene], Scene], words: Words, options: dict[str, Any]
) -> None:
    """In every language, narrow or with large letters, no word is cut off."""
    unclipped(shown(talk(words, "light", **options)))
    unclipped(shown(question(words, "dark", smaller("lighthouse.jpg", 640), **options)))
    unclipped(shown(question(words, "light", cut(), **options)))
    unclipped(shown(screenshots.broken(words, "light", **options)))


def test_long_words_wrap(shown: Callable[[Scene], Scene]) -> None:
    """A word without an end does not widen its bubble, nor the window."""
    scene = shown(Scene(ENGLISH, "light", size=(320, 640)))
    scene.send("x" * 400)
    wait(lambda: len(scene.window.conversation.bubbles) == 2)
    unclipped(scene)


def test_language_and_look_change(shown: Callable[[Scene], Scene]) -> None:
    """Both change at any time, also of what is shown already."""
    scene = shown(talk(ENGLISH, "light"))
    for words in ALL.values():
        scene.window.speak(words)
        QTest.qWait(50)  # for the layout
        said = "\n".join(each.toPlainText() for each in scene.window.findChildren(parts.Prose)
                         if not each.isHidden())  # fmt: skip
        assert words.blocked in said
        assert words.host_does in said
        assert words.checked in said
        others = [each for each in ALL.values() if each is not words]
        assert not any(each.blocked in said or each.on_device in said for each in others)
    for look, colours in (("dark", DARK), ("light", LIGHT)):
        scene.window.wear(look)
        drawn = scene.window.grab().toImage()
        spot = scene.window.conversation.mapTo(scene.window, QPoint(4, STEP // 2))
        assert colours.window == drawn.pixelColor(spot).name()


def stops(window: QWidget) -> list[QWidget]:
    """Return where Tab leads, from the field once around."""
    found = []
    for _ in range(60):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        found.append(window.focusWidget())
        if found[-1] is window.composer.field:
            return found
    raise AssertionError("Tab does not come back")


def test_tab_order_and_names(shown: Callable[[Scene], Scene]) -> None:
    """Tab leads from header over messages to the field; each stop has a name, and Shift turns."""
    scene = shown(question(ENGLISH, "light", smaller("lighthouse.jpg", 640)))
    window = scene.window
    found = stops(window)
    names = []
    for each in found:
        spoken = QAccessible.queryAccessibleInterface(each)
        names.append(spoken.text(QAccessible.Text.Name))
    assert "" not in names
    assert names == [
        "Settings",
        next(each for each in names if each.startswith("Picture picture.jpg. Send this picture?")),
        "Get help: opens example.org in your browser",
        "Ask for a review: opens example.org in your browser",
        "Copy: e3254ddcfb36-1",
        "Don't send",
        "Send anyway",
        "Choose a picture",
        "Write a message",
    ]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Backtab)
    assert window.composer.add_button is window.focusWidget()


def test_arrows_between_messages(shown: Callable[[Scene], Scene]) -> None:
    """The arrow keys go from message to message; Escape in an asking one means no."""
    scene = shown(question(ENGLISH, "light", cut()))
    scene.send("hello")
    window = scene.window
    wait(lambda: len(window.conversation.bubbles) == 3)
    asking, mine, theirs = window.conversation.bubbles
    theirs.setFocus()
    for expected in (mine, asking, asking):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Up)
        assert expected is window.focusWidget()
    QTest.keyClick(asking, Qt.Key.Key_Escape)
    wait(lambda: asking.state.step.over)
    assert ENGLISH.declined in asking.accessibleName()


def test_announcements(shown: Callable[[Scene], Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen reader hears each step without the focus being moved."""
    heard: list[str] = []
    told = bubbles.QAccessible.updateAccessibility

    def hear(event: Any) -> None:
        heard.append(event.message())
        told(event)

    monkeypatch.setattr(bubbles.QAccessible, "updateAccessibility", hear)
    scene = shown(question(ENGLISH, "light", smaller("lighthouse.jpg", 640)))
    assert [ENGLISH.ask] == heard[-1:]
    assert scene.window.composer.field is scene.window.focusWidget()


def test_colours_have_a_use() -> None:
    """Every colour stands in the style sheet or in the palette."""
    import palette  # noqa: PLC0415 - its source is what is asked

    source = Path(palette.__file__).read_text()
    assert all(f"@{each.name}" in source or f"colours.{each.name}" in source
               for each in fields(Colours))  # fmt: skip


def test_bubbles_are_bounded(
    shown: Callable[[Scene], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many messages are kept on the screen; the oldest go."""
    monkeypatch.setattr(conversation, "_MOST", 4)
    scene = shown(Scene(ENGLISH, "light"))
    kept = scene.window.conversation.bubbles
    for number in range(6):
        scene.send(f"message {number}")
    wait(lambda: [each.summary() for each in kept[-2:]] == ["message 4", "message 5"])
    assert 4 == len(kept)
