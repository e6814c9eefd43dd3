"""Everything at once: threads screen while lists are swapped and workers are killed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from doorsill import Gate, Outcome, Verdict, hash_image
from drawn import saved, scene
from lists import hash_list
from workers import DATA, LONG, SCENE, needs_cage

pytestmark = needs_cage

THREADS = 64
SWAPS = 10_000 if LONG else 500
UNLISTED = saved(scene(seed=7), "JPEG")
LISTED_FILES = (DATA, saved(SCENE, "JPEG"), saved(SCENE, "WEBP"))
# Lists of different sizes, which all hold the picture, each under another entry.
LISTS = [
    hash_list(pdq={entry: hash_image(SCENE).bytes}, entries=size)
    for entry, size in ((0, 1), (5, 8), (99, 200))
]


def children() -> list[int]:
    """Return the processes that this one has started, those that only begin among them."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            found += map(int, (task / "children").read_text().split())
    return found


def held() -> tuple[int, int]:
    """Return how many descriptors and threads this process has."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


class Chaos:
    """One gate, and what is done to it."""

    def __init__(self, gate: Gate, seed: int) -> None:
        """Prepare."""
        self.gate = gate
        self.chance = random.Random(seed)  # noqa: S311 - whom to kill
        self.stop = threading.Event()
        self.asked = 0
        self.killed = 0
        self.lock = threading.Lock()
        self.answers: list[tuple[bool, Verdict]] = []
        self.raised: list[BaseException] = []

    def screen(self, number: int) -> None:
        """Screen listed and unlisted files until it is over."""
        chance = random.Random(number)  # noqa: S311 - which file
        while not self.stop.is_set():
            listed = chance.random() < 0.7
            data = chance.choice(LISTED_FILES) if listed else UNLISTED
            with self.lock:
                self.asked += 1
            try:
                answer = self.gate.screen(data)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
                self.raised.append(error)
            else:
                self.answers.append((listed, answer))

    def swap(self) -> None:
        """Swap the lists again and again; that is how long it takes."""
        for number in range(SWAPS):
            some = self.chance.sample(LISTS, 1 + number % 3)
            self.gate.replace_lists(some)
            time.sleep(0.005)
        self.stop.set()

    def kill(self) -> None:
        """Kill workers at random, working, idle or just begun."""
        chance = random.Random(1)  # noqa: S311 - whom and when
        while not self.stop.wait(chance.uniform(0.05, 0.6)):
            for pid in children():
                if chance.random() < 0.6:
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1

    def run(self) -> None:
        """Let it all loose, until it is over."""
        deeds = [threading.Thread(target=self.screen, args=(i,)) for i in range(THREADS)]
        deeds += [threading.Thread(target=self.swap), threading.Thread(target=self.kill)]
        for each in deeds:
            each.start()
        for each in deeds:
            each.join(SWAPS / 10 + 60)
        assert not any(each.is_alive() for each in deeds)


def test_chaos() -> None:
    """Each screening gets one verdict, right or "crash"; nothing is left behind."""
    with Gate(LISTS[0]) as gate:  # so that what is made once is there before it is counted
        gate.screen(DATA)
    before, ours = held(), set(children())
    with Gate(LISTS[0]) as gate:
        chaos = Chaos(gate, 1)
        chaos.run()
        assert gate.screen(DATA).outcome == Outcome.MATCH
    seen = Counter((listed, answer.outcome) for listed, answer in chaos.answers)
    print(f"{chaos.asked} screenings, {SWAPS} swaps, {chaos.killed} kills: {dict(seen)}")
    assert chaos.raised == []
    assert len(chaos.answers) == chaos.asked
    assert chaos.killed > 5
    reasons = {answer.reason for _, answer in chaos.answers if answer.outcome == "unreadable"}
    assert reasons <= {"crash: the decoder died on it"}
    assert set(seen) <= {
        (True, Outcome.MATCH),
        (False, Outcome.CLEAR),
        (True, Outcome.UNREADABLE),
        (False, Outcome.UNREADABLE),
    }
    assert seen[True, Outcome.MATCH] > seen[True, Outcome.UNREADABLE]
    assert (before, ours) == (held(), set(children()))
