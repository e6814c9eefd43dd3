"""Hostile files: whatever the bytes are, the answer is views and reasons, soon."""

from __future__ import annotations

import random
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

import trap_frames
import trap_more
import traps
from doorsill import Gate, Outcome, hash_image, images, reading
from doorsill.images import containers
from doorsill.limits import Limits
from doorsill.patience import Patience
from drawn import saved, scene
from lists import hash_list
from looks import LIMITS, RADIUS, SCENE, look, nearest

SMALL = Limits(pixels=4_000_000, frame_pixels=8_000_000, frames=20)

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
    whole = [label for label in labels if not re.search("without its border|part", label)]
    assert (whole, unread) == (["as shown", *rows], ["broken: a part is missing"])


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
        labels, unread = look(data)
        assert ("as shown", []) == (labels[0], unread)
        assert not [label for label in labels if "rows" in label]


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


def test_a_page_without_rows_is_unread() -> None:
    """A page that says that it has no rows is unread, and not handed to the core."""
    pages = [scene((64, 48)), scene((64, 33))]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    height = data.rindex(b"\x01\x01\x04\0\1\0\0\0\x21\0\0\0") + 8
    found = reading.read(data[:height] + bytes(4) + data[height + 4 :], LIMITS, Patience(None))

    assert ["as shown"] == [view.label for view in found.views]
    assert found.unread == ["broken: it has no pixels"]


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


_MARKS = st.sampled_from(
    [b"\xff", b"\xd8", b"\xda", b"\xff\xda", b"\xff\xd8\xff", b"\xff\xd9", b"\0"]
)


@given(st.lists(_MARKS, max_size=30).map(b"".join))
def test_one_pass_finds_what_several_do(body: bytes) -> None:
    """A JPEG is alone exactly where no other is found behind it, and has as many scans."""
    data = b"\xff\xd8" + body

    alone = containers.jpeg_alone(data)

    assert (alone is None) == (data.find(containers.JPEG_START, 2) > 0)
    if alone is not None:
        assert containers.jpeg_pictures(data, 9) == [(0, len(data))]
        assert containers.jpeg_scans(data, 99) == alone == data.count(b"\xff\xda")
