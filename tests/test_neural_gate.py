"""From originals to verdicts with a second, neural hasher, and without what it needs."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from doorsill import (
    Action,
    Cancelled,
    Evidence,
    Gate,
    HashList,
    Limits,
    Outcome,
    Trust,
    cage,
    coding,
    core,
    models,
    neural,
    reading,
)
from doorsill.core import CoreView
from doorsill.errors import DoorsillError, ModelError
from doorsill.publish.build import ListWords, build_list
from drawn import saved, scene
from small_model import BITS, code, made, package
from workers import acting, needs_cage

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ListWords(name="list", publisher="P", category="C", model="small")
WARM = ImageOps.colorize(scene((160, 120)).convert("L"), "black", "orange", "white")
COLD = ImageOps.colorize(scene((160, 120)).convert("L"), "black", "cyan", "white")
SENT = saved(WARM, "BMP")  # the same pixels and another file, so that no digest matches
TIERS = [pytest.param("worker", marks=needs_cage), "inline"]


def shuffled(picture: Image.Image) -> Image.Image:
    """Return the same pixels in another order: near by the model, far by PDQ."""
    pixels = np.asarray(picture).reshape(-1, 3)
    order = np.random.default_rng(3).permutation(len(pixels) // 40)
    moved = pixels.reshape(-1, 40, 3)[order].reshape(picture.height, picture.width, 3)
    return Image.fromarray(moved)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the small model and return its folder."""
    folder = package(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


@pytest.fixture
def listed(tmp_path: Path, installed: Path) -> HashList:
    """Return a list made from an original, by PDQ and the small model."""
    assert installed.is_dir()
    originals = tmp_path / "originals"
    originals.mkdir()
    WARM.save(originals / "warm.png")
    build_list([originals], tmp_path / "l.dsl", WORDS)
    return HashList.open(tmp_path / "l.dsl", Trust.none())


def test_the_list(listed: HashList, installed: Path) -> None:
    """A list from originals holds the model's name, digest, limit for its size, and the card."""
    pdq, small = listed.hashers
    assert (pdq.name, pdq.model) == ("pdq", "")
    assert (small.name, small.width, small.rows, small.limit) == ("small", BITS, 2, 12)
    assert small.model == neural.read_config(installed).sha256
    near = {distance for distance, _, _ in listed.handle.search(1, code(WARM), 0)}
    assert near == {0}


CASES: dict[str, tuple[Image.Image, Evidence, Action, str]] = {
    "the picture": (WARM.resize((150, 113)), Evidence.AGREED, Action.BLOCK, "pdq"),
    "other colours": (COLD, Evidence.CONTRADICTED, Action.WARN, "pdq"),
    "other shapes": (shuffled(WARM), Evidence.NEURAL_ONLY, Action.WARN, "small"),
}


@pytest.mark.parametrize("isolation", TIERS)
@pytest.mark.parametrize("case", CASES)
def test_evidence(listed: HashList, isolation: str, case: str) -> None:
    """Both hashers agree, the second contradicts, or it finds alone, which never blocks."""
    picture, evidence, action, hasher = CASES[case]
    with Gate(listed, isolation=isolation) as gate:
        verdict = gate.screen(saved(picture, "PNG"))
    assert (verdict.evidence, verdict.action) == (evidence, action)
    assert verdict.matches[0].hasher == hasher
    assert verdict.unchecked == ()
    assert "small: as shown" in verdict.coverage
    assert verdict.protection == isolation


@pytest.mark.parametrize("isolation", TIERS)
def test_codes_are_the_models(listed: HashList, isolation: str) -> None:
    """The code is that of the very pixels of the view: in bands, over grounds, 16-bit or given."""
    tall = scene((700, 900))  # comes in bands
    holed = WARM.convert("RGBA")
    holed.putalpha(Image.effect_noise(holed.size, 90))
    white, black = (Image.new("RGB", holed.size, colour) for colour in ("white", "black"))
    values = np.arange(20000, 60960, 10, np.uint16).reshape(64, 64)
    shallow = Image.fromarray(((255 * values.astype(np.int64) + 32767) // 65535).astype(np.uint8))
    with Gate(listed, isolation=isolation) as gate:
        for given in (tall, WARM):
            for form in (saved(given, "PNG"), given, np.asarray(given)):
                assert [c for _, c in gate.read(form).views[0].codes] == [code(given)]
        views = {view.label: view.codes for view in gate.read(saved(holed, "PNG")).views}
        for name, ground in (("white", white), ("black", black)):
            pixels = np.asarray(holed).astype(np.int64)
            alpha, back = pixels[..., 3:], np.asarray(ground).astype(np.int64)
            laid = (pixels[..., :3] * alpha + back * (255 - alpha) + 127) // 255
            over = next(codes for label, codes in views.items() if label.endswith(f"over {name}"))
            assert over[0][1] == code(Image.fromarray(laid.astype(np.uint8)))
        (deep,) = gate.read(saved(Image.fromarray(values), "PNG")).views[0].codes
        assert deep[1] == code(shallow)


def test_first_views_only(listed: HashList) -> None:
    """An animation's first views get a code, the others none, and the coverage tells which."""
    frames = [scene((120, 90), seed) for seed in range(9)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    verdict = Gate(listed, isolation="inline").screen(file.getvalue())
    coded = [each for each in verdict.coverage if each.startswith("small: ")]
    assert len(coded) == coding.MOST_VIEWS
    assert sum(each.startswith("pdq: ") for each in verdict.coverage) >= 9


def test_several_codes_of_a_view(listed: HashList) -> None:
    """Of two codes of one view the stronger evidence counts, as for a mirrored one."""
    gate = Gate(listed, isolation="inline")
    found = gate.read(WARM)
    (view,) = found.views
    digest, right = view.codes[0]
    wrong = b"\x55" * len(right)
    found.views = [replace(view, codes=((digest, wrong), (digest, right)))]
    assert gate.decide(found).evidence == Evidence.AGREED
    found.views = [replace(view, codes=((digest, wrong),))]
    assert gate.decide(found).evidence == Evidence.CONTRADICTED


@pytest.mark.parametrize("isolation", TIERS)
def test_self_test(listed: HashList, isolation: str) -> None:
    """The test card is found by both hashers; a code that is not the published one is an error."""
    with Gate(listed, isolation=isolation) as gate:
        card = gate.self_test()
        assert card.evidence == Evidence.AGREED
        assert card.unchecked == ()


def test_self_test_disagrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine's neural hash of the card is another, the self test says so."""
    package(tmp_path / "site", card="55" * (BITS // 8))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    saved_at = tmp_path / "warm.png"
    WARM.save(saved_at)
    build_list([saved_at], tmp_path / "l.dsl", WORDS)
    gate = Gate(HashList.open(tmp_path / "l.dsl", Trust.none()), isolation="inline")
    with pytest.raises(DoorsillError, match="neural hash of the test card"):
        gate.self_test()


# ---- without it


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
    pdq_alone(listed, isolation, "pip install doorsill-models")


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


def package_again(folder: Path, data: bytes) -> None:
    """Put another model in the place of the installed one."""
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()
    (folder.parent / "__init__.py").unlink()
    folder.parent.rmdir()
    package(folder.parent.parent, data=data)


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
    holed.putpixel((0, 0), (0, 0, 0, 0))
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
    with pytest.raises(Cancelled):
        Gate(listed, isolation="inline").screen(saved(scene(), "GIF"), cancel=cancel)


# ---- lies

LIES = {
    "too few bytes": "bytes([1, 0]) + bytes(15)",
    "a code of no model": "bytes([1, 1]) + bytes(16)",
    "too many codes": "bytes([5]) + bytes(17) * 5",
    "codes for ever": "bytes([4]) + bytes(17) * 4",
}


@needs_cage
@pytest.mark.parametrize("lie", LIES)
def test_lies(listed: HashList, lie: str) -> None:
    """Codes that no honest worker gives end its answer: unreadable, which is no silent CLEAR."""
    count = 9 if lie == "codes for ever" else 1
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
    import sys  # noqa: PLC0415 - only here

    with Gate(listed, worker_command=[sys.executable, "-c", start]) as gate:
        verdict = gate.screen(SENT, deadline=1.0)
        assert verdict.outcome == Outcome.UNREADABLE
        (why,) = gate._models.lacking.values()  # noqa: SLF001 - what a later verdict says
    assert why.isprintable()


# ---- publishing


def test_rows_carry_codes(tmp_path: Path, installed: Path) -> None:
    """Rows of originals carry codes, and a list built from them is the one built from originals."""
    from doorsill.publish.originals import hash_folder  # noqa: PLC0415 - only here

    originals = tmp_path / "originals"
    originals.mkdir()
    WARM.save(originals / "warm.png")
    rows = tmp_path / "rows.jsonl"
    for isolation in ["inline"] if cage.missing() else ["worker", "inline"]:
        rows.unlink(missing_ok=True)
        asked = models.Models([models.find("small")])
        hash_folder(originals, rows, Limits(), isolation=isolation, models=asked)
        assert code(WARM).hex() in rows.read_text()
    one = build_list([rows], tmp_path / "a.dsl", WORDS)
    build_list([originals], tmp_path / "b.dsl", WORDS)
    assert (tmp_path / "a.dsl").read_bytes() == (tmp_path / "b.dsl").read_bytes()
    assert one.hashes == 2
    plain = build_list([rows], tmp_path / "c.dsl", replace(WORDS, model=""))
    assert plain.unusable
    assert len(HashList.open(tmp_path / "c.dsl", Trust.none()).hashers) == 1
    package_again(installed, made(opset=18).SerializeToString())
    other = build_list([rows], tmp_path / "d.dsl", WORDS)
    assert (other.hashes, HashList.open(tmp_path / "d.dsl", Trust.none()).hashers[1].rows) == (1, 1)


def test_low_detail_has_no_code(tmp_path: Path, installed: Path) -> None:
    """What is too plain for PDQ is not listed by its code either."""
    assert installed.is_dir()
    Image.new("RGB", (100, 100), "orange").save(tmp_path / "plain.png")
    build_list([tmp_path / "plain.png"], tmp_path / "l.dsl", WORDS)
    assert HashList.open(tmp_path / "l.dsl", Trust.none()).hashers[1].rows == 1  # the card's


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"limits": {}}, "no list yet"), ({"limits": {"1": 9}}, "at most 1 rows"),
     ({"card": ""}, "test card")],
)  # fmt: skip
def test_uncalibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], says: str
) -> None:
    """No list is built by a model that was not calibrated for its size, or lacks the card."""
    folder = package(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    import json  # noqa: PLC0415 - only here

    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    WARM.save(tmp_path / "warm.png")
    with pytest.raises(ModelError, match=says):
        build_list([tmp_path / "warm.png"], tmp_path / "l.dsl", WORDS)
    assert not (tmp_path / "l.dsl").exists()


def test_core_views() -> None:
    """Nothing is lost between a reading and the core: every code goes once, with its own PDQ."""
    from doorsill.gate import _core_views  # noqa: PLC0415 - only here

    pdqs = [core.Pdq(bytes([n]) * 514) for n in range(2)]
    a, b = bytes(32), bytes([1]) * 32
    views = [reading.HashedView("x", pdqs[0], ((a, b"1"), (b, b"2"), (a, b"3"))),
             reading.HashedView("y", pdqs[1])]  # fmt: skip
    shown, home = _core_views(views)
    assert [view.label for view in home] == ["x", "x", "y"]
    assert [view.pdq for view in shown] == [pdqs[0], pdqs[0], pdqs[1]]
    assert sorted(code for view in shown for code in view.codes) == [
        (a, b"1"),
        (a, b"3"),
        (b, b"2"),
    ]
    assert shown[2] == CoreView(pdqs[1])
