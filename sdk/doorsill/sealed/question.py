"""One question for one picture: which row, which readings, and what the answer opens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from doorsill import core
from doorsill.sealed import protocol
from doorsill.sealed.oprf import Blinded
from doorsill.sealed.protocol import CLEAR_BYTES, KEY_BYTES, SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doorsill.lists import HashList
    from doorsill.reading import HashedView, Reading
    from doorsill.sealed.lists import SealedList

_ORIENTATIONS = 8


class Nearest(NamedTuple):
    """The reading of a picture that is asked about: nearest to a row, or none is near.

    Attributes:
        row: The row, 0 where none is near: what its slots are tried with then opens nothing.
        clear: Its clear plane; where none is near random bytes, which the server cannot see.
        second: The picture's own second plane.
        margins: How certain its first 121 bits are.
    """

    row: int
    clear: bytes
    second: bytes
    margins: Sequence[int]


def nearest(found: Reading, sealed: SealedList) -> Nearest:
    """Return what one question is asked about, over all views, profiles and orientations."""
    hasher = sealed.hashers[0]
    shown = list(_hashes(found.views, hasher.profile, hasher.quality))
    hashes = b"".join(view.pdq.hash(*which) for view, which in shown)
    first, second = core.pdq_planes(hashes)
    hit = sealed.candidate(first)
    if hit is None:
        return Nearest(0, secrets.token_bytes(CLEAR_BYTES), bytes(16), [0] * core.MARGINS)
    row, query = hit
    view, which = shown[query]
    clear = next(sealed.alike(row))[0]
    own = second[16 * query : 16 * query + 16]
    return Nearest(row, clear, own, view.pdq.certainty(*which))


def _hashes(
    views: Iterable[HashedView], profile: str, quality: int
) -> Iterator[tuple[HashedView, tuple[str, int]]]:
    for view in views:
        for each in core.PROFILES:
            if profile in {each, "unknown"} and view.pdq.quality(each) >= quality:
                for orientation in range(_ORIENTATIONS):
                    yield view, (each, orientation)


def readings(second: bytes, margins: Sequence[int], slot: int) -> list[int]:
    """Return the four likeliest readings of a slot's 20 bits.

    As they are, and with the least certain flipped: the first, the second, and of the third alone
    and the first two together whichever is likelier. (Of two errors the likelihoods multiply, and
    the margins are about as their logarithms.)
    """
    bits = protocol.reading(int.from_bytes(second, "big"), slot)
    places = protocol.WINDOWS[slot]
    order = sorted(range(len(places)), key=lambda i: margins[places[i]])
    a, b, c = (1 << (len(places) - 1 - i) for i in order[:3])
    least, second_least, third = (margins[places[i]] for i in order[:3])
    last = a | b if least + second_least <= third else c
    return [bits, bits ^ a, bits ^ b, bits ^ last]


class SealedQuestion:
    """A question to one sealed list's server, and what it takes to understand the answer.

    Attributes:
        message: What the host carries to the server: 1,196 bytes that tell nothing.
        sealed: The list.
    """

    def __init__(self, found: Reading, sealed: SealedList, token: bytes) -> None:
        """Ask about what was read of a picture; where nothing was, just as long a question."""
        self.sealed = sealed
        self._about = about = nearest(found, sealed)
        inputs = [
            protocol.oprf_input(sealed.sealed.epoch, about.clear, slot, bits)
            for slot in range(SLOTS)
            for bits in readings(about.second, about.margins, slot)
        ]
        self._blinded = Blinded(inputs)
        question = protocol.Question(sealed.sealed.epoch, token, self._blinded.elements)
        self.message = protocol.pack_question(question)

    def understand(self, answer: bytes) -> list[HashList]:
        """Return the entries that an answer opens, each as a list of its own.

        Raises:
            Refusal: It is no answer, or the server refused.
            ValueError: Its proof does not hold.
        """
        elements, proof = protocol.unpack_answer(answer, self.sealed.sealed.epoch)
        outputs = self._blinded.finish(elements, proof, self.sealed.sealed.public_key)
        rows = self.sealed.alike(self._about.row) if self.sealed.sealed.rows else ()
        records = [(clear, _opened(outputs, clear, slots, record)) for clear, slots, record in rows]
        lists = (self.sealed.opened(clear, record) for clear, record in records if record)
        return [each for each in lists if each is not None]


def _opened(outputs: Sequence[bytes], clear: bytes, slots: bytes, record: bytes) -> bytes | None:
    """Return an entry's record; every output is tried, so that a match takes as long as none."""
    tag = record[-protocol.TAG_BYTES :]
    made = None
    for number, output in enumerate(outputs):
        slot = number // protocol.READINGS
        hidden = slots[KEY_BYTES * slot : KEY_BYTES * (slot + 1)]
        key = protocol.xor(hidden, protocol.pad(output, slot, tag))
        made = protocol.open_record(key, clear, record) or made
    return made
