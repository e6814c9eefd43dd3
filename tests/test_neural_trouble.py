"""A neural hasher that is missing, damaged, slow or lying: PDQ goes on, and the verdict says so."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from doorsill import (
    Action,
    Cancelled,
    Evidence,
    Gate,
    HashList,
    Limits,
    Outcome,
    cage,
    models,
    neural,
)
from doorsill.coding import MOST_CODES, MOST_VIEWS
from drawn import saved
from small_model import (
    SENT,
    TIERS,
    WARM,
    made,
    package_again,
    shuffled,
)
from workers import acting, needs_cage

if TYPE_CHECKING:
    from pathlib import Path


def pdq_alone(listed: HashList, isolation: str, why: str) -> None:
    """Assert that the list is searched by PDQ and that the verdict says what was not."""
    with Gate(listed, isolation=isolation) as gate:
        for _ in range(2):
            verdict = gate.screen(SENT)
            assert (verdict.evidence, verdict.action) == (Evidence.SINGLE, Action.BLOCK)
            assert len(verdict.unchecked) == 1
            assert verdict.unchecked[0].startswith("small: ")
            assert why in verdict.unchecked[0]
            assert gate.screen(saved(shuffled(WARM), "PNG")).outcome == Outcome.CLEAR
        assert gate.screen(b"no picture").unchecked == ()
        assert gate.self_test().evidence == Evidence.SINGLE


@pytest.mark.parametrize("isolation", TIERS)
def test_not_installed(listed: HashList, isolation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the distribution the list is searched by PDQ alone, and each verdict says so."""
    monkeypatch.setattr(models, "PACKAGE", "doorsill_models_that_are_not_there")
    pdq_alone(listed, isolation, "pip install ./models")


@pytest.mark.parametrize("isolation", TIERS)
def test_without_onnxruntime(
    listed: HashList, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without onnxruntime likewise."""
    real = models._places  # noqa: SLF001 - what is installed
    monkeypatch.setattr(models, "_places", lambda name: [] if name == "onnxruntime" else real(name))
    pdq_alone(listed, isolation, "doorsill[neural]")


@pytest.mark.parametrize("isolation", TIERS)
def test_another_version(listed: HashList, isolation: str, installed: Path) -> None:
    """A model with another digest than the list's is not run."""
    other = made()
    other.producer_name = "another"
    package_again(installed, other.SerializeToString())
    pdq_alone(listed, isolation, "another version")


@pytest.mark.parametrize("isolation", TIERS)
@pytest.mark.parametrize("damage", ["model", "config", "gone"])
def test_damaged(listed: HashList, installed: Path, isolation: str, damage: str) -> None:
    """A damaged or lacking file of the model is said, never raised."""
    if damage == "model":
        (installed / "model.onnx").write_bytes(b"damaged")
    elif damage == "config":
        (installed / "config.json").write_text("{")
    else:
        (installed / "model.onnx").unlink()
    pdq_alone(listed, isolation, "install the model anew")


@pytest.mark.parametrize("isolation", TIERS)
def test_refused_by_the_runtime(
    listed: HashList, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose digest is right and whose graph cannot be run costs its hashes alone."""
    bad = made()
    bad.graph.node[4].input[1] = "no such weight"
    found = models.find("small")
    monkeypatch.setattr(models, "find", lambda _: found._replace(data=bad.SerializeToString()))
    pdq_alone(listed, isolation, "onnxruntime refuses the model")


def test_lists_are_replaced(listed: HashList, installed: Path) -> None:
    """A gate whose next list asks for a model starts to use it, and stops with the next one."""
    from doorsill.cli.files import demo_list  # noqa: PLC0415 - only here

    assert installed.is_dir()
    isolation = "inline" if cage.missing() else "worker"
    with Gate(demo_list(), isolation=isolation) as gate:
        assert gate.screen(SENT).outcome == Outcome.CLEAR
        gate.replace_lists(listed)
        assert gate.screen(SENT).evidence == Evidence.AGREED
        gate.replace_lists([demo_list(), listed])
        assert gate.screen(SENT).evidence == Evidence.AGREED
        gate.replace_lists(demo_list())
        assert "small" not in "".join(gate.screen(SENT).coverage)


def test_time_is_kept(listed: HashList, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that takes too long costs itself; the PDQ of its view is compared all the same."""
    slow = neural.Model.code

    def late(self: neural.Model, rgb: bytes) -> bytes:
        time.sleep(0.6)
        return slow(self, rgb)

    monkeypatch.setattr(neural.Model, "code", late)
    holed = WARM.convert("RGBA")
    holed.putalpha(Image.effect_noise(holed.size, 90))
    gate = Gate(listed, isolation="inline")
    start = time.monotonic()
    verdict = gate.screen(saved(holed, "PNG"), deadline=0.5)
    assert verdict.outcome == Outcome.MATCH
    assert "time: " in verdict.reason
    assert time.monotonic() - start < 2


def test_cancelled(listed: HashList, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel is noticed between two codes."""
    cancel = threading.Event()
    real = neural.Model.code

    def cancelling(self: neural.Model, rgb: bytes) -> bytes:
        cancel.set()
        return real(self, rgb)

    monkeypatch.setattr(neural.Model, "code", cancelling)
    holed = WARM.convert("RGBA")
    holed.putalpha(Image.effect_noise(holed.size, 90))
    with pytest.raises(Cancelled):
        Gate(listed, isolation="inline").screen(saved(holed, "PNG"), cancel=cancel)


# ---- lies

LIES = {
    "too few bytes": "bytes([1, 0]) + bytes(15)",
    "a code of no model": "bytes([1, 1]) + bytes(16)",
    "too many codes": f"bytes([{MOST_CODES + 1}]) + bytes(17) * {MOST_CODES + 1}",
    "codes for ever": f"bytes([{MOST_CODES}]) + bytes(17) * {MOST_CODES}",
}


@needs_cage
@pytest.mark.parametrize("lie", LIES)
def test_lies(listed: HashList, lie: str) -> None:
    """Codes that no honest worker gives end its answer: unreadable, which is no silent CLEAR."""
    count = 2 * MOST_VIEWS + 1 if lie == "codes for ever" else 1
    body = f"(bytes(515) + {LIES[lie]}) * {count}"
    deed = (f"body = {body}; sink.write(wire.ANSWER.pack(b'dsw2', len(body), 1, 0, {count}, 0, 0)"
            " + body)")  # fmt: skip
    with Gate(listed, worker_command=acting(deed), limits=Limits(seconds=2)) as gate:
        verdict = gate.screen(SENT)
    assert (verdict.outcome, verdict.reason) == (
        Outcome.UNREADABLE, "crash: the decoder died on it")  # fmt: skip


@needs_cage
def test_withheld_codes(listed: HashList) -> None:
    """A worker that gives no code cannot hide that: the verdict says that there was none."""
    deed = "sink.write(wire.ANSWER.pack(b'dsw2', 516, 1, 0, 1, 0, 0) + bytes(516))"
    with Gate(listed, worker_command=acting(deed)) as gate:
        assert gate.screen(SENT).unchecked == (
            "small: it gave no hash of this picture",)  # fmt: skip


THREAD = "import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()"


@needs_cage
@pytest.mark.parametrize(
    "deed",
    ["import os; os.abort()", THREAD],
)
def test_runtime_that_breaks_the_cage(listed: HashList, deed: str) -> None:
    """Where onnxruntime dies, or starts a thread, workers start without: it costs its hashes."""
    start = f"""
import sys
from doorsill import caged
def load(files, real=caged.load):
    if files:
        {deed}
    return real(files)
caged.load = load
caged.main()
"""
    with Gate(listed, worker_command=[sys.executable, "-c", start]) as gate:
        verdict = gate.screen(SENT)
        assert (verdict.evidence, verdict.protection) == (Evidence.SINGLE, "worker")
        assert verdict.unchecked == (
            "small: a decode worker did not start with it; see `doorsill doctor`",)  # fmt: skip
        assert gate.screen(SENT).evidence == Evidence.SINGLE


@needs_cage
def test_words_of_a_worker(listed: HashList) -> None:
    """What a worker says of its model reaches the verdict without control characters, and short."""
    start = """
import os
from doorsill import wire
source, sink = os.fdopen(0, "rb"), os.fdopen(1, "wb", buffering=0)
wire.unpack_start(source.read)
sink.write(b"dsw2" + bytes([0, 200]) + b"\\x1b[31m" * 40)
source.read()
"""
    with Gate(listed, worker_command=[sys.executable, "-c", start]) as gate:
        verdict = gate.screen(SENT, deadline=1.0)
        assert verdict.outcome == Outcome.UNREADABLE
        (why,) = gate._listed.models.lacking.values()  # noqa: SLF001 - what a later verdict says
    assert why.isprintable()
