"""The canonical picture: what a host sends instead of a file that may read in two ways."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import trap_frames
import traps
from doorsill import Gate, Limits, Outcome, hash_image, wire
from drawn import decoy, saved, scene
from lists import hash_list
from workers import DATA, acting, needs_cage, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENE = scene()
OTHERS = hash_list(pdq={0: hash_image(decoy(SCENE.size)).bytes})
META = (b"Exif", b"http", b"eXIf", b"iCCP", b"ICC_", b"tEXt", b"gAMA", b"tRNS")


@pytest.fixture(scope="module", params=["inline", pytest.param("worker", marks=needs_cage)])
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    """Return a gate before a list that holds another picture."""
    with Gate(OTHERS, isolation=request.param) as gate:
        yield gate


def opened_picture(data: bytes | None) -> Image.Image:
    """Return the canonical picture, decoded."""
    assert data is not None
    return Image.open(io.BytesIO(data))


def apart(image: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures in levels of gray."""
    assert image.size == other.size
    pair = (np.asarray(each.convert("L"), int) for each in (image, other))
    return float(np.abs(next(pair) - next(pair)).mean())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"])
def test_same_picture(gate: Gate, kind: str) -> None:
    """The canonical picture shows what the file shows: a JPEG if that was lossy, else exactly."""
    verdict = gate.screen(saved(SCENE, kind), canonical=True)
    image = opened_picture(verdict.canonical)
    lossy = kind in ("JPEG", "WEBP", "AVIF", "JPEG2000")
    assert verdict.outcome == Outcome.CLEAR
    assert image.format == ("JPEG" if lossy else "PNG")
    assert apart(image, SCENE) < (4 if lossy else 0.001)


@pytest.mark.parametrize("turn", range(2, 9))
def test_upright(gate: Gate, turn: int) -> None:
    """A turn that EXIF names is carried out, and no EXIF is left."""
    verdict = gate.screen(traps.exif_jpeg(turn)(SCENE), canonical=True)
    image = opened_picture(verdict.canonical)
    assert apart(image, SCENE) < 4
    assert not image.getexif()


@pytest.mark.parametrize("name", ["inverted_profile_jpeg", "inverted_profile_png", "palette_png"])
def test_as_viewers_show_it(gate: Gate, name: str) -> None:
    """Profiles and palettes are carried out too."""
    image = opened_picture(gate.screen(traps.TRAPS[name](SCENE), canonical=True).canonical)
    assert apart(image, SCENE) < 12


def test_transparency_is_kept(gate: Gate) -> None:
    """A sticker stays one."""
    sticker = SCENE.copy()
    sticker.putalpha(Image.radial_gradient("L").resize(SCENE.size))
    image = opened_picture(gate.screen(saved(sticker, "WEBP"), canonical=True).canonical)
    assert image.mode == "RGBA"
    alphas = [each.getchannel("A").convert("RGB") for each in (image, sticker)]
    assert apart(*alphas) < 2


def test_nothing_else_is_in_it(gate: Gate) -> None:
    """No metadata, no second picture, no appended file survives."""
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    profile = traps.icc.inverted()
    plain = saved(SCENE, "JPEG", exif=exif, icc_profile=profile, comment=b"a comment", dpi=(72, 73))
    for data in (plain, plain + saved(decoy(SCENE.size), "JPEG"), plain + b"PK\3\4 an archive"):
        made = gate.screen(data, canonical=True).canonical
        assert made is not None
        assert not [word for word in (*META, b"a comment", b"where it was") if word in made]
        assert made.count(b"\xff\xd8\xff") == 1
        assert made.endswith(b"\xff\xd9")
    png = saved(SCENE, "PNG", exif=exif, icc_profile=profile, dpi=(72, 73))
    made = gate.screen(png, canonical=True).canonical
    assert made is not None
    assert not [word for word in META if word in made]


@pytest.mark.parametrize("name", trap_frames.SHORT)
def test_a_broken_file_is_cured(gate: Gate, name: str) -> None:
    """What could not be read of the file does not count where the canonical picture is sent."""
    data = trap_frames.SHORT[name](SCENE)
    assert gate.screen(data).outcome == Outcome.UNREADABLE
    verdict = gate.screen(data, canonical=True)
    assert verdict.outcome == Outcome.CLEAR
    again = gate.screen(verdict.canonical)
    assert (again.outcome, again.sha256) == (Outcome.CLEAR, verdict.sha256)


def test_what_was_seen_counts() -> None:
    """A listed picture hidden in a second frame or in the alpha is a match all the same."""
    listed = hash_list(pdq={0: hash_image(SCENE).bytes})
    with Gate(listed, isolation="inline") as gate:
        for name in ("mpo_second", "trailing_jpeg", "alpha_over_black", "default_apng"):
            verdict = gate.screen(traps.TRAPS[name](SCENE), canonical=True)
            assert verdict.outcome == Outcome.MATCH


def test_it_is_screened_itself(gate: Gate) -> None:
    """Both its hashes and its digests are compared."""
    first = gate.screen(saved(SCENE, "WEBP", quality=20), canonical=True)
    assert first.canonical is not None
    assert any(each.startswith("pdq: canonical, ") for each in first.coverage)
    listed = hash_list(pdq={}, digests={"sha256": [(hashlib.sha256(first.canonical).digest(), 0)]})
    with Gate(listed, isolation="inline") as exact:
        again = exact.screen(saved(SCENE, "WEBP", quality=20), canonical=True)
    assert (again.outcome, again.matches[0].hasher) == (Outcome.MATCH, "sha256")


@pytest.mark.parametrize("name", ["frame2_gif", "frame2_webp", "frame2_apng", "tiff_page2"])
def test_no_still_for_what_moves(gate: Gate, name: str) -> None:
    """An animation or a document of pages has none: a still would be another message."""
    verdict = gate.screen(traps.TRAPS[name](SCENE), canonical=True)
    assert verdict.canonical is None


def test_none_where_there_is_no_picture(gate: Gate) -> None:
    """Other files, pixels and what cannot be decoded have none, and the verdict they would have."""
    for picture in (b"a text", saved(SCENE, "JPEG")[:40], SCENE, np.asarray(SCENE)):
        verdict = gate.screen(picture, canonical=True)
        assert verdict.canonical is None
        assert verdict.outcome == gate.screen(picture).outcome


def test_sha256(gate: Gate) -> None:
    """A verdict names the bytes that it speaks of: the file's, or the canonical picture's."""
    data = saved(SCENE, "PNG")
    assert gate.screen(data).sha256 == hashlib.sha256(data).hexdigest()
    assert gate.screen(io.BytesIO(data)).sha256 == hashlib.sha256(data).hexdigest()
    assert gate.screen(b"a text").sha256 == hashlib.sha256(b"a text").hexdigest()
    assert gate.screen(SCENE, source=data).sha256 == ""
    verdict = gate.screen(data, canonical=True)
    assert verdict.canonical is not None
    assert verdict.sha256 == hashlib.sha256(verdict.canonical).hexdigest()


def test_over_the_limit() -> None:
    """A canonical picture that would take more bytes than a file may is not made."""
    small = Limits(bytes=20_000)
    data = saved(Image.effect_noise((300, 300), 200), "JPEG", quality=5)
    with Gate(OTHERS, limits=small, isolation="inline") as gate:
        verdict = gate.screen(data, canonical=True)
        assert len(data) < 20_000
        assert verdict.canonical is None
        assert verdict.sha256 == hashlib.sha256(data).hexdigest()


@needs_cage
def test_a_worker_of_its_own() -> None:
    """What makes a canonical picture has seen no other picture and sees none after it."""
    named = "sink.write(wire.pack_answer(wire.Reading(unread=[str(os.getpid())]), retires=False))"
    with opened(worker_command=acting(named)) as gate:
        wanted = [False, True, True, False, False, True, False, True]
        served = [gate.screen(DATA, canonical=canonical).reason for canonical in wanted]
    alone = [pid for pid, canonical in zip(served, wanted, strict=True) if canonical]
    assert all(served.count(pid) == 1 for pid in alone)
    assert len(set(served)) < len(served)  # the others are kept


@needs_cage
def test_a_worker_gives_no_picture_unasked() -> None:
    """Bytes of a canonical picture that nobody asked for, or more than may be, are nonsense."""
    header = wire.ANSWER.pack(b"dsw2", 516, 1, 0, 1, 0, 9)
    lie = f"sink.write({header!r} + bytes(516) + b'leftovers')"
    with opened(worker_command=acting(lie), limits=Limits(seconds=2)) as gate:
        verdict = gate.screen(b"a picture")
        assert (verdict.canonical, verdict.reason) == (None, "crash: the decoder died on it")
        assert gate.screen(b"a picture", canonical=True).canonical == b"leftovers"
