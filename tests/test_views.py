"""Views: what a receiver could be shown is what is hashed, whatever the bytes are."""

from __future__ import annotations

import io
import random
import struct
import time
import warnings
import zlib
from typing import Any

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

import icc
import traps
from doorsill import images, profiles
from doorsill.limits import Limits

RADIUS = 31
LIMITS = Limits()
SMALL = Limits(pixels=4_000_000, frame_pixels=8_000_000, frames=20)
SCENE = traps.scene()
QUICK = 0.5  # seconds


def hashes(image: Image.Image) -> list[Any]:
    """Return PDQ's bits of a view as it stands: over white and over black if it has alpha."""
    if image.mode == "RGBA":
        pages = [Image.new("RGB", image.size, colour) for colour in ("white", "black")]
        for page in pages:
            page.paste(image, mask=image.getchannel("A"))
        return [bits for page in pages for bits in hashes(page)]
    bits, quality = pdqhash.compute(np.asarray(image.convert("RGB")))
    return [bits] if quality >= 50 else []


def look(data: bytes, limits: Limits = LIMITS) -> tuple[list[str], list[str]]:
    """Return the labels of all views of a file, and why parts were not read."""
    unread: list[str] = []
    labels = []
    for view in images.views(data, limits, unread, lambda: None):
        assert view.image.mode in ("L", "RGB", "RGBA")
        labels.append(view.label)
    return labels, unread


def nearest(data: bytes, reference: Image.Image) -> int:
    """Return the smallest distance between *reference* and a view of *data*."""
    wanted = hashes(reference)[0]
    unread: list[str] = []
    return min(
        int(np.count_nonzero(wanted != bits))
        for view in images.views(data, LIMITS, unread, lambda: None)
        for bits in hashes(view.image)
    )


# ---- what must match


@pytest.mark.parametrize("name", traps.PLAIN)
def test_plain_files_are_one_view(name: str) -> None:
    """An ordinary file costs one view, which is the picture, and nothing of it stays unread."""
    data = traps.PLAIN[name](SCENE)

    assert look(data) == (["as shown"], [])
    assert nearest(data, SCENE) <= 8


@pytest.mark.parametrize("name", traps.TRAPS)
def test_traps_are_seen(name: str) -> None:
    """Each trap has a view that matches the picture in it, and nothing of it stays unread."""
    data = traps.TRAPS[name](SCENE)

    assert nearest(data, SCENE) <= RADIUS
    assert look(data)[1] == []


@pytest.mark.parametrize(
    "name", ["inverted_profile_jpeg", "frame2_webp", "alpha_over_white", "under_alpha", "on_grey"]
)
def test_traps_hide_the_picture(name: str) -> None:
    """A trap is one: Pillow's plain reading does not match."""
    with Image.open(io.BytesIO(traps.TRAPS[name](SCENE))) as plain:
        shown = plain if name != "under_alpha" else _on_white(plain)
        bits, _ = pdqhash.compute(np.asarray(shown.convert("RGB")))

    assert np.count_nonzero(bits != hashes(SCENE)[0]) > RADIUS or name == "on_grey"


def _on_white(image: Image.Image) -> Image.Image:
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def test_grey_page_is_a_view_of_its_own() -> None:
    """A picture that cancels out on white and on black pages is seen on a grey one."""
    unread: list[str] = []
    wanted = hashes(SCENE)[0]
    near = {
        view.label: min(
            (int(np.count_nonzero(wanted != bits)) for bits in hashes(view.image)), default=256
        )
        for view in images.views(traps.on_grey(SCENE), LIMITS, unread, lambda: None)
    }

    assert near["as shown"] > RADIUS
    assert near["over mid grey"] <= RADIUS


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_are_one_view(turn: int) -> None:
    """A camera's EXIF orientation is applied to the pixels and costs no second view."""
    data = traps.exif_jpeg(turn)(SCENE)

    assert look(data)[0] == ["as shown"]
    assert nearest(data, SCENE) <= 8


def test_turns_that_viewers_dispute_are_both_views() -> None:
    """Viewers disagree about EXIF in WebP: upright and as stored are both looked at."""
    assert look(traps.exif_webp(SCENE))[0] == ["as shown", "as stored, not turned"]


def test_heic_is_read_through_its_extra() -> None:
    """HEIC is read when pillow-heif is there, which stays unregistered."""
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(SCENE).save(file, quality=85)

    assert nearest(file.getvalue(), SCENE) <= 8
    assert "HEIF" not in Image.OPEN


def test_heic_without_its_extra_is_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pillow-heif a HEIC still claims to be a picture, and says what is missing."""
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)

    assert look(
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    ) == ([], ["format: HEIC pictures need the [heif] extra"])


# ---- colour profiles


@pytest.mark.parametrize("name", icc.ordinary())
def test_ordinary_profiles_cost_no_view(name: str) -> None:
    """A photo with the profile of a phone, a camera or an editor is one view."""
    profile = icc.ordinary()[name]

    assert look(traps.saved(SCENE, "JPEG", icc_profile=profile))[0] == ["as shown"]
    assert look(traps.saved(SCENE.convert("RGBA"), "PNG", icc_profile=profile))[0] == ["as shown"]


@pytest.mark.parametrize("gamma", [2.0, 2.2, 2.4])
def test_ordinary_gray_profiles_cost_no_view(gamma: float) -> None:
    """A gray scan with a usual gamma is one view."""
    data = traps.saved(SCENE.convert("L"), "JPEG", icc_profile=icc.gray(icc.power(gamma)))

    assert look(data)[0] == ["as shown"]


@pytest.mark.parametrize("name", [*icc.wide(), "inverted", "swapped"])
def test_other_profiles_are_a_view(name: str) -> None:
    """A profile that moves colours far gives a second view."""
    profile = (icc.wide() | {"inverted": icc.inverted(), "swapped": icc.swapped()})[name]

    assert look(traps.saved(SCENE, "JPEG", icc_profile=profile))[
        0
    ] == ["as shown", "colour-managed"]


def test_ordinary_is_asked_of_the_profile_alone() -> None:
    """One spike in a tone curve, or two greys the wrong way round, is not ordinary."""
    straight = icc.srgb_curve()
    spike = icc.table(lambda level: 1.0 if abs(level - 0.3) < 1 / 500 else level**2.2)

    assert profiles.is_ordinary(icc.rgb(icc.SRGB, straight), "RGB ")
    assert not profiles.is_ordinary(
        icc.rgb(icc.SRGB, straight, (spike, straight, straight)), "RGB "
    )
    assert not profiles.is_ordinary(
        icc.gray(icc.table(lambda level: level**2.2 + (0.46 < level < 0.47) / 20)), "GRAY"
    )


def test_a_table_of_colours_is_never_ordinary() -> None:
    """A profile with a lookup table may hide anything between the colours that are tried."""
    profile = icc.rgb(icc.SRGB, icc.srgb_curve()).replace(b"cprt", b"A2B0")

    assert not profiles.is_ordinary(profile, "RGB ")


@pytest.mark.parametrize("profile", [b"junk", bytes(200), icc.inverted()[:300]])
def test_broken_profiles_are_ignored(profile: bytes) -> None:
    """A profile that cannot be used changes nothing, as in viewers."""
    assert look(traps.saved(SCENE, "JPEG", icc_profile=profile)) == (["as shown"], [])


def test_a_profile_over_its_limit_is_unread() -> None:
    """A profile too large to apply leaves the plain view, and says so."""
    packed = zlib.compress(icc.inverted() + bytes(2_000_000))
    data = traps.saved(SCENE, "PNG")
    data = data[:33] + traps.chunk(b"iCCP", b"x\0\0" + packed) + data[33:]
    labels, unread = look(data)

    assert labels == ["as shown"]
    assert unread == ["profile: its colour profile takes more than 1048576 bytes"]


# ---- damage


@pytest.mark.parametrize("name", traps.CUT)
def test_cut_files_are_salvaged(name: str) -> None:
    """Of a file cut off, the part that viewers still show is a view, and the rest is unread."""
    unread: list[str] = []
    found = images.views(traps.CUT[name](SCENE), LIMITS, unread, lambda: None)
    shown = next(found).image.convert("L")
    list(found)
    kept = 0.4 if "60%" in name else 0.6
    high = round(SCENE.height * kept)
    top = SCENE.height - high if "bmp" in name else 0  # bitmaps begin at the bottom
    part = (0, top, SCENE.width, top + high)
    apart = np.abs(
        np.asarray(shown.crop(part), int) - np.asarray(SCENE.convert("L").crop(part), int)
    )

    assert np.median(apart) < 24
    assert unread == ["broken: a part is missing"]


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "ICO", "JPEG2000", "PPM"]
)
def test_truncation_never_raises(kind: str) -> None:
    """A file cut at any byte gives views, a reason, or is no picture; never silence."""
    data = traps.saved(SCENE.resize((96, 72)), kind)
    for cut in {*range(1, 64), *range(64, len(data) - 1, max(1, len(data) // 60))}:
        try:
            labels, unread = look(data[:cut])
        except images.NotAPicture:
            continue
        assert labels or unread


SEEDS = {
    name: make(traps.scene((64, 48)))
    for name, make in (traps.TRAPS | traps.PLAIN).items()
    if not name.startswith("exif ")
}


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(SEEDS)),
    seed=st.integers(0, 2**32),
    rate=st.sampled_from((1, 4, 20)),
)
def test_mutated_files_never_raise(name: str, seed: int, rate: int) -> None:
    """Whatever bytes are changed, dropped or repeated, the answer is views and reasons."""
    chance = random.Random(seed)  # noqa: S311 - mutations
    data = bytearray(SEEDS[name])
    for _ in range(rate):
        at = chance.randrange(len(data))
        what = chance.randrange(4)
        if what == 0:
            data[at] = chance.randrange(256)
        elif what == 1:
            data[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
        elif what == 2:
            del data[at : at + chance.randrange(1, 40)]
        else:
            data[at:at] = data[at : at + chance.randrange(1, 400)]
        data = data or bytearray(b"\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            labels, unread = look(bytes(data), SMALL)
        except images.NotAPicture:
            return
    assert labels or unread


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from([data[:40] for data in SEEDS.values()]), tail=st.binary(max_size=300))
def test_made_up_files_never_raise(head: bytes, tail: bytes) -> None:
    """A real beginning and an invented rest raise nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            labels, unread = look(head + tail, SMALL)
        except images.NotAPicture:
            return
    assert labels or unread


# ---- what is not a picture, or cannot be one


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"%PDF-1.7\n",
        b"PK\3\4",
        b"\0\0\0\x18ftypmp42\0\0\0\0",
        b"BM is short",
        b"\0" * 64,
        b"<?xml version='1.0'?><a/>",
    ],
)
def test_other_files_are_not_pictures(data: bytes) -> None:
    """Text, documents, archives and video are said not to be pictures."""
    with pytest.raises(images.NotAPicture):
        images.views(data, LIMITS, [], lambda: None)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><svg/>",
        b"\xff\x0a" + bytes(20),
        b"\0\0\0\x18ftypcrx \0\0\0\0",
    ],
)
def test_unreadable_formats_are_pictures(data: bytes) -> None:
    """A picture in a format without a reader is unread, not out of scope."""
    labels, unread = look(data)

    assert labels == []
    assert unread[0].startswith("format: ")


# ---- bombs


def _png(width: int, height: int, body: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        traps.PNG_START
        + traps.chunk(b"IHDR", head)
        + traps.chunk(b"IDAT", body)
        + traps.chunk(b"IEND", b"")
    )


def _webp() -> bytes:
    bits = (16383 | 16383 << 14).to_bytes(4, "little")
    return b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f" + bits + bytes(9)


def _gif(width: int, height: int, count: int = 1) -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return (
        b"GIF89a"
        + struct.pack("<2H3B", width, height, 0x80, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + frame * count
        + b";"
    )


def _far_gif() -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 65000, 65000, 500, 500, 0) + b"\x02\x02\x44\x01\0"
    return _gif(10, 10)[:-1] + frame + b";"


def _scans() -> bytes:
    data = traps.saved(traps.scene((256, 256)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1000 + b"\xff\xd9"


def _chunks() -> bytes:
    data = _png(8, 8, zlib.compress(bytes(72)))
    return data[:33] + traps.chunk(b"tEXt", b"") * 2**20 + data[33:]


BOMBS = {
    "png": lambda: _png(13300, 13300, zlib.compress(bytes(20_000_000))),
    "webp": _webp,
    "gif": lambda: _gif(65535, 65535),
    "gif beyond its screen": _far_gif,
    "bmp": lambda: b"BM" + struct.pack("<3I", 54, 0, 54) + struct.pack("<IiiHHI", 40, 40000, 40000, 1, 24, 0) + bytes(20),
    "icon": lambda: b"\0\0\1\0\1\0" + struct.pack("<4B2H2I", 0, 0, 0, 0, 1, 32, 60, 22)
    + struct.pack("<IiiHHI", 40, 40000, 80000, 1, 32, 0) + bytes(40),
    "tiff": lambda: traps.saved(Image.new("1", (20000, 20000)), "TIFF", compression="group4"),
    "jpeg": lambda: traps.saved(Image.new("L", (8, 8)), "JPEG").replace(b"\0\x08\0\x08\1", b"\xff\xff\xff\xff\1"),
    "strip": lambda: _png(1_000_000, 1),
    "scans": _scans,
    "chunks": _chunks,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_unread_and_quick(name: str) -> None:
    """A small file that would cost much gives a reason, at once, before it is decoded."""
    data = BOMBS[name]()
    start = time.perf_counter()
    labels, unread = look(data)

    assert time.perf_counter() - start < QUICK
    assert labels == []
    assert unread[0].split(":")[0] in ("size", "scans", "chunks")


def test_frames_left_unseen_are_said() -> None:
    """Past the limit of frames the rest is unread, and the frames before it were looked at."""
    labels, unread = look(_gif(10, 10, 50_000))

    assert LIMITS.frames == len(labels)
    assert unread == ["frames: it has more than can be looked at"]


def test_input_over_its_limit_is_unread() -> None:
    """A file larger than the limit is not opened."""
    labels, unread = look(traps.saved(SCENE, "PNG"), Limits(bytes=1000))

    assert (labels, unread) == ([], ["size: it is larger than 1000 bytes"])


# ---- the host


def test_an_image_of_the_host_is_read_alike() -> None:
    """An image opened by the host has the views of its frame, orientation and profile included."""
    with Image.open(io.BytesIO(traps.exif_jpeg(6)(SCENE))) as image:
        unread: list[str] = []
        (view,) = images.pixels(image, LIMITS, unread, lambda: None)

    assert np.count_nonzero(hashes(view.image)[0] != hashes(SCENE)[0]) <= 8
    assert unread == []


def test_an_upright_photo_is_not_copied() -> None:
    """The view of an RGB image that the host decoded is that image."""
    (view,) = images.pixels(SCENE, LIMITS, [], lambda: None)

    assert view.image is SCENE


def test_checks_pass_through() -> None:
    """What the check between views raises reaches the caller."""

    class Late(Exception):  # noqa: N818
        pass

    def check() -> None:
        raise Late

    with pytest.raises(Late):
        list(images.views(traps.frame2_gif(SCENE), LIMITS, [], check))


def test_settings_of_pillow_are_left_alone() -> None:
    """Nothing process-wide is changed, and a host's lower pixel limit does not blind us."""
    kept = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    look(traps.jpeg_no_end(SCENE))

    assert kept == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


def test_a_lower_limit_of_the_host_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that tells Pillow to refuse large pictures gets the same views."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)

    for kind in ("JPEG", "PNG", "GIF", "BMP"):
        assert look(traps.saved(SCENE, kind)) == (["as shown"], [])
