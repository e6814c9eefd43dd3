"""Views: what a receiver could be shown is what is hashed."""

from __future__ import annotations

import gzip
import io
import sys
import warnings
import zlib

import numpy as np
import pdqhash
import pillow_heif
import pytest
from PIL import Image, ImageFile

import icc
import trap_frames
import trap_tiles
import traps
from doorsill import images
from doorsill.images import borders, profiles
from doorsill.limits import Limits
from drawn import chunk, saved
from looks import LIMITS, RADIUS, SCENE, hashes, look, nearest

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
    file = io.BytesIO()
    pillow_heif.from_pillow(SCENE).save(file, quality=85)

    assert nearest(file.getvalue(), SCENE) <= 8
    assert "HEIF" not in Image.OPEN


def test_heic_without_its_extra_is_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pillow-heif a HEIC still claims to be a picture, and says what is missing."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    assert look(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == (
        [],
        ["format: HEIC pictures need the [heif] extra"],
    )


# ---- what claims to be a picture


_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(
    "data",
    [
        b"<!-- " + b"a" * 5000 + b" -->" + _SVG,
        b"<?xml version='1.0'?>" + b" " * 5000 + _SVG,
        b"<!-- <html> -->" + _SVG,
        b"<?foo?>" + _SVG,
        b"<!DOCTYPE a:svg [<!ENTITY b 'c'>]><a:svg/>",
        b"<!DOCTYPE html>\n" + _SVG,
        b" \r\n\t" + _SVG,
        _SVG.decode().encode("utf-16"),
        _SVG.decode().encode("utf-16-be"),
        gzip.compress(_SVG, mtime=0),
    ],
)
def test_drawings_are_pictures(data: bytes) -> None:
    """An SVG claims to be a picture whatever comes before its root."""
    assert look(data) == ([], ["format: SVG pictures cannot be read"])


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><title>a</title><p>" + _SVG,
        b"<!-- a -->\n<html><body>" + _SVG,
        b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'a'><html>" + _SVG,
        b"a page about <svg>",
        gzip.compress(b"words", mtime=0),
        gzip.compress(_SVG, mtime=0)[:12] + b"\xff" * 9,
        b"BM" + bytes(12) + b"\x7d\0\0\0",
        b"\0\0\0\x10ftypisom\0\0\0\0avif",
        b"#define WIDTH 3\n#define HEIGHT 4\n",
    ],
)
def test_what_holds_a_picture_is_none(data: bytes) -> None:
    """Pages with drawings in them, video and prose do not claim to be pictures."""
    with pytest.raises(images.NotAPicture):
        images.views(data, LIMITS, [], lambda: None)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\x11",
        b"II\0*",
        b"MM*\0",
        b"P7\nWIDTH 3\n",
        b"PF\n3 3\n-1\n",
        b"\n\5\1\x08",
        b"\1\xda\1\1\0\3",
        b"#define a_width 3\n#define a_height 4\n",
        b"BM" + bytes(12) + b"\x60\0\0\0",
        b"\0\0\0\x14ftypisom\0\0\0\0mif1",
    ],
)
def test_other_signatures_are_pictures(data: bytes) -> None:
    """What a viewer may show by its first bytes is unread, not out of scope."""
    labels, unread = look(data)

    assert labels == []
    assert unread


def test_readings_are_paid_for() -> None:
    """Each further reading of a frame counts as another frame's pixels do."""
    area = SCENE.width * SCENE.height
    data = traps.on_grey(SCENE)

    assert look(data, Limits(frame_pixels=9 * area))[1] == []
    assert look(data, Limits(frame_pixels=2 * area)) == (
        ["as shown", "over mid grey"],
        ["frames: it can be read in more ways than can be looked at"],
    )


# ---- colour profiles


@pytest.mark.parametrize("name", icc.ordinary())
def test_ordinary_profiles_cost_no_view(name: str) -> None:
    """A photo with the profile of a phone, a camera or an editor is one view."""
    profile = icc.ordinary()[name]

    assert look(saved(SCENE, "JPEG", icc_profile=profile))[0] == ["as shown"]
    assert look(saved(SCENE.convert("RGBA"), "PNG", icc_profile=profile))[0] == ["as shown"]


@pytest.mark.parametrize("gamma", [2.0, 2.2, 2.4])
def test_ordinary_gray_profiles_cost_no_view(gamma: float) -> None:
    """A gray scan with a usual gamma is one view."""
    data = saved(SCENE.convert("L"), "JPEG", icc_profile=icc.gray(icc.power(gamma)))

    assert look(data)[0] == ["as shown"]


@pytest.mark.parametrize("name", [*icc.wide(), "inverted", "swapped"])
def test_other_profiles_are_a_view(name: str) -> None:
    """A profile that moves colours far gives a second view."""
    profile = (icc.wide() | {"inverted": icc.inverted(), "swapped": icc.swapped()})[name]

    assert look(saved(SCENE, "JPEG", icc_profile=profile))[0] == ["as shown", "colour-managed"]


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


@pytest.mark.parametrize("tag", [b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1"])
def test_a_table_of_colours_is_never_ordinary(tag: bytes) -> None:
    """A profile with a lookup table may hide anything between the colours that are tried."""
    profile = icc.rgb(icc.SRGB, icc.srgb_curve()).replace(b"cprt", tag)

    assert not profiles.is_ordinary(profile, "RGB ")


def test_each_table_is_one_view() -> None:
    """Intents that show the same pixels are one view, others are one each."""
    alike = icc.rgb(icc.SRGB, icc.srgb_curve()).replace(b"cprt", b"D2B3")
    other = icc.with_table(b"A2B1")

    assert look(saved(SCENE, "PNG", icc_profile=alike))[0] == ["as shown", "colour-managed"]
    assert look(saved(SCENE, "PNG", icc_profile=other))[0] == [
        "as shown",
        "colour-managed",
        "colour-managed, relative",
    ]


@pytest.mark.parametrize("profile", [b"junk", bytes(200), icc.inverted()[:300]])
def test_broken_profiles_are_ignored(profile: bytes) -> None:
    """A profile that cannot be used changes nothing, as in viewers."""
    assert look(saved(SCENE, "JPEG", icc_profile=profile)) == (["as shown"], [])


def test_a_profile_over_its_limit_is_unread() -> None:
    """A profile too large to apply leaves the plain view, and says so."""
    packed = zlib.compress(icc.inverted() + bytes(2_000_000))
    data = saved(SCENE, "PNG")
    data = data[:33] + chunk(b"iCCP", b"x\0\0" + packed) + data[33:]
    labels, unread = look(data)

    assert labels == ["as shown"]
    assert unread == ["profile: its colour profile takes more than 1048576 bytes"]


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
        list(images.views(trap_frames.frame2_gif(SCENE), LIMITS, [], check))


def test_settings_of_pillow_are_left_alone() -> None:
    """Nothing process-wide is changed, and a host's lower pixel limit does not blind us."""
    kept = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    look(trap_frames.jpeg_no_end(SCENE))

    assert kept == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


def test_a_lower_limit_of_the_host_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that tells Pillow to refuse large pictures gets the same views."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)

    for kind in ("JPEG", "PNG", "GIF", "BMP"):
        assert look(saved(SCENE, kind)) == (["as shown"], [])


# ---- borders


def test_a_clear_canvas_is_composed_as_browsers_do() -> None:
    """What a frame left empty is transparent, whatever background colour the file names."""
    small = SCENE.resize((20, 20))
    data = trap_tiles.gif_of((40, 40), [(small, (0, 0), 2), (small, (20, 20), 1)], 1)
    seen = {
        view.label: view.image.convert("RGBA").getpixel((0, 0))
        for view in images.views(data, LIMITS, [], lambda: None)
        if "clear canvas" in view.label and view.image is not None
    }
    assert (255,) == seen["frame 1, on a clear canvas"][3:]
    assert (255, 255, 255, 255) == seen["frame 2, on a clear canvas"]
    assert (0, 0, 0, 255) == seen["frame 2, on a clear canvas, over black"]


def test_a_border_is_found_to_the_pixel() -> None:
    """The box of a picture within a plain page is its own; a narrow page or none gives no view."""
    rough = Image.effect_noise((100, 80), 200)
    page = Image.new("L", (200, 300), 90)
    page.paste(rough, (31, 47))

    assert borders.content(page) == (31, 47, 131, 127)
    assert borders.content(rough) is None
    assert borders.content(Image.new("L", (200, 300), 90)) is None
