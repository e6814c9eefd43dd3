"""Hostile files: whatever the bytes are, the answer is views and reasons, soon."""

from __future__ import annotations

import random
import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

import trap_frames
import trap_more
import traps
from doorsill import Gate, Outcome, hash_image, images
from doorsill.limits import Limits
from drawn import PNG_START, chunk, saved, scene
from lists import hash_list
from looks import LIMITS, RADIUS, SCENE, look, nearest

SMALL = Limits(pixels=4_000_000, frame_pixels=8_000_000, frames=20)
QUICK = 0.5  # seconds

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


@pytest.mark.parametrize("name", trap_frames.SHORT)
def test_missing_pixels_are_said(name: str) -> None:
    """Where decoders fill up in silence, that is unread, and the rows that are there a view."""
    labels, unread = look(trap_frames.SHORT[name](SCENE))

    rows = [] if "pass" in name else ["rows that are there"]
    assert (labels, unread) == (["as shown", *rows], ["broken: a part is missing"])


@pytest.mark.parametrize("name", [name for name in trap_frames.SHORT if "taller" in name])
def test_a_listed_picture_made_taller_matches(name: str) -> None:
    """Rows of nothing below a listed picture do not hide it."""
    assert nearest(trap_frames.SHORT[name](SCENE), SCENE) <= RADIUS


@pytest.mark.parametrize("name", trap_frames.SHORT)
def test_missing_pixels_are_never_clear(name: str) -> None:
    """A file with fewer pixels than it says matches, or could not be told."""
    gate = Gate(hash_list(pdq={0: hash_image(SCENE).bytes}))
    wanted = (Outcome.MATCH,) if "taller" in name else (Outcome.MATCH, Outcome.UNREADABLE)

    assert gate.screen(trap_frames.SHORT[name](SCENE)).outcome in wanted


@pytest.mark.parametrize("name", trap_more.STOPPED)
def test_what_stops_a_browser_is_a_view(name: str) -> None:
    """Where a bad checksum stops browsers, what they painted until then is looked at, and said."""
    data = trap_more.STOPPED[name](SCENE)
    page = Image.new("RGB", (SCENE.width, 2 * SCENE.height), "white")
    page.paste(SCENE)

    assert nearest(data, page) <= RADIUS
    assert ["broken: a part is missing"] == look(data)[1]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_passes_that_came_are_spread(kind: str) -> None:
    """A picture in passes that is cut off is seen as coarse as it is there, in full size."""
    if kind == "PNG":
        data = trap_frames.png_without_last_pass(SCENE)
        data = data[: len(data) // 2]
    else:
        data = trap_frames.cut_off(kind, 0.4)(SCENE)

    assert nearest(data, SCENE) <= RADIUS


@pytest.mark.parametrize("height", [240, 237])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_end_is_nothing_missing(level: int, height: int) -> None:
    """A whole picture that ends in one colour, even that which decoders fill up with, is whole."""
    picture = SCENE.crop((0, 0, 320, height))
    picture.paste((level, level, level), (0, 200, 320, height))
    files = [
        saved(picture, "JPEG", quality=92),
        saved(picture, "JPEG", progressive=True),
        saved(picture, "JPEG", subsampling=0, restart_marker_blocks=7),
        saved(picture.convert("L"), "JPEG"),
        saved(picture, "PNG"),
        saved(picture.convert("P"), "PNG"),
        saved(picture.convert("1"), "PNG"),
    ]
    for data in files:
        assert look(data) == (["as shown"], [])


@pytest.mark.parametrize("kind", ["BMP", "PPM", "TIFF", "JPEG2000", "ICO", "QOI"])
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_a_tolerant_host_hides_no_cut(
    kind: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that Pillow decodes with its plain loop are as unread as for any other host."""
    options = {"bitmap_format": "bmp", "sizes": [(128, 128)]} if kind == "ICO" else {}
    data = trap_frames.cut_off(kind, share, **options)(SCENE)
    strict = look(data)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    assert strict[1]
    assert look(data) == strict


@pytest.mark.parametrize("name", traps.CUT)
def test_a_tolerant_host_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host tells Pillow to tolerate cut files, what is missing is still said."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    labels, unread = look(traps.CUT[name](SCENE))
    assert ("as shown", ["broken: a part is missing"]) == (labels[0], unread)


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "ICO", "JPEG2000", "PPM"]
)
def test_truncation_never_raises(kind: str) -> None:
    """A file cut at any byte gives views, a reason, or is no picture; never silence."""
    data = saved(SCENE.resize((96, 72)), kind)
    for cut in {*range(1, 64), *range(64, len(data) - 1, max(1, len(data) // 60))}:
        try:
            labels, unread = look(data[:cut])
        except images.NotAPicture:
            continue
        assert labels or unread


SEEDS = {
    name: make(scene((64, 48)))
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
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


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
    return _gif(10, 10, 0)[:-1] + frame + b";"


def _scans() -> bytes:
    data = saved(scene((256, 256)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1000 + b"\xff\xd9"


def _chunks() -> bytes:
    data = _png(8, 8, zlib.compress(bytes(72)))
    return data[:33] + chunk(b"tEXt", b"") * 2**20 + data[33:]


def _bitmap_head(width: int, height: int, depth: int) -> bytes:
    return struct.pack("<IiiHHI", 40, width, height, 1, depth, 0) + bytes(24)


def _icon() -> bytes:
    entry = struct.pack("<4B2H2I", 0, 0, 0, 0, 1, 32, 48, 22)
    return b"\0\0\1\0\1\0" + entry + _bitmap_head(40_000, 80_000, 32)


def _jpeg() -> bytes:
    data = saved(Image.new("L", (8, 8)), "JPEG")
    return data.replace(b"\0\x08\0\x08\1", b"\xff\xff\xff\xff\1")


BOMBS = {
    "png": lambda: _png(13300, 13300, zlib.compress(bytes(20_000_000))),
    "webp": _webp,
    "gif": lambda: _gif(65535, 65535),
    "gif beyond its screen": _far_gif,
    "bmp": lambda: b"BM" + struct.pack("<3I", 54, 0, 54) + _bitmap_head(40_000, 40_000, 24),
    "icon": _icon,
    "tiff": lambda: saved(Image.new("1", (20_000, 20_000)), "TIFF", compression="group4"),
    "jpeg": _jpeg,
    "strip": lambda: _png(1_000_000, 1),
    "scans": _scans,
    "chunks": _chunks,
}


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
    labels, unread = look(saved(SCENE, "PNG"), Limits(bytes=1000))

    assert (labels, unread) == ([], ["size: it is larger than 1000 bytes"])
