"""A chat window in an end-to-end encrypted room of a real server; .ci/full runs it.

python examples/matrix/server.py -- pytest tests/test_desktop_matrix.py
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

DESKTOP = str(Path(__file__).parent.parent / "examples/desktop")
# In a process of his own, as in life: matrix-nio's store does not bear two clients in one.
BOB = """
import asyncio, hashlib, json, os, sys
sys.path.append(sys.argv[1])
from peer import Matrix
def tell(*said):
    print(json.dumps(said), flush=True)
async def listen():
    peer = Matrix(os.environ, "bob")
    await peer.open(
        lambda each: tell(each.text, each.name, hashlib.sha256(each.data).hexdigest()),
        lambda: tell("joined"),
    )
    while line := await asyncio.to_thread(sys.stdin.readline):
        await peer.say(line.strip())
    await peer.close()
asyncio.run(listen())
"""


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


def stored() -> int:
    """Return how many bytes of media the server has."""
    media = Path(os.environ["DOORSILL_MATRIX_MEDIA"])
    return sum(each.stat().st_size for each in media.rglob("*") if each.is_file())


def test_with_somebody() -> None:
    """Text and picture arrive, decrypted and byte for byte; of a listed one none is uploaded."""
    app = QApplication.instance() or QApplication([])
    assert app
    heard: list[Any] = []
    bob = subprocess.Popen([sys.executable, "-c", BOB, DESKTOP], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert bob.stdin is not None
    assert bob.stdout is not None
    lines = bob.stdout
    hearing = threading.Thread(target=lambda: heard.extend(map(json.loads, lines)), daemon=True)
    hearing.start()
    alice = make_window(Matrix(os.environ, "alice"), lambda: Gate(demo_list()), ENGLISH, "light")
    try:
        wait(lambda: "Encrypted" in said(alice) and ["joined"] in heard, 60)
        alice.composer.field.setPlainText("Coffee?")
        alice.composer.send()
        wait(lambda: len(heard) == 2, 30)
        assert "Coffee?" == heard[1][0]
        assert Step.SENT == send(alice, ORDINARY, "coffee.jpg")
        wait(lambda: len(heard) == 3, 30)
        assert ["", "coffee.jpg", hashlib.sha256(ORDINARY).hexdigest()] == heard[2]
        before = stored()
        assert before >= len(ORDINARY)
        assert Step.BLOCKED == send(alice, smaller("lighthouse.jpg", 640), "picture.jpg")
        bob.stdin.write("Thank you\n")
        bob.stdin.flush()
        wait(lambda: "Thank you" in said(alice), 30)
        QTest.qWait(500)
        assert stored() == before
        assert 3 == len(heard)
    finally:
        alice.close()
        bob.stdin.close()
        assert 0 == bob.wait(30)
        hearing.join()
        bob.stdout.close()
