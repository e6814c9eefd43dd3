"""The chat window of examples/desktop: what is sent, what is stopped, what the person is told."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
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

import attachments
import cards
import parts
from checker import Step
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from screenshots import Scene, cut, smaller, wait
from words import ENGLISH, GERMAN

from doorsill import (
    Action,
    Cancelled,
    DoorsillError,
    Evidence,
    Gate,
    Match,
    Outcome,
    Policy,
    Verdict,
    testcard,
)
from drawn import saved
from drawn import scene as drawing
from embedding import LISTED, ORDINARY, demo_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubbles import PictureBubble

TEXT = b"a shopping list"
CARD = testcard.test_card()


def quick(policy: Policy | None = None) -> Callable[[], Gate]:
    """Return what opens a gate that decodes in this process, for speed."""
    return lambda: Gate(demo_list(), policy, isolation="inline")


class Stuck(Gate):
    """A gate that is not done with any picture but the test card until it is cancelled."""

    def __init__(self) -> None:
        """Stand before the demo's list."""
        super().__init__(demo_list(), isolation="inline")
        self.begun, self.ended = threading.Event(), threading.Event()

    def read(self, picture: Any, **options: Any) -> Any:
        """As of a Gate."""
        if picture == CARD:
            return super().read(picture, **options)
        self.begun.set()
        options["cancel"].wait(20)
        self.ended.set()
        raise Cancelled("it was")


@pytest.fixture(scope="module")
def app() -> QApplication:
    """Return the application, of which a process can have but one."""
    return QApplication.instance() or QApplication([])


@pytest.fixture
def opened(app: QApplication) -> Iterator[Callable[..., Scene]]:
    """Return what opens windows; they are closed at the end."""
    assert app
    scenes: list[Scene] = []

    def open_window(make_gate: Callable[[], Gate] | None = None, **options: Any) -> Scene:
        scenes.append(Scene(ENGLISH, "light", make_gate or quick(), **options))
        return scenes[-1]

    yield open_window
    for each in scenes:
        each.window.close()


def sent(scene: Scene, data: bytes, name: str = "picture.jpg") -> PictureBubble:
    """Send a picture; return its bubble once it rests, and what has arrived is shown."""
    scene.add(data, name)
    scene.send()
    bubble = scene.window.conversation.bubbles[-1]
    wait(lambda: bubble.rests)
    QTest.qWait(50)  # for the other side
    return bubble


def arrivals(scene: Scene) -> list[Any]:
    """Return what came back, as it came."""
    return [each for each in scene.window.conversation.bubbles if hasattr(each, "_arrival")]


def texts(bubble: Any) -> str:
    """Return all that a bubble says, once its layout has shown it."""
    QTest.qWait(50)
    return "\n".join(each.toPlainText() for each in bubble.findChildren(parts.Prose)
                     if not each.isHidden())  # fmt: skip


def buttons(bubble: Any) -> dict[str, parts.Button]:
    """Return a bubble's buttons by what a screen reader calls them."""
    return {each.accessibleName(): each for each in bubble.findChildren(parts.Button)
            if not each.isHidden()}  # fmt: skip


def test_ordinary_picture_arrives(opened: Callable[..., Scene]) -> None:
    """What arrives is what was chosen, byte for byte, and the bubble says "Sent"."""
    got = []
    scene = opened()
    peer = scene.window.peer
    wait(lambda: hasattr(peer._receive, "__self__"))  # noqa: SLF001 - it is opened in a thread
    receive = peer._receive  # noqa: SLF001 - what the echo hands back
    peer._receive = lambda each: (got.append(each), receive(each))  # noqa: SLF001
    bubble = sent(scene, ORDINARY, "coffee.jpg")
    assert Step.SENT == bubble.state.step
    assert "Sent" in texts(bubble)
    wait(lambda: arrivals(scene))
    assert [("coffee.jpg", ORDINARY)] == [(each.name, each.data) for each in got]


def test_listed_picture_is_stopped(opened: Callable[..., Scene]) -> None:
    """A listed picture reaches nobody; the card says all that it has to, and shows it no more."""
    scene = opened()
    bubble = sent(scene, smaller("lighthouse.jpg", 640))
    assert Step.BLOCKED == bubble.state.step
    assert [] == arrivals(scene)
    said = texts(bubble)
    for sentence in (ENGLISH.blocked, "DEMO list of harmless pictures", "DEMO publisher (no one)",
                     ENGLISH.on_device, ENGLISH.host_does, ENGLISH.care,
                     "Reference: e3254ddcfb36-1", "example.org"):  # fmt: skip
        assert sentence in said
    in_browser = "opens example.org in your browser"
    assert {f"Get help: {in_browser}", f"Ask for a review: {in_browser}",
            "Copy: e3254ddcfb36-1"} == {*buttons(bubble)}  # fmt: skip
    assert [] == bubble.findChildren(parts.Picture)
    assert b"" == bubble.attachment.data
    assert bubble.attachment.preview is None


def test_card_buttons(opened: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    """Help and appeal open the list's links; the reference goes to the clipboard if asked for."""
    opened_links: list[str] = []
    monkeypatch.setattr(parts.QDesktopServices, "openUrl", lambda u: opened_links.append(u.url()))
    found = buttons(sent(opened(), LISTED))
    for name in sorted(found):
        found[name].click()
    assert ["https://example.org/DEMO-appeal", "https://example.org/DEMO-help"] == opened_links
    assert "e3254ddcfb36-1" == QGuiApplication.clipboard().text()


def test_host_must_say_what_it_does() -> None:
    """There is no card without a text on what the app does with the picture."""
    with pytest.raises(ValueError, match="host_does is empty"):
        cards.blocked(verdict(), [], ENGLISH, "  ", print)


@pytest.mark.parametrize("anyway", [True, False])
def test_warning_asks(opened: Callable[..., Scene], anyway: bool) -> None:  # noqa: FBT001 - a case
    """A warned picture waits for the person, in neutral words, and what they choose is done."""
    scene = opened(quick(Policy.cautious()))
    bubble = sent(scene, smaller("lighthouse.jpg", 640))
    assert Step.ASKING == bubble.state.step
    assert "It resembles an entry" in texts(bubble)
    assert [] == arrivals(scene)
    assert scene.window.composer.field is scene.window.focusWidget()  # no answer by accident
    found = buttons(bubble)
    assert not any(each.isDefault() for each in found.values())
    found["Send anyway" if anyway else "Don't send"].click()
    wait(lambda: bubble.state.step.over)
    assert (Step.SENT if anyway else Step.DECLINED) == bubble.state.step
    QTest.qWait(50)
    assert anyway == bool(arrivals(scene))


def test_unreadable_asks_in_words(opened: Callable[..., Scene]) -> None:
    """A damaged picture is asked about in plain words, without codes; under strict it is held."""
    bubble = sent(opened(), cut())
    assert Step.ASKING == bubble.state.step
    assert ENGLISH.unread in texts(bubble)
    assert ENGLISH.damaged in texts(bubble)
    assert "broken" not in texts(bubble)
    held = sent(opened(quick(Policy.strict())), cut())
    assert Step.BLOCKED == held.state.step
    assert ENGLISH.unread_held in texts(held)
    assert "entry" not in texts(held)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (TEXT, "list.txt", ENGLISH.not_a_picture),
        (saved(drawing((8, 8)).resize((320, 240)).convert("L").point([128] * 256), "PNG"), "a.png",
         ENGLISH.little_detail),
    ],
)  # fmt: skip
def test_sent_says_what_was_not_compared(
    opened: Callable[..., Scene], data: bytes, name: str, said: str
) -> None:
    """What could not be compared is sent, and its bubble says so."""
    bubble = sent(opened(), data, name)
    assert Step.SENT == bubble.state.step
    assert said in texts(bubble)


def test_broken_gate_claims_nothing(opened: Callable[..., Scene]) -> None:
    """Where the test card fails, no protection is claimed, no picture goes, and texts still do."""
    works: list[bool] = []

    def gate() -> Gate:
        if not works:
            raise DoorsillError("the test card does not match")
        return quick()()

    scene = opened(gate)
    shown = texts(scene.window)
    assert ENGLISH.unprotected in shown
    assert "the test card does not match" in shown
    assert ENGLISH.checked not in shown
    scene.window.speak(GERMAN)
    assert GERMAN.unprotected in texts(scene.window)
    scene.window.speak(ENGLISH)
    bubble = sent(scene, ORDINARY)
    assert Step.NO_CHECK == bubble.state.step
    assert [] == arrivals(scene)
    scene.send("hello")
    wait(lambda: len(scene.window.conversation.bubbles) == 3)
    works.append(True)
    scene.window.header.findChildren(parts.Button)[-1].click()
    wait(lambda: ENGLISH.checked in texts(scene.window))
    assert ENGLISH.unprotected not in texts(scene.window)
    buttons(bubble)[ENGLISH.again].click()
    wait(lambda: bubble.state.step == Step.SENT)


def test_gate_that_lets_the_card_through(opened: Callable[..., Scene]) -> None:
    """A gate whose policy sends even the test card is no protection, and is not called one."""
    sends = Policy(**dict.fromkeys(("exact", "agreed", "single"), Action.SEND))
    scene = opened(quick(sends))
    assert ENGLISH.checked not in texts(scene.window)
    assert "even the test card would be sent" in texts(scene.window)


@pytest.mark.parametrize("at_once", [False, True])
def test_cancel(opened: Callable[..., Scene], at_once: bool) -> None:  # noqa: FBT001
    """Cancel ends a screening or keeps it from beginning; it can be tried again."""
    gate = Stuck()
    scene = opened(lambda: gate)
    scene.add(ORDINARY, "coffee.jpg")
    scene.send()
    bubble = scene.window.conversation.bubbles[-1]
    assert ENGLISH.checking in texts(bubble)
    wait(lambda: at_once or gate.begun.is_set())
    buttons(bubble)[ENGLISH.cancel].click()
    wait(lambda: bubble.state.step == Step.CANCELLED)
    assert at_once or gate.ended.wait(5)
    assert [] == arrivals(scene)
    assert ENGLISH.again in buttons(bubble)


def test_closing_ends_everything(opened: Callable[..., Scene]) -> None:
    """Closing the window in the midst of a check ends the thread and the workers at once."""
    scene = opened(lambda: Gate(demo_list()))
    scene.add(saved(Image.effect_noise((2000, 2000), 60), "PNG"), "large.png")
    scene.send()
    checker = scene.window.checker
    assert checker.gate is not None
    pool = checker.gate._pool  # noqa: SLF001 - no host needs its processes
    assert pool is not None
    scene.window.close()
    assert not checker._thread.is_alive()  # noqa: SLF001 - likewise
    assert all(not each.alive for each in pool._all)  # noqa: SLF001 - likewise


def test_snapshot_is_what_goes(opened: Callable[..., Scene], tmp_path: Path) -> None:
    """A file that changes after it was added is screened and sent as it was when it was added."""
    file = tmp_path / "changing.jpg"
    file.write_bytes(ORDINARY)
    scene = opened()
    scene.add(file, file.name)
    file.write_bytes(LISTED)
    scene.send()
    bubble = scene.window.conversation.bubbles[-1]
    wait(lambda: bubble.rests and arrivals(scene))
    assert Step.SENT == bubble.state.step
    assert len(ORDINARY) == arrivals(scene)[0]._arrival.size  # noqa: SLF001 - as it came


def test_drop_and_paste(opened: Callable[..., Scene], tmp_path: Path) -> None:
    """Files, encoded pictures and pasted pixels can be added; text is pasted as text."""
    scene = opened()
    composer, add = scene.window.composer, scene.window.add
    (tmp_path / "a.jpg").write_bytes(ORDINARY)
    dropped, encoded, pixels = QMimeData(), QMimeData(), QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.jpg"))])
    encoded.setData("image/png", saved(drawing(), "PNG"))
    pixels.setImageData(QImage(40, 30, QImage.Format.Format_RGB32))
    for count, mime in enumerate((dropped, encoded, pixels), 1):
        add(mime)
        wait(lambda: len(composer.chips) == count)  # noqa: B023 - waited for at once
    assert ORDINARY == composer.chips[0].attachment.data
    assert b"\x89PNG" == composer.chips[2].attachment.data[:4]
    words = QMimeData()
    words.setText("hello <b>you</b>")
    composer.field.insertFromMimeData(words)
    assert "hello <b>you</b>" == composer.field.toPlainText()
    composer.chips[0].button.click()
    assert 2 == len(composer.chips)


def test_what_cannot_be_added(opened: Callable[..., Scene], tmp_path: Path,
                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A pipe, a missing file and one that is too large are refused in words, and nothing hangs."""
    scene = opened()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(attachments, "MOST_BYTES", 8)
    (tmp_path / "large").write_bytes(TEXT)
    for name, said in (("pipe", "cannot be opened"), ("none", "cannot be opened"),
                       ("large", "is larger than")):  # fmt: skip
        scene.window._load(tmp_path / name, name)  # noqa: SLF001 - as chosen in a dialog
        wait(lambda: said in texts(scene.window.composer))  # noqa: B023 - waited for at once
        scene.window.composer.tell("")
    assert [] == scene.window.composer.chips


def test_hostile_list_texts(app: QApplication) -> None:
    """A list's texts are shown as plain text, shortened and in order; its links are https only."""
    assert app
    nasty = "<b>\u202eevil\x07" + "x" * 600
    for link in ("http://example.org/", "javascript:alert(1)", "https://", "file:///etc/passwd",
                 "https://help.example@evil.example/", "https://e.org/" + "x" * 600):  # fmt: skip
        match = replace(verdict().matches[0], list=nasty, publisher=nasty, help=link, appeal=link)
        shown = cards.blocked(
            replace(verdict(), matches=(match,)), [], ENGLISH, "It keeps nothing.", print
        )
        said = [each.toPlainText() for each in shown if isinstance(each, parts.Prose)]
        assert any("“<b>evilxxx" in each for each in said)
        assert all(len(each) < 300 and "\u202e" not in each and "\x07" not in each for each in said)
        names = [each.accessibleName() for part in shown if isinstance(part, parts.Buttons)
                 for each in part.findChildren(parts.Button)]  # fmt: skip
        assert ["Copy: 00aabbccddee-3"] == names
    idn = parts.link("Help", "https://exämple.org/hilfe", ENGLISH)
    assert idn is not None
    assert "xn--exmple-cua.org" in buttons(idn).popitem()[0]


def test_keys(opened: Callable[..., Scene]) -> None:
    """Enter sends, Shift and Enter do not, Escape takes out what waits, and stops what goes on."""
    scene = opened(quick(Policy.cautious()))
    field = scene.window.composer.field
    QTest.keyClicks(field, "one")
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(field, "two")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "one\ntwo" in texts(scene.window.conversation)
    scene.add(LISTED, "a.jpg")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert [] == scene.window.composer.chips
    bubble = sent(scene, smaller("lighthouse.jpg", 640))
    assert Step.ASKING == bubble.state.step
    QTest.keyClick(field, Qt.Key.Key_Escape)
    wait(lambda: bubble.state.step == Step.DECLINED)
    again = sent(scene, smaller("lighthouse.jpg", 640))
    button = buttons(again)["Send anyway"]
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    wait(lambda: again.state.step == Step.SENT)


def verdict() -> Verdict:
    """Return a verdict that stops a picture."""
    match = Match("LIST", "00aabbccddee", "CATEGORY", "PUBLISHER", "pdq", "full", 4,
                  Evidence.SINGLE, Action.BLOCK, "as shown", test=False, epoch=3)  # fmt: skip
    return Verdict(Outcome.MATCH, Action.BLOCK, Evidence.SINGLE, "rule", (match,), 100, (),
                   "worker", "none", 1.0)  # fmt: skip
