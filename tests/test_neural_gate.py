"""Pictures before a list with a second, neural hasher: which evidence comes of it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from doorsill import (
    Action,
    Evidence,
    Gate,
    HashList,
    Outcome,
    Policy,
    Trust,
    coding,
    core,
    hash_image,
    neural,
    reading,
)
from doorsill.cli.files import demo_list
from doorsill.coding import MOST_CODES
from doorsill.core import CoreView
from doorsill.errors import DoorsillError
from doorsill.publish.build import build_list
from drawn import saved, scene
from lists import hash_list
from small_model import (
    BITS,
    COLD,
    TIERS,
    WARM,
    WORDS,
    code,
    package,
    shuffled,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_list(listed: HashList, installed: Path) -> None:
    """A list from originals holds the model's name, digest, limit for its size, and the card."""
    pdq, small = listed.hashers
    assert (pdq.name, pdq.model) == ("pdq", "")
    assert (small.name, small.width, small.limit) == ("small", BITS, 12)
    assert 2 < small.rows <= 1 + MOST_CODES  # the card's, the picture's, what edits leave of it
    assert small.model == neural.read_config(installed).sha256
    near = {distance for distance, _, _ in listed.handle.search(1, code(WARM), 0)}
    assert near == {0}


CASES: dict[str, tuple[Image.Image, Evidence, Action, str]] = {
    "the picture": (WARM.resize((150, 113)), Evidence.AGREED, Action.WARN, "pdq"),
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
    (told,) = verdict.unchecked
    assert told.startswith("small: it hashes the first views of a picture alone")


@pytest.mark.parametrize(
    ("policy", "action"),
    [(None, Action.WARN), (Policy(agreed=Action.BLOCK), Action.BLOCK),
     (Policy(agreed=Action.BLOCK, single=Action.WARN), Action.WARN)],
)  # fmt: skip
@pytest.mark.parametrize("flat", [0, 3, 9])
def test_a_late_frame_is_no_way_round(
    listed: HashList, policy: Policy | None, action: Action, flat: int
) -> None:
    """What meets an entry by PDQ does no more as an uncoded frame than if both had agreed.

    Frames before it that are too flat for a neural hash take no turn of those that are not.
    """
    dim = [ImageEnhance.Contrast(scene(WARM.size, seed)).enhance(0.02) for seed in range(flat)]
    before = [*dim, *(scene(WARM.size, seed) for seed in range(20, 28))]
    file = io.BytesIO()
    before[0].save(file, "WEBP", save_all=True, append_images=[*before[1:], COLD], lossless=True)
    gate = Gate(listed, policy, isolation="inline")
    verdict = gate.screen(file.getvalue())
    assert (verdict.evidence, verdict.action) == (Evidence.SINGLE, action)
    assert verdict.matches[0].view == f"frame {flat + 9}"
    without = [replace(view, codes=()) for view in gate.read(file.getvalue()).views]
    alone = gate.decide(reading.Reading(views=without))
    assert alone.action == gate.policy.single  # a client without the model has one hash alone


@pytest.mark.parametrize("isolation", TIERS)
def test_frames_that_are_flat_take_no_turn(listed: HashList, isolation: str) -> None:
    """Behind six frames without detail, what meets an entry by PDQ alone is contradicted."""
    dim = [ImageEnhance.Contrast(scene(WARM.size, seed)).enhance(0.02) for seed in range(8)]
    file = io.BytesIO()
    dim[0].save(file, "WEBP", save_all=True, append_images=[*dim[1:], COLD], lossless=True)
    with Gate(listed, isolation=isolation) as gate:
        verdict = gate.screen(file.getvalue())
    assert (verdict.evidence, verdict.action) == (Evidence.CONTRADICTED, Action.WARN)


@pytest.mark.parametrize("isolation", TIERS)
@pytest.mark.parametrize("shade", ["white", "navy", "near white"])
def test_blank_pages_have_no_neural_hash(
    tmp_path: Path, installed: Path, isolation: str, shade: str
) -> None:
    """A picture with a blank corner is not listed by it, and a blank one stays UNHASHABLE."""
    assert installed.is_dir()
    blank = Image.new("RGB", (320, 240), shade.removeprefix("near "))
    page = blank.copy()
    page.paste(WARM, (0, 0))
    page.save(tmp_path / "page.png")
    build_list([tmp_path / "page.png"], tmp_path / "l.dsl", WORDS)
    if shade == "near white":
        blank.putpixel((5, 5), (250, 250, 250))
    with Gate(HashList.open(tmp_path / "l.dsl", Trust.none()), isolation=isolation) as gate:
        assert gate.screen(saved(page, "BMP")).evidence == Evidence.AGREED
        verdict = gate.screen(saved(blank, "PNG"))
    assert (verdict.outcome, verdict.matches) == (Outcome.UNHASHABLE, ())
    assert ("small: it gave no hash of this picture",) == verdict.unchecked


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


class Swapping(io.BytesIO):
    """A file that does something before it gives a byte: it comes between the steps of a Gate."""

    def __init__(self, data: bytes, deed: Callable[[], object]) -> None:
        """Hold a picture and the deed."""
        super().__init__(data)
        self.deed = deed

    def read(self, size: int | None = -1, /) -> bytes:
        """Do it, and give what was asked for."""
        self.deed()
        return super().read(size)


def swap_first(monkeypatch: pytest.MonkeyPatch, new: HashList) -> None:
    """Have gates swap their lists whenever they begin to read."""
    read = Gate.read

    def swapped(self: Gate, picture: Any, **options: Any) -> reading.Reading:
        self.replace_lists(new)
        return read(self, picture, **options)

    monkeypatch.setattr(Gate, "read", swapped)


@pytest.mark.parametrize("isolation", TIERS)
@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("when", ["before it is read", "while it is read"])
def test_a_swap_mixes_no_lists(
    listed: HashList, isolation: str, when: str, monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    """A picture that old and new lists find by other hashers is never clear as they are swapped."""
    data = saved(shuffled(WARM), "PNG")
    known = hash_list(pdq={0: hash_image(data).bytes})
    old, new = (known, listed) if is_new else (listed, known)
    if when == "before it is read":
        swap_first(monkeypatch, new)
    with Gate(old, isolation=isolation) as gate:
        verdict = gate.screen(Swapping(data, lambda: gate.replace_lists(new)))
        assert (verdict.outcome, verdict.unchecked) == (Outcome.MATCH, ())
        gate.replace_lists(old)
        asked = gate.ask(Swapping(data, lambda: gate.replace_lists(new)))
        assert gate.answer(asked, []).outcome == Outcome.MATCH
        assert gate.lists == (new,)


@pytest.mark.parametrize("isolation", TIERS)
def test_self_test_mixes_no_lists(
    listed: HashList, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test card is hashed for the very lists that it is then sought in."""
    swap_first(monkeypatch, demo_list())
    with Gate(listed, isolation=isolation) as gate:
        assert gate.self_test().unchecked == ()


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
