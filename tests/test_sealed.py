"""Sealed lists through a Gate: the same verdicts as raw ones, one question each, never a CLEAR."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from typing import TYPE_CHECKING

import pytest

import drawn
from doorsill import Action, Cancelled, DoorsillError, Gate, HashList, Outcome, Policy, Trust
from doorsill.sealed import SealedList, protocol
from sealing import (
    EPOCH,
    LISTED,
    SEED,
    STRANGER,
    TOKEN_KEY,
    TOKEN_SEED,
    Sealing,
    Wire,
    opened,
    picture,
    raw_list,
    sealed_file,
)
from workers import needs_cage

if TYPE_CHECKING:
    from pathlib import Path

    from doorsill.verdict import Verdict


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seal a list once."""
    return sealed_file(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def sealed(path: Path) -> SealedList:
    """Open it anew."""
    return opened(path)


def gate(*lists: HashList, policy: Policy | None = None) -> Gate:
    """Return a gate that decodes here: these tests are not about the worker."""
    return Gate(lists, policy, isolation="inline")


def unread(verdict: Verdict, why: str) -> None:
    """Claim that a verdict says so and lets nothing pass as clear."""
    assert verdict.outcome == Outcome.UNREADABLE
    assert verdict.action == Action.WARN
    assert verdict.reason.startswith("sealing server of sealed scenes: ")
    assert why in verdict.reason


def test_matches_as_the_raw_list(sealed: SealedList) -> None:
    """Match, distance, entry and evidence are those of the raw list, as is CLEAR."""
    raw = HashList(raw_list(), Trust.none())
    for seed in (LISTED, STRANGER):
        for quality in (95, 40):
            data = picture(seed, quality)
            plain, asked = gate(raw).screen(data), gate(sealed.served_by(Wire())).screen(data)
            for field in ("outcome", "action", "evidence", "reason", "matches", "quality"):
                assert getattr(plain, field) == getattr(asked, field)
    assert "sealed: sealed scenes" in asked.coverage


def test_read_and_decide_ask_nobody(sealed: SealedList) -> None:
    """Without its server's answer a sealed list is never taken for one that holds nothing near."""
    at = gate(sealed.served_by(Wire()))
    with pytest.raises(DoorsillError, match="use screen, or ask and answer"):
        at.decide(at.read(picture(LISTED)))


def test_turned_and_flipped(sealed: SealedList) -> None:
    """A picture is found in every orientation, by the margins of that orientation."""
    from PIL import Image  # noqa: PLC0415 - one test's

    scene = drawn.scene(seed=LISTED)
    at = gate(sealed.served_by(Wire()))
    for turn in Image.Transpose:
        turned = drawn.saved(scene.transpose(turn), "JPEG", quality=80)
        assert at.screen(turned).outcome == Outcome.MATCH, turn


def test_in_a_worker_and_async(sealed: SealedList) -> None:
    """Margins come out of the cage; a coroutine function is awaited in the host's own loop."""
    wire, loops = Wire(), set()  # the loops themselves: a number may come again

    async def carry(message: bytes) -> bytes:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return wire(message)

    async def host(at: Gate) -> list[Verdict]:
        loops.add(asyncio.get_running_loop())
        return [await at.screen_async(picture(seed, 40)) for seed in (LISTED, STRANGER)]

    with Gate(sealed.served_by(carry)) as at:
        verdicts = asyncio.run(host(at))
        assert at.screen(picture(LISTED)).outcome == Outcome.MATCH  # from a host without a loop
    assert [each.outcome for each in verdicts] == [Outcome.MATCH, Outcome.CLEAR]
    assert {each.protection for each in verdicts} == {"worker"}
    assert len(loops) == 2  # the host's, and the thread's of the last screening


@needs_cage
def test_swapped_in_under_way(sealed: SealedList) -> None:
    """Where a sealed list comes in before a picture is decoded, its server is asked for it."""
    raw, wire = HashList(raw_list(scenes=1), Trust.none()), Wire()

    class Swapping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            at.replace_lists([raw, sealed.served_by(wire)])
            return super().read(size)

    with Gate(raw) as at:
        assert at.screen(picture(STRANGER)).outcome == Outcome.CLEAR
        assert at.screen(Swapping(picture(LISTED))).outcome == Outcome.MATCH
    assert len(wire.seen) == 1


def test_in_two_steps(sealed: SealedList) -> None:
    """A host may carry the questions itself; None says that there is no answer."""
    at, wire = gate(sealed), Wire()
    asked = at.ask(picture())
    assert [each.sealed for each in asked.questions] == [sealed]
    assert at.answer(asked, [wire(asked.questions[0].message)]).outcome == Outcome.MATCH
    unread(at.answer(at.ask(picture()), [None]), "there is no answer")
    with pytest.raises(ValueError, match="0 answers to 1 questions"):
        at.answer(at.ask(picture()), [])


def test_mixes_with_raw_lists(sealed: SealedList) -> None:
    """A raw list's match stands when the server is away, and says that it was."""
    raw = HashList(raw_list(scenes=LISTED), Trust.none())
    verdict = gate(raw, sealed).screen(picture())
    assert (verdict.outcome, verdict.action) == (Outcome.MATCH, Action.BLOCK)
    assert "sealing server of sealed scenes" in verdict.reason
    unread(gate(raw, sealed).screen(picture(STRANGER)), "gave no way to ask it")


def test_one_question_of_one_shape(sealed: SealedList) -> None:
    """Match, no match, no detail, a broken picture and many views: one message of one length.

    Two questions about one picture share not one element.
    """
    wire = Wire()
    at = gate(sealed.served_by(wire))
    frames = [drawn.scene(seed=seed) for seed in (LISTED, 20, 21)]
    many = drawn.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    flat = drawn.saved(drawn.Image.new("RGB", (300, 300)), "PNG")
    for data in (picture(), picture(), picture(STRANGER), flat, picture()[:2000], many):
        at.screen(data)
    assert len(wire.seen) == 6
    assert {len(message) for message, _ in wire.seen} == {1196}
    assert {len(answer) for _, answer in wire.seen} == {1098}
    assert len({message[:172] for message, _ in wire.seen}) == 1
    elements = [message[at : at + 32] for message, _ in wire.seen for at in range(172, 1196, 32)]
    assert len(set(elements)) == 6 * 32
    at.screen(b"%PDF-1.4 nothing that is shown")
    assert len(wire.seen) == 6  # what is no picture is not asked about


def test_trouble_is_never_clear(sealed: SealedList) -> None:
    """Away, slow, lying, refusing, talking nonsense: UNREADABLE by policy, whatever it is."""

    def away(_: bytes) -> bytes:
        raise ConnectionRefusedError

    async def gone(_: bytes) -> bytes:
        raise OSError

    def nothing(_: bytes) -> None:
        return None

    at = gate(sealed)
    for seed in (LISTED, STRANGER):
        for carry, why in (
            (away, "it could not be asked (ConnectionRefusedError)"),
            (gone, "it could not be asked (OSError)"),
            (nothing, "there is no answer"),
            (lambda _: b"", "0 bytes and is no answer"),
            (lambda _: bytes(1098), "no answer of version 1"),
            (Wire(Sealing(SEED, [EPOCH + 1])), "another sealing epoch"),
            (Wire(Sealing(bytes(32), [EPOCH])), "its proof does not hold"),
            (Wire(Sealing(SEED, [EPOCH], TOKEN_SEED)), "it does not take the token"),
        ):
            sealed.served_by(carry)
            unread(at.screen(picture(seed)), why)
            unread(asyncio.run(at.screen_async(picture(seed))), why)
    strict = gate(sealed, policy=Policy.strict())
    assert strict.screen(picture()).action == Action.BLOCK


def test_slow_and_cancelled(sealed: SealedList) -> None:
    """A deadline ends the wait for an answer; so does a cancel."""
    go = threading.Event()
    at = gate(sealed.served_by(lambda _: go.wait(20) and b""))
    begun = time.monotonic()
    unread(at.screen(picture(), deadline=0.5), "no answer came in time")
    unread(asyncio.run(_in_time(at, go)), "no answer came in time")
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    go.clear()
    with pytest.raises(Cancelled):
        at.screen(picture(), cancel=cancel)
    cancel.clear()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(Cancelled):
        asyncio.run(_in_time(at, go, cancel))
    go.set()
    assert time.monotonic() - begun < 15


async def _in_time(at: Gate, go: threading.Event, cancel: threading.Event | None = None) -> Verdict:
    async def slow(_: bytes) -> bytes:
        await asyncio.sleep(20)
        return b""

    at.lists[0].served_by(slow)  # type: ignore[attr-defined]
    try:
        return await at.screen_async(picture(), deadline=20 if cancel else 0.5, cancel=cancel)
    finally:
        at.lists[0].served_by(lambda _: go.wait(20) and b"")  # type: ignore[attr-defined]


def test_tampered_and_replayed(sealed: SealedList) -> None:
    """An answer with one bit changed, to another question, or of another epoch is refused."""
    at, wire = gate(sealed), Wire()
    first, second = at.ask(picture()), at.ask(picture())
    good = wire(first.questions[0].message)
    question = first.questions[0]
    for place in (10, 500, 1033, 1034, 1066, 1097):
        for bit in (1, 128):
            bent = bytearray(good)
            bent[place] ^= bit
            with pytest.raises(ValueError, match=r".+"):
                question.understand(bytes(bent))
    with pytest.raises(ValueError, match=r".+"):
        second.questions[0].understand(good)
    swapped = good[:10] + good[42:74] + good[10:42] + good[74:]
    with pytest.raises(ValueError, match=r".+"):
        question.understand(swapped)
    old = protocol.pack_answer(EPOCH + 1, good[10:1034], good[1034:])
    with pytest.raises(protocol.Refusal, match="another sealing epoch"):
        question.understand(old)
    assert question.understand(good)


def test_quenched_and_seed_entries(tmp_path: Path, sealed: SealedList) -> None:
    """What is opened passes the ordinary rules: an entry can be quenched, a seed only warns."""
    quenched = Policy(quenched=frozenset({bytes([LISTED] * 6).hex()}))
    at = gate(sealed.served_by(Wire()), policy=quenched)
    assert at.screen(picture()).outcome == Outcome.CLEAR
    (tmp_path / "raw.dsl").write_bytes(raw_list(flags=1))
    from doorsill.publish.seal import seal_list  # noqa: PLC0415 - one test's

    seal_list(tmp_path / "raw.dsl", tmp_path / "s.dsl", SEED, sealing_epoch=EPOCH, jobs=1)
    verdict = gate(opened(tmp_path / "s.dsl").served_by(Wire())).screen(picture())
    assert (verdict.outcome, verdict.action) == (Outcome.MATCH, Action.WARN)


def test_self_test(sealed: SealedList) -> None:
    """The test card is asked about too: a server without the key fails the self-test."""
    assert gate(sealed.served_by(Wire())).self_test().outcome == Outcome.MATCH
    with pytest.raises(DoorsillError, match="sealing server of sealed scenes"):
        gate(sealed.served_by(Wire(Sealing(bytes(32), [EPOCH])))).self_test()


def test_no_tokens_no_question(tmp_path: Path) -> None:
    """A list whose server wants tokens is not asked about without one."""
    sealed = opened(sealed_file(tmp_path, TOKEN_KEY))
    wire = Wire()
    unread(gate(sealed.served_by(wire)).screen(picture()), "there is no token left")
    assert [] == wire.seen
