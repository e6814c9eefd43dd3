"""The arithmetic that the evaluation's claims rest on, against plain definitions."""

from __future__ import annotations

import json
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
import faces
import measure
import photos
import policy
import run
import views
from hashers import Hashed, Pdq, PdqOfParts
from photos import Photo

from doorsill import core
from doorsill.neural import Config, ModelFile
from doorsill.policy import Policy
from drawn import scene


def test_upper_bound() -> None:
    """Nothing found in n means at most 3 / n; the bound covers the Poisson tail exactly."""
    assert measure.upper(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    for found in (1, 5, 30, 5_000):
        mean = 10_000 * measure.upper(found, 10_000)
        logs = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(found + 1))
        assert sum(map(math.exp, logs)) == pytest.approx(0.05, rel=1e-3)
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
    unrelated, alike, nearest, near = columns.strangers(column, folders, 256)
    assert unrelated.pairs == 3 + 4 + 3  # queries 0, 2 and 3 against entries 0 to 4
    assert alike.pairs == 1 + 0 + 1
    assert len(nearest) == 3
    assert columns.own(column, "same").tolist() == [0, columns.NONE, 0, 0]
    assert near.within(256)["hits"] == near.within(256)["photos_hit"] == 3
    assert near.within(256)["alike_hits"] == 2  # photo 2 has no other one in its folder
    assert near.within(-1)["hits"] == near.within(0)["alike_hits"] == 0


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
    """Folders named with the same first word count as one, others not; a flat source has none."""
    names = ("a/cat_face/1.png", "a/cat_body/1.png", "a/dog/1.png", "b/cat/1.png")
    found = [Photo(Path("all"), name) for name in names]
    flat = [Photo(Path("all"), name) for name in ("1.png", "2.png")]

    assert columns.folder_numbers(found).tolist() == [0, 0, 1, 2]
    assert columns.folder_numbers(flat).tolist() == columns.folder_numbers(found[:1] * 2).tolist()


@pytest.mark.parametrize("folders", [[""], ["one"], ["a_x", "a_y", *"bcdefgh"]])
def test_parts_of_a_source_share_nothing(tmp_path: Path, folders: list[str]) -> None:
    """Two halves hold each photo once, and no kind is in both; one kind is parted by its photos."""
    for number in range(40):
        place = tmp_path / folders[number % len(folders)]
        place.mkdir(exist_ok=True)
        (place / f"{number}.png").write_bytes(b"")
    halves = [photos.photos(f"{tmp_path}:{n}/2", 1) for n in range(2)]

    assert sum(map(len, halves)) == 40 == len(set(halves[0] + halves[1]))
    if len(folders) > 1:
        assert not {p.kind for p in halves[0]} & {p.kind for p in halves[1]}
    with pytest.raises(SystemExit, match=r"png: .*take it out"):
        halves[0][0].open()


def test_filling_is_no_entrys_twin() -> None:
    """What collages are filled with comes from folders that no entry lies in."""
    folders = [f"set/{letter}" for letter in "abcdefgh"]
    found = [Photo(Path("all"), f"{folder}/{n}.png") for folder in folders for n in range(20)]

    chosen = columns.set_of(found, 500)

    entries, filling = chosen[: -columns.FILL], chosen[-columns.FILL :]
    assert len(entries) == 8 * 20 - 60
    assert not {p.folder for p in entries} & {p.folder for p in filling}


def test_a_list_of_both_hashes() -> None:
    """An entry has a row for each of its hashes, and is found by either."""
    pdq, neural, other = (bytes([n]) * 32 for n in (3, 5, 250))
    config = Config("measured", 160, 256, "model.onnx", "", limits=((100, 64),))
    rows = policy.pair_rows(ModelFile(config, b"m" * 32, b""), 2)
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


def test_faces_told_apart() -> None:
    """A hasher that tells nothing apart gets a half, one that does all of it."""
    same, other = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    assert faces.told_apart(np.ones(5), np.ones(7)) == 0.5
    assert faces.told_apart(same, other) == 1
    assert faces.told_apart(other, same) == 0
    assert faces.told_apart(same, np.array([2.0])) == 0.5


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """Return a folder of drawn scenes, four of each of forty kinds."""
    for number in range(160):
        place = tmp_path / f"kind{number % 40}"
        place.mkdir(exist_ok=True)
        scene((96, 72), seed=number).save(place / f"{number}.png")
    return tmp_path


def test_the_whole_run(
    kinds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run from photos to the report: what survives is found, what does not is not."""
    monkeypatch.setattr(run, "MAIN", [e for e in edits.MAIN if e.name in {"jpeg 30", "rotate 15"}])
    monkeypatch.setattr(run, "CALIBRATING", [e for e in edits.EDITS if e.name == "jpeg 50"])
    out = kinds.parent / "report"
    words = ["--calibrate", f"{kinds}:0/2", "--test", f"{kinds}:1/2", "--out", str(out)]
    for name in ("pdq", "pdqhash", "pdq+parts"):
        words += ["--hasher", name]
    monkeypatch.setattr(sys, "argv", ["run.py", *words, "--edits", "main", "--queries", "9"])
    for module in (columns, run):
        monkeypatch.setattr(module, "FILL", 12)
    run.main()
    result = json.loads((out / "result.json").read_text())
    pdq = result["hashers"]["PDQ x8"]
    shipped = pdq["by_size"]["1000"]["shipped"]

    assert (1, 0) == tuple(pdq["edits"][name]["recall"] for name in ("jpeg 30", "rotate 15"))
    assert (31, 0.5) == (shipped["limit"], shipped["recall_main"])
    assert (0, 9) == tuple(shipped["false_positives"][key] for key in ("hits", "photos"))
    assert shipped["false_positives"]["photos_at_most"] == measure.upper(0, 9)
    assert result["hashers"]["pdqhash x8"]["by_size"]["1000"]["shipped"] is None
    assert "as shipped: limit 31" in capsys.readouterr().out
    assert "<svg" in (out / "report.html").read_text()
    assert "PDQ x8" in (out / "recall.svg").read_text()


def test_two_hashers_of_one_name(kinds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before anything is hashed."""
    words = ["--calibrate", str(kinds), "--test", str(kinds), "--hasher", "pdq", "--hasher", "pdq"]
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    with pytest.raises(SystemExit, match="one name"):
        run.main()


@pytest.mark.parametrize("way", policy.WAYS)
def test_the_ways_differ(way: str) -> None:
    """A picture of a list with both hashes is warned about, or blocked by the host's rules."""
    codes = np.arange(64, dtype=np.uint8).reshape(1, 1, 64)
    pdq = columns.Column(codes[..., :32], np.array([True]))
    neural = columns.Column(codes[..., 32:], np.array([True]))
    raw = codes[0, 0, :32].tobytes() * 16 + b"dd"
    view = core.CoreView(core.Pdq(raw), ((b"m" * 32, codes[0, 0, 32:].tobytes()),))
    far = core.CoreView(core.Pdq(b"\xff" * 512 + b"dd"))
    neural.views["same"] = [[view], [far]]
    config = Config("measured", 160, 256, "model.onnx", "", limits=((100, 40),))
    found = policy.weigh(pdq, neural, ModelFile(config, b"m" * 32, b""), np.array([0, 1]))
    told = found["ways"][way]

    wanted = "warn" if way == "as it comes" else "block"
    assert {"send": 0, "warn": 0, "block": 0} | {wanted: 1} == told["known"]["same"]
    assert (1, 0) == (told["unrelated"]["send"], told["unrelated"]["photos_stopped"])
