"""Measures whether the window stays responsive: exit code 1 if it does not.

    QT_QPA_PLATFORM=offscreen python examples/desktop/responsive.py

While pictures of 12 megapixels are added, checked, sent and shown, one every half second, a 16 ms
timer misses fewer than 2 % of its ticks, and of those that are due within a check. Cancel returns
in under 50 ms: the bubble says so, and no thread screens any more. The same timer is measured
before, while nothing goes on: a busy machine misses ticks, too, and then nothing is told.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from functools import partial
from typing import Any

from bubbles import PictureBubble
from checker import Step
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from screenshots import Scene, wait
from window import open_gate
from words import ENGLISH

from doorsill import Gate

_TICK = 16  # milliseconds
_SIZE = (4000, 3000)
_CHECKS, _CANCELS = 24, 12
_MOST_MISSED, _MOST_MILLISECONDS = 0.02, 50


class Timed(Gate):
    """A gate that knows when it was last done with a picture."""

    def __init__(self, *args: Any) -> None:
        """As of a Gate."""
        super().__init__(*args)
        self.began, self.ended, self.done = threading.Event(), threading.Event(), 0.0
        self.spans: list[tuple[float, float]] = []

    def screen(self, picture: Any, **options: Any) -> Any:
        """As of a Gate."""
        self.ended.clear()
        self.began.set()
        start = time.perf_counter()
        try:
            return super().screen(picture, **options)
        finally:
            self.done = time.perf_counter()
            self.spans.append((start, self.done))
            self.ended.set()


class Ticks:
    """A timer that notes when it ticks."""

    def __init__(self) -> None:
        """Start it."""
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._times: list[float] = []
        self._timer.timeout.connect(lambda: self._times.append(time.perf_counter()))
        self._timer.start(_TICK)

    def missed(self, spans: list[tuple[float, float]] | None = None) -> tuple[int, int, float]:
        """Return how many ticks were missed, how many there should be, and the longest pause.

        Where there are spans, only ticks count that were due within one of them.
        """
        self._timer.stop()
        lost, all_, longest = 0, 0, 0.0
        for a, b in zip(self._times, self._times[1:], strict=False):
            steps = max(1, round(1000 * (b - a) / _TICK))
            due = [a + _TICK * step / 1000 for step in range(1, steps + 1)]
            counted = [
                spans is None or any(start < when < end for start, end in spans) for when in due
            ]
            all_ += sum(counted)
            lost += sum(counted[:-1])  # the last one came
            if any(counted):
                longest = max(longest, 1000 * (b - a))
        return lost, all_, longest


def photo() -> bytes:
    """Return a drawn picture of 12 megapixels with as much detail as a photo, about 4 MB."""
    soft = Image.effect_noise((500, 375), 90).resize(_SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(_SIZE, 25)
    file = io.BytesIO()
    Image.merge("RGB", [Image.blend(soft, grain, 0.3)] * 3).save(file, "JPEG", quality=88)
    return file.getvalue()


def begin(scene: Scene, data: bytes, gate: Timed) -> PictureBubble:
    """Send a picture, and return its bubble once the gate is at it."""
    scene.add(data, "photo.jpg")
    gate.began.clear()
    scene.send()
    bubble = scene.window.conversation.bubbles[-1]
    wait(gate.began.is_set)
    assert isinstance(bubble, PictureBubble)  # noqa: S101 - what was just sent is one
    return bubble


def cancelled(scene: Scene, data: bytes, gate: Timed, after: float) -> tuple[float, float] | None:
    """Cancel a check after so many seconds.

    Returns milliseconds until the bubble says so and until the gate has returned; None if the check
    was over before.
    """
    bubble = begin(scene, data, gate)
    time.sleep(after)
    start = time.perf_counter()
    bubble.cancel()
    wait(lambda: bubble.state.step.over)
    said = time.perf_counter()
    gate.ended.wait()
    if bubble.state.step != Step.CANCELLED:
        return None
    return 1000 * (said - start), max(0.0, 1000 * (gate.done - start))


def rest(seconds: float) -> None:
    """Run the window for so long."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def main() -> int:
    """Measure, and print what was found."""
    QApplication([])
    gates: list[Timed] = []

    def make_gate() -> Gate:
        gates.append(Timed(open_gate("", "").lists))
        return gates[0]

    data = photo()
    scene = Scene(ENGLISH, "light", make_gate)
    ticks = Ticks()
    rest(2)
    lost, all_, longest = ticks.missed()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, photo of {len(data) / 1e6:.1f} MB"
    )
    print(f"idle: {lost} of {all_} ticks missed, longest pause {longest:.0f} ms")
    busy = lost / all_ >= _MOST_MISSED / 2
    ticks = Ticks()
    for _ in range(_CHECKS):
        bubble = begin(scene, data, gates[0])
        wait(partial(getattr, bubble, "over"))
        rest(0.3)  # until what came back is shown
    lost, all_, longest = ticks.missed()
    print(f"adding, checking, sending, showing: {lost} of {all_} ticks missed, {lost / all_:.1%}, "
          f"longest pause {longest:.0f} ms")  # fmt: skip
    shares = [lost / all_]
    spans = gates[0].spans
    lost, all_, longest = ticks.missed(spans)
    shares.append(lost / all_)
    took = 1000 * sum(end - start for start, end in spans) / len(spans)
    print(f"during {len(spans)} checks of {took:.0f} ms: {lost} of {all_} ticks "
          f"missed, {lost / all_:.1%}, longest pause {longest:.0f} ms")  # fmt: skip
    found = [cancelled(scene, data, gates[0], 0.003 * n) for n in range(_CANCELS)]
    times = [each for each in found if each is not None]
    scene.window.close()
    if not times:
        print("every check was over before it could be cancelled")
        return 1
    said, returned = (max(each) for each in zip(*times, strict=True))
    print(f"{len(times)} cancels of {_CANCELS} came in time: the bubble said so after at most "
          f"{said:.1f} ms, the gate had returned after {returned:.1f} ms")  # fmt: skip
    if busy:
        print("NOT TOLD: this machine is too busy with other things to say whether that is enough")
        return 0
    return int(max(shares) >= _MOST_MISSED or max(said, returned) >= _MOST_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
