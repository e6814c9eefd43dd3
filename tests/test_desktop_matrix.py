"""Two chat windows in one end-to-end encrypted room of a real server; .ci/full runs it.

python examples/matrix/server.py -- pytest tests/test_desktop_matrix.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if "DOORSILL_MATRIX_URL" not in os.environ:
    pytest.skip("no Matrix server; see this file's first lines", allow_module_level=True)
pytest.importorskip("PySide6.QtWidgets", reason="pip install '.[desktop]'", exc_type=ImportError)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.append(str(Path(__file__).parent.parent / "examples/desktop"))

import parts
from checker import Step
from peer import Matrix
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from screenshots import smaller, wait
from window import make_window
from words import ENGLISH

from doorsill import Gate
from embedding import ORDINARY, demo_list

if TYPE_CHECKING:
    from window import Window


def said(window: Window) -> str:
    """Return all that a window says."""
    return "\n".join(each.toPlainText() for each in window.findChildren(parts.Prose))


def send(window: Window, data: bytes, name: str) -> Step:
    """Send a picture, and return how far it got."""
    window.checker.load(data, name)
    wait(lambda: window.composer.chips)
    window.composer.send()
    bubble = window.conversation.bubbles[-1]
    wait(lambda: bubble.rests, 30)
    return bubble.state.step


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what matrix-nio is made with
def test_two_windows() -> None:
    """A picture and a text arrive decrypted; of a listed one no byte reaches the server."""
    app = QApplication.instance() or QApplication([])
    assert app
    media = Path(os.environ["DOORSILL_MATRIX_MEDIA"])
    alice, bob = (
        make_window(Matrix(os.environ, me), lambda: Gate(demo_list()), ENGLISH, "light")
        for me in ("alice", "bob")
    )
    try:
        wait(lambda: "Encrypted" in said(alice) and "Encrypted" in said(bob), 60)
        alice.composer.field.setPlainText("Coffee?")
        alice.composer.send()
        wait(lambda: "Coffee?" in said(bob), 30)
        assert Step.SENT == send(alice, ORDINARY, "coffee.jpg")
        wait(lambda: "coffee.jpg" in said(bob), 30)
        arrived = bob.conversation.bubbles[-1]._arrival  # noqa: SLF001 - what it shows
        assert (len(ORDINARY), True) == (arrived.size, arrived.preview is not None)
        before = sum(each.stat().st_size for each in media.rglob("*") if each.is_file())
        assert before >= len(ORDINARY)
        assert Step.BLOCKED == send(alice, smaller("lighthouse.jpg", 640), "picture.jpg")
        QTest.qWait(500)
        after = sum(each.stat().st_size for each in media.rglob("*") if each.is_file())
        assert after == before
        assert 2 == len(bob.conversation.bubbles)
    finally:
        alice.close()
        bob.close()
