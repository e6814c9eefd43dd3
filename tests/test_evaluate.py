"""The arithmetic that the evaluation's claims rest on, against plain definitions."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "examples/evaluate"))

import attacks
import blocked
import columns
import edits
import measure
import policy
import views
from hashers import Hashed, Pdq, PdqOfParts

from doorsill import core
from doorsill.policy import Policy
from drawn import scene


def test_upper_bound() -> None:
    """Nothing found in n means at most 3 / n; the bound covers the Poisson tail exactly."""
    assert measure.upper(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    for found in (1, 5, 30):
        mean = 10_000 * measure.upper(found, 10_000)
        tail = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(found + 1))
        assert tail == pytest.approx(0.05, rel=1e-3)
    assert measure.upper(0, 0) == measure.upper(5, 5) == 1


def test_distances() -> None:
    """The nearest view counts, bit by bit."""
    r = np.random.default_rng(1)
    queries, entries = (r.integers(0, 256, shape, np.uint8) for shape in ((5, 3, 32), (7, 2, 32)))
    found = measure.distances(queries, entries)
    for i, query in enumerate(queries):
        for j, entry in enumerate(entries):
            pairs = [np.unpackbits(view ^ code).sum() for view in query for code in entry]
            assert found[i, j] == min(pairs)


def test_tail_of_a_known_distribution() -> None:
    """Of coin flips, the limit fitted for 1e-9 is the binomial's own or a little below."""
    r = np.random.default_rng(2)
    tail = measure.Tail(measure.histogram(r.binomial(256, 0.5, 2_000_000), 256))
    share, limit = 0.0, -1
    for k in range(256):
        share += math.comb(256, k) / 2**256
        if share > 1e-9:
            break
        limit = k
    found, measured = tail.limit(1e-9)
    assert limit - 4 <= found <= limit
    assert not measured
    assert tail.limit(1e-9, pessimistic=True)[0] < found
    at, measured = tail.limit(1e-3)
    assert measured
    assert tail.share(at)[0] <= 1e-3 < tail.share(at + 1)[0]


def test_nothing_known_promises_nothing() -> None:
    """Without pairs there is no limit."""
    for counts in (np.zeros(257, np.int64), np.bincount([3], minlength=257)):
        assert measure.Tail(counts).limit(1e-6)[0] == -1


def test_strangers() -> None:
    """Photos of one folder are look-alikes, those that do not count are left out."""
    r = np.random.default_rng(3)
    originals = r.integers(0, 256, (6, 1, 32), np.uint8)
    column = columns.Column(originals, np.array([1, 1, 1, 1, 1, 0], bool))
    column.edited["same"] = [Hashed(originals[i], i != 1) for i in range(4)]
    folders = np.array([0, 0, 1, 2, 2, 3])
    unrelated, alike, nearest = columns.strangers(column, folders, 256)
    assert unrelated.pairs == 3 + 4 + 3  # queries 0, 2 and 3 against entries 0 to 4
    assert alike.pairs == 1 + 0 + 1
    assert len(nearest) == 3
    assert columns.own(column, "same").tolist() == [0, columns.NONE, 0, 0]
    assert columns.false_positives(column, folders, 256)["hits"] == 3
    assert columns.false_positives(column, folders, -1)["hits"] == 0


def test_edits_are_deterministic() -> None:
    """The same seed gives the same pixels, every edit something else; 20 are main."""
    photo, others = scene((90, 70), 3), [scene((80, 60), i) for i in (4, 5, 6)]
    names = {edit.name for edit in edits.EDITS}
    assert len(names) == len(edits.EDITS) >= 25
    assert len(edits.MAIN) == 20
    for edit in edits.EDITS:
        first = edit(photo, "a", others)
        assert first.mode == "RGB"
        assert first.tobytes() == edit(photo, "a", others).tobytes()
        if not edit.name.startswith("messenger"):
            assert (first.size, first.tobytes()) != (photo.size, photo.tobytes()), edit.name


def test_attack_knows_the_hash() -> None:
    """The linear map of the attack gives PDQ's own bits, but for rounding."""
    pixels = np.asarray(scene((attacks.SIDE, attacks.SIDE), 7), np.float64)
    c = attacks.coefficients(pixels)
    bits = np.packbits((c > np.median(c)).ravel()[::-1])
    code = Pdq()(Image.fromarray(pixels.astype(np.uint8))).codes[0]
    assert np.unpackbits(bits ^ code).sum() <= 2


def test_attacks_on_pdq_work() -> None:
    """A collision is found whose PDQ is the other picture's; identical pictures have SSIM 1."""
    a, b = (np.asarray(scene((attacks.SIDE, attacks.SIDE), i), np.float64) for i in (1, 2))
    done = attacks.collide_pdq(a, b)
    assert attacks.distance(done, attacks.codes(b)[0]) <= attacks.PDQ_LIMIT
    assert attacks.ssim(a, a) == pytest.approx(1)
    assert attacks.psnr(a, done) < attacks.psnr(a, a)


def test_parts_are_those_of_the_sdk() -> None:
    """A query's views are the whole and what the SDK finds; missing ones are filled up."""
    photo = scene((320, 240), 9)
    page = Image.new("RGB", (400, 300), (250, 250, 250))
    page.paste(photo, (40, 30))

    assert [view.size for view in views.views(photo, ["parts"])] == [(320, 240)]
    assert (320, 240) in [view.size for view in views.views(page, ["parts"])]
    codes = PdqOfParts()(page).codes
    assert len(codes) == 8 * (1 + views.MOST["parts"])
    assert codes[8:].tobytes().startswith(Pdq()(photo).codes.tobytes())


def test_one_scene_is_one_folder() -> None:
    """Folders named with the same first word count as one, others not."""
    found = [
        SimpleNamespace(folder=name) for name in ("a/cat_face", "a/cat_body", "a/dog", "b/cat")
    ]

    assert columns.folder_numbers(found).tolist() == [0, 0, 1, 2]


def test_filling_is_no_entrys_twin() -> None:
    """What collages are filled with comes from folders that no entry lies in."""
    folders = [f"set/{letter}" for letter in "abcdefgh"]
    found = [SimpleNamespace(folder=folder) for folder in folders for _ in range(20)]

    photos = columns.set_of(found, 500)  # type: ignore[arg-type]

    entries, filling = photos[: -columns.FILL], photos[-columns.FILL :]
    assert len(entries) == 8 * 20 - 60
    assert not {p.folder for p in entries} & {p.folder for p in filling}


def test_a_list_of_both_hashes() -> None:
    """An entry has a row for each of its hashes, and is found by either."""
    pdq, neural, other = (bytes([n]) * 32 for n in (3, 5, 250))
    rows = policy.pair_rows((40, 90), 256, "measured", b"m" * 32)
    handle = core.ListHandle(policy.list_of([(pdq, neural * 2), (b"", other)], rows))
    told = []
    for code in (neural, other):
        view = core.CoreView(core.Pdq(b"\xff" * 512 + b"dd"), ((b"m" * 32, code),))
        told.append(core.screen([handle], [view], [], core.READ_WHOLE, Policy()))

    assert [each.limit for each in rows] == [31, 64]
    assert [list(each.entries) for each in rows] == [[0], [0, 0, 1]]
    assert [verdict.match_count for verdict in told] == [1, 1]


def test_crops_are_drawn_from_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same crop comes again, another number gives another one."""
    seen: list[tuple[int, int]] = []

    def reading(image: Image.Image, *_: object, **__: object) -> SimpleNamespace:
        seen.append(image.size)
        pdq = SimpleNamespace(hash=lambda _: b"p", quality=lambda _: 49 + len(seen) % 2)
        return SimpleNamespace(views=[SimpleNamespace(pdq=pdq, codes=[(b"m", b"c")])])

    monkeypatch.setattr(blocked, "read", reading)
    monkeypatch.setitem(blocked.here, "models", SimpleNamespace(load=None))
    photo = SimpleNamespace(name="a", open=lambda: Image.new("RGB", (300, 200)))
    made = [blocked.crop_codes((photo, number)) for number in (0, 0, 1)]  # type: ignore[arg-type]

    assert seen[0] == seen[1] != seen[2]
    assert made == [(b"p", b"c"), (b"", b"c"), (b"p", b"c")]
