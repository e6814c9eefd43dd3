"""Damaged files that Pillow refuses and browsers show: what they paint is a view."""

from __future__ import annotations

import io
import random
import re
import struct

import numpy as np
import pytest
from PIL import Image

import icc
from doorsill import images
from doorsill.images import avifs, containers, gifs
from drawn import saved
from looks import LIMITS, RADIUS, SCENE, look, nearest

LOST = ["broken: a part is missing"]


def _refused(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except (OSError, ValueError, SyntaxError, RuntimeError):
        return True
    return False


def _first(data: bytes) -> Image.Image:
    image = next(images.views(data, LIMITS, [], lambda: None)).image
    assert image is not None
    return image


def _scrambled(data: bytes, start: float) -> bytes:
    """Return a file that Pillow refuses for bytes that were changed from a share of it on."""
    for seed in range(50):
        junk = random.Random(seed).randbytes(200)  # noqa: S311 - damage
        at = int(len(data) * start)
        changed = data[:at] + junk + data[at + len(junk) :]
        if _refused(changed):
            return changed
    raise AssertionError("no damage was enough")


def _apart(image: Image.Image, share: float) -> float:
    """Return how far the upper *share* of an image is from the scene's, in the median."""
    part = (0, 0, SCENE.width, round(SCENE.height * share))
    one, two = (np.asarray(each.convert("L").crop(part), int) for each in (image, SCENE))
    return float(np.median(np.abs(one - two)))


def test_lossless_webp_shows_the_rows_before_its_fault() -> None:
    """The rows before damaged symbols are as they were; nothing is painted after the fault."""
    data = _scrambled(saved(SCENE, "WEBP", lossless=True), 0.5)
    image = _first(data)
    left, top, right, bottom = image.getchannel("A").getbbox() or (0, 0, 0, 0)

    assert (left, top, right) == (0, 0, SCENE.width)
    assert 0.3 * SCENE.height < bottom < SCENE.height
    assert _apart(image, 0.3) == 0
    assert look(data)[1] == LOST


def test_a_damaged_webp_keeps_its_profile() -> None:
    """A lossy WebP with a chunk of junk is seen through its profile, as browsers show it."""
    data = saved(SCENE, "WEBP", quality=90, icc_profile=icc.swapped())
    at = data.index(b"VP8 ") + 8
    first = int.from_bytes(data[at : at + 3], "little") >> 5
    data = data[: at + 10 + first // 2] + b"\xff" * (first // 2) + data[at + 10 + first :]
    labels, _ = look(data)

    assert "colour-managed" in labels


@pytest.mark.parametrize("frames", [1, 2])
def test_avif_shows_damaged_symbols(frames: int) -> None:
    """Of an AVIF whose symbols are damaged, alone or the first of several, all rows are shown."""
    more = [SCENE.transpose(Image.Transpose.ROTATE_180)] * (frames - 1)
    options = {"save_all": True, "append_images": more} if more else {}
    data = saved(SCENE, "AVIF", quality=80, speed=10, max_threads=1, **options)
    start = data.rindex(b"mdat")
    share = (start + 0.8 * (len(data) - start) / frames) / len(data)
    broken = _scrambled(data, share)

    assert _apart(_first(broken), 0.5) < 12
    assert look(broken)[1] == LOST


def test_an_avif_of_many_claims_is_bounded() -> None:
    """Items that all claim the whole file do not add up to more than a file may have."""
    places = b"".join(struct.pack(">HHHII", item, 0, 1, 0, 0) for item in range(1000))
    iloc = struct.pack(">IBBH", 0, 0x44, 0, 1000) + places
    boxes = [(b"hdlr", bytes(25)), (b"iinf", bytes(6)), (b"iloc", iloc), (b"free", bytes(1 << 20))]
    inner = b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in boxes)
    data = bytes(4) + b"ftypavif" + struct.pack(">I", 12 + len(inner)) + b"meta" + bytes(4) + inner

    assert avifs.still(b"\0\0\0\x0c" + data[4:], 10 << 20) is None


@pytest.mark.parametrize("colours", [257, 0xFFFF, 0x7FFFFFFF])
def test_a_bitmap_that_miscounts_its_colours(colours: int) -> None:
    """A bitmap that says it has more colours than its pixels can name is shown all the same."""
    data = saved(SCENE.quantize(256), "BMP")
    data = data[:46] + struct.pack("<I", colours) + data[50:]

    assert _refused(data)
    assert nearest(data, SCENE) <= RADIUS


@pytest.mark.parametrize("kind", ["bmp", "png"])
@pytest.mark.parametrize("said", [0, 100, 1 << 20])
def test_icons_whose_length_is_misstated(kind: str, said: int) -> None:
    """Whatever length the directory of an icon states, its picture is shown whole."""
    icon = SCENE.resize((128, 96))
    data = saved(icon, "ICO", sizes=[icon.size], bitmap_format=kind)
    data = data[:14] + struct.pack("<I", said) + data[18:]

    assert nearest(data, icon) <= RADIUS


def test_icons_that_claim_the_same_bytes() -> None:
    """Many entries that point at one long picture do not multiply it without bound."""
    body = saved(SCENE, "PNG")
    entry = struct.pack("<4B2H2I", 0, 0, 0, 0, 1, 32, 50, 6 + 16 * 200)
    data = struct.pack("<HHH", 0, 1, 200) + entry * 200 + body
    held = sum(len(picture) for _, picture in containers.icon_entries(data, 300))

    assert held <= 5 * len(data)


def test_a_profile_given_twice() -> None:
    """A JPEG whose profile comes twice is seen through it, as browsers show it."""
    once = saved(SCENE, "JPEG", quality=92, icc_profile=icc.swapped())
    at = once.index(b"ICC_PROFILE\0") - 4
    size = 2 + int.from_bytes(once[at + 2 : at + 4], "big")
    twice = once[:at] + once[at : at + size] * 2 + once[at + size :]

    assert look(twice) == look(once)
    assert "colour-managed" in look(twice)[0]


@pytest.mark.parametrize(
    "data",
    [
        saved(SCENE.convert("CMYK"), "JPEG", quality=90),
        saved(Image.fromarray(np.asarray(SCENE.convert("L")).astype("uint16") * 257), "PNG"),
        saved(SCENE, "BMP"),
    ],
    ids=["inks", "16 bits", "bitmap"],
)
def test_what_is_missing_is_see_through(data: bytes) -> None:
    """In pictures of every kind of pixel, rows that the file does not hold show the page."""
    image = _first(data[: len(data) // 2])
    box = image.getchannel("A").getbbox()

    assert box is not None
    assert box[3] - box[1] < 0.8 * SCENE.height


def test_a_jpeg_whose_restarts_go_on_too_long() -> None:
    """A piece that ends in other bytes before the next restart is not taken for the whole."""
    data = saved(SCENE, "JPEG", quality=90, restart_marker_blocks=4)
    restarts = [found.start() for found in re.finditer(b"\xff[\xd0-\xd7]", data)]
    image = _first(data[: restarts[len(restarts) // 2] - 4] + bytes(900))
    box = image.getchannel("A").getbbox()

    assert box is not None
    assert box[3] < 0.6 * SCENE.height


def test_a_progressive_jpeg_is_shown_up_to_its_fault() -> None:
    """Tables that are broken behind the first scan leave that to be seen, also without its end."""
    data = saved(SCENE, "JPEG", quality=90, progressive=True)
    codes = list(containers.jpeg_markers(data))
    scan = next(at for code, at in codes if code == 0xDA)
    table = next(at for code, at in codes if code == 0xC4 and at > scan)
    broken = data[: table + 5] + b"\xff" * 16 + data[table + 21 :]

    assert _refused(broken)
    assert nearest(broken, SCENE) <= RADIUS
    seen = [view.image for view in images.views(broken, LIMITS, [], lambda: None)]
    assert any(image is not None and image.mode == "RGBA" for image in seen)
    assert look(broken)[1] == LOST


def test_a_progressive_jpeg_that_ends_in_its_first_scan() -> None:
    """Its lowest rows wait for a next scan, though nothing of this one is missing."""
    data = saved(SCENE, "JPEG", quality=90, progressive=True)
    later = [at for code, at in containers.jpeg_markers(data) if at > data.index(b"\xff\xda")]
    cut = data[: later[0]]
    seen = [view.image for view in images.views(cut, LIMITS, [], lambda: None)]
    boxes = [image.getchannel("A").getbbox() for image in seen if image and image.mode == "RGBA"]

    assert any(box and SCENE.height - 34 <= box[3] < SCENE.height for box in boxes)


@pytest.mark.parametrize("at", [(0, 0), (40, 90)])
def test_a_gif_smaller_than_its_screen(at: tuple[int, int]) -> None:
    """Beside a first frame that does not fill the screen, the page is seen, as in browsers."""
    data = bytearray(saved(SCENE, "GIF"))
    size = 2 * SCENE.width, 2 * SCENE.height
    data[6:10] = struct.pack("<HH", *size)
    start = next(gifs.gif_frames(bytes(data))).start
    data[start + 1 : start + 5] = struct.pack("<HH", *at)
    page = Image.new("RGB", size, "white")
    page.paste(SCENE, at)

    assert nearest(bytes(data), page) <= RADIUS
