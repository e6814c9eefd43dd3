"""What the Python embeddings share: nothing passes unscreened, and a dead gate is noticed."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hook import Hook, Refused, snapshot_of
from PIL import Image

import embedding
from doorsill import (
    Action,
    DoorsillError,
    Gate,
    HashList,
    Outcome,
    Policy,
    Trust,
    Verdict,
    core,
    hash_image,
)
from drawn import scene
from embedding import LISTED, MESSENGERS, ORDINARY, demo_file, re_encoded
from lists import hash_list
from publisher import NOW, Publisher, policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PHOTOS = sorted(Path(__file__).parent.glob("data/images/*.jpg"))


def check(hook: Hook, data: bytes, **options: Any) -> None:
    """Run a check to its end, and see that what passed can be sent from its beginning."""
    snapshot = io.BytesIO(data)
    asyncio.run(hook.check(snapshot, **options))
    assert data == snapshot.read()


def test_ordinary_and_listed() -> None:
    """An ordinary photo passes; a listed one does not, and the person can be told why."""
    hook = embedding.hook()
    check(hook, ORDINARY)
    with pytest.raises(Refused, match="not sent: ") as refused:
        check(hook, LISTED)
    assert "appeal" in refused.value.verdict.receipt().lower()
    assert "DEMO" in hook.claim
    assert "trust: none" in hook.claim


def test_signed_lists(tmp_path: Path) -> None:
    """An embedding opens the list that it accepted, and may say who vouched for it."""
    (tmp_path / "trust.txt").write_bytes(policy())
    trust = Trust.load(tmp_path / "trust.txt")
    publisher = Publisher()
    publisher.skip(1)  # the DEMO list says that it is epoch 1
    release = publisher.publish(demo_file().read_bytes())
    HashList.accept(release.write(tmp_path / "new.dsl"), tmp_path / "lists", trust, now=NOW)
    hook = Hook(Gate(HashList.open(tmp_path / "lists", trust), isolation="inline"))
    assert "(trust: approved)" in hook.claim
    check(hook, ORDINARY)
    with pytest.raises(Refused):
        check(hook, LISTED)


def test_source() -> None:
    """A listed original is found by its digests, whatever the app made of it."""
    hook = embedding.hook()
    with pytest.raises(Refused) as refused:
        check(hook, ORDINARY, source=LISTED)
    assert "exact" == refused.value.verdict.evidence.value


def test_warn_asks_the_person() -> None:
    """A WARN is a no until the person says yes; a BLOCK does not ask."""
    asked: list[Verdict] = []

    def answering(*, yes: bool) -> Any:
        async def confirm(verdict: Verdict) -> bool:
            asked.append(verdict)
            return yes

        return confirm

    torn = b"\x89PNG\r\n\x1a\n" + bytes(100)
    check(embedding.hook(confirm=answering(yes=True)), torn)
    for hook in (embedding.hook(confirm=answering(yes=False)), embedding.hook()):
        with pytest.raises(Refused):
            check(hook, torn)
    assert [Outcome.UNREADABLE] * 2 == [verdict.outcome for verdict in asked]
    with pytest.raises(Refused):
        check(embedding.hook(confirm=answering(yes=True)), LISTED)
    assert 2 == len(asked)


def test_dead_gates_make_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a list without the card, or a core that finds nothing, there is nothing to hold."""
    with pytest.raises(DoorsillError, match="test card does not match"):
        Hook(Gate(hash_list(pdq={}), isolation="inline"))
    real = core.screen

    def blind(*args: Any) -> Any:
        verdict = real(*args)
        verdict.match_count = 0
        return verdict

    monkeypatch.setattr(core, "screen", blind)
    with pytest.raises(DoorsillError, match="test card does not match"):
        embedding.hook()


def test_a_policy_that_stops_nothing_makes_no_hook() -> None:
    """A gate that finds the card and lets it pass is as dead."""
    sends = Policy(exact=Action.SEND, agreed=Action.SEND, single=Action.SEND)
    with pytest.raises(DoorsillError, match="would be sent"):
        embedding.hook(policy=sends)


@pytest.mark.parametrize("size", [1000, 5_000_000])
def test_snapshot(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot holds the same bytes, in memory or beyond what memory is for."""
    monkeypatch.setattr("hook.IN_MEMORY", 1 << 20)
    data = bytes(range(250)) * (size // 250)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 400_000):
            yield data[start : start + 400_000]

    with asyncio.run(snapshot_of(pieces())) as copy:
        assert data == copy.read()
        assert isinstance(copy, io.BytesIO) == (size < 1 << 20)


def test_a_file_that_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that ends in an error gives no snapshot, and the part on the disk is closed."""
    monkeypatch.setattr("hook.IN_MEMORY", 1)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"some"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(snapshot_of(pieces()))


def test_re_encoding_keeps_the_outcome() -> None:
    """Half of the pictures are listed: each is found, and no other, after what clients do."""
    pictures = [Image.open(path) for path in PHOTOS if path.stem != "clock"]
    pictures += [scene((2400, 1600), seed) for seed in range(4)]
    entries = {i: hash_image(picture).bytes for i, picture in enumerate(pictures) if i % 2}
    gate = Gate(hash_list(pdq=entries, entries=len(pictures)), isolation="inline")
    for i, picture in enumerate(pictures):
        for side, quality in MESSENGERS:
            outcome = gate.screen(re_encoded(picture, side, quality)).outcome
            assert (Outcome.MATCH if i % 2 else Outcome.CLEAR) == outcome, (i, side)
