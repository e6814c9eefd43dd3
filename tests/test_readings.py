"""What other viewers make of a file: masks, components, primaries, apertures, scans, thumbnails."""

from __future__ import annotations

import io
import random
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import icc
import trap_bitmaps
import trap_boxes
import trap_coded
import trap_hidden
from doorsill import images
from doorsill.images import avifs, bitmaps, containers, profiles, tags
from drawn import decoy, saved, with_chunk
from looks import LIMITS, SCENE, look

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS = 3


def _first(data: bytes) -> Image.Image:
    unread: list[str] = []
    view = next(images.views(data, LIMITS, unread, lambda: None))
    assert view.image is not None
    return view.image


# ---- bitmaps


def _naive(words: np.ndarray, mask: int) -> np.ndarray:
    """Return 8 bits of what *mask* picks, one pixel at a time."""
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    return np.asarray([[(int(w) & mask) * 255 / (most << shift) for w in row] for row in words])


@pytest.mark.parametrize(
    "masks",
    [
        (0x3FF00000, 0xFFC00, 0x3FF, 0), (0xFF, 0xFF00, 0xFF0000, 0), (0xE0, 0x1C, 3, 0),
        (0xF000000, 0xF00000, 0xF0000, 0xF000), (0x7F80000, 0x7F800, 0x7F8, 0x80000000),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [9, 16])
def test_masks_are_followed(masks: Sequence[int], width: int) -> None:
    """Wherever its bits lie, each sample is what reading pixel by pixel gives."""
    chance = np.random.default_rng(8)
    words = chance.integers(0, 1 << 32, (7, width), dtype=np.uint32)
    rows = b"".join(row.tobytes() for row in words[::-1])
    data = trap_bitmaps.bitmap((width, 7), 32, rows, packing=_FIELDS, masks=masks, head=108)

    with Image.open(io.BytesIO(bitmaps.usual(data, lambda _: True))) as image:
        made = np.asarray(image.convert("RGBA"), float)

    for at, mask in enumerate(masks):
        wanted = _naive(words, mask) if mask else np.full(words.shape, 255)
        assert np.abs(made[:, :, at] - wanted).max() <= 2


@pytest.mark.parametrize("width", [9, 16])
def test_masks_of_16_bits_are_followed(width: int) -> None:
    """Rows that are filled up to four bytes keep their places."""
    words = np.random.default_rng(9).integers(0, 1 << 16, (5, width), dtype=np.uint16)
    rows = [row.tobytes() for row in words[::-1]]
    body = b"".join(row + bytes(-len(row) % 4) for row in rows)
    masks = (0xF, 0xF0, 0xF00, 0xF000)
    data = trap_bitmaps.bitmap((width, 5), 16, body, packing=_FIELDS, masks=masks, head=108)

    made = np.asarray(_first(data).convert("RGBA"), float)

    for at, mask in enumerate(masks):
        assert np.abs(made[:, :, at] - _naive(words, mask)).max() <= 1


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_alpha_that_is_not_named_means_nothing(level: int) -> None:
    """A bitmap of 32 bits whose fourth byte says nothing is read once, as it is."""
    alpha = Image.new("L", SCENE.size, level)
    pixels = np.dstack([np.asarray(SCENE)[:, :, ::-1], np.asarray(alpha)])[::-1]
    data = trap_bitmaps.bitmap(SCENE.size, 32, pixels.tobytes())
    assert look(data) == (["as shown"], [])


@given(st.binary(min_size=66, max_size=200), st.sampled_from((0, 3, 6)), st.sampled_from((16, 32)))
def test_bad_bitmaps_give_no_error(body: bytes, packing: int, bits: int) -> None:
    """Any bytes behind the start of a bitmap end in views or reasons."""
    data = trap_bitmaps.bitmap((5, 5), bits, body, packing=packing, masks=struct.unpack_from(
        "<4I", body))  # fmt: skip
    assert any(look(data))


# ---- components


@pytest.mark.parametrize(
    ("transform", "options", "differ"),
    [
        (None, {}, False), (1, {}, False), (0, {"names": b"RGB"}, False),
        (None, {"names": b"RGB"}, False), (None, {"jfif": True}, False), (1, {"jfif": True}, False),
        (0, {}, True), (1, {"names": b"RGB"}, True), (0, {"jfif": True}, True),
        (None, {"names": b"RGB", "jfif": True}, True),
    ],
)  # fmt: skip
def test_components_are_read_twice_where_markers_differ(
    transform: int | None, options: dict[str, Any], *, differ: bool
) -> None:
    """One view where all that tells says the same, two where viewers may believe another part."""
    data = trap_coded.marked(saved(SCENE, "JPEG", quality=92), transform, **options)
    labels, unread = look(data)
    assert (["as shown"] + ["its components taken otherwise"] * differ, []) == (labels, unread)


# ---- primaries


def _png(*numbers: float) -> bytes:
    body = struct.pack(">8I", *(round(100_000 * number) for number in numbers))
    return with_chunk(saved(SCENE, "PNG"), b"cHRM", body)


def test_primaries_make_the_profile_of_the_same_space() -> None:
    """The primaries of sRGB, as a PNG tells them, give the columns that sRGB's profiles hold."""
    made = tags.of_primaries((0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), 1 / 2.2)
    assert made is not None
    table = [struct.unpack_from(">4sII", made, 132 + 12 * at) for at in range(3)]
    for (_, start, _), wanted in zip(table, icc.SRGB, strict=True):
        found = [number / 65536 for number in struct.unpack_from(">3i", made, start + 8)]
        assert found == pytest.approx(wanted, abs=0.001)


def test_usual_primaries_cost_nothing() -> None:
    """A PNG that names the primaries of every screen is one view; so is one with nonsense."""
    assert look(_png(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)) == (["as shown"], [])
    for nonsense in ((0,) * 8, (1,) * 8, (0.3, 0, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), (21474,) * 8):
        assert look(_png(*nonsense)) == (["as shown"], [])


@pytest.mark.parametrize("gamma", [0.1, 0.45455, 1.0])
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_usual_gammas_are_no_reason(gamma: float, mode: str) -> None:
    """A gamma that cameras, screens or renderers write leaves nothing unread."""
    image = SCENE.convert("L").convert("I;16") if mode == "I;16" else SCENE.convert(mode)
    data = with_chunk(saved(image, "PNG"), b"gAMA", struct.pack(">I", round(100_000 * gamma)))
    assert look(data)[1] == []


# ---- apertures


def test_the_aperture_is_found() -> None:
    """What a file of ours crops to is what is read, at the left and at the right."""
    for name, left in (("avif cropped to left", 0), ("avif cropped to right", 320)):
        data = trap_boxes.BOXED[name](SCENE)
        assert avifs.aperture(data, (640, 240)) == (left, 0, left + 320, 240)
    assert avifs.aperture(saved(SCENE, "AVIF", speed=10), SCENE.size) is None


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=8))
def test_bad_boxes_give_no_error(at: int, damage: bytes) -> None:
    """An AVIF with an aperture and any few bytes changed ends in views or reasons."""
    data = bytearray(_CROPPED)
    at %= 600  # where the boxes are
    data[at : at + len(damage)] = damage
    try:
        assert any(look(bytes(data)))
    except images.NotAPicture:
        assert at < 32


_CROPPED = trap_boxes.BOXED["avif cropped to left"](SCENE.resize((64, 48)))


# ---- scans


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"progressive": True, "quality": 30}]
)
def test_usual_scans_paint_once(options: dict[str, Any]) -> None:
    """No scan of what an encoder writes paints anew what is there."""
    assert not containers.jpeg_begun_anew(saved(SCENE, "JPEG", **options), 4)


def test_scans_that_paint_anew_are_found() -> None:
    """What a slow line shows before it is painted over is a view, each time up to the bound."""
    data = trap_hidden.scans_spoilt(SCENE)
    stops = containers.jpeg_begun_anew(data, 4)
    assert len(stops) == 1
    with Image.open(io.BytesIO(data[: stops[0]] + b"\xff\xd9")) as before:
        apart = np.abs(np.asarray(before.convert("L"), int) - np.asarray(SCENE.convert("L"), int))
    assert apart.mean() < 4


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
def test_bad_scans_give_no_error(at: int, damage: bytes) -> None:
    """A JPEG that paints anew, with any few bytes changed, ends in views or reasons."""
    data = bytearray(_ANEW)
    at = 2 + at % (len(data) - 10)
    data[at : at + len(damage)] = damage
    assert any(look(bytes(data)))


_ANEW = trap_hidden.scans_spoilt(SCENE.resize((64, 48)))


# ---- thumbnails and samples


def test_a_broken_thumbnail_is_no_reason() -> None:
    """Nothing shows a thumbnail that cannot be decoded, so the picture is whole without it."""
    small = saved(decoy((160, 120)), "JPEG")
    junk = random.Random(2).randbytes(400)  # noqa: S311 - noise
    data = trap_hidden.with_thumbnail(SCENE, small[:60] + junk)
    assert look(data) == (["as shown"], [])


def test_a_few_odd_samples_do_not_cost_a_view() -> None:
    """12 bits of gray that fill their range are seen plainly and stretched, and not once more."""
    gray = np.asarray(SCENE.convert("L"), np.uint16) * 16
    assert look(saved(Image.fromarray(gray), "TIFF"))[0] == ["as shown", "stretched"]


def test_pixels_that_begin_within_their_palette() -> None:
    """A bitmap whose pixels begin where its palette does is read as browsers do: as both."""
    levels = SCENE.convert("L").transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()
    palette = b"".join(bytes((v, v, v, 0)) for v in range(256))
    plain = saved(SCENE.convert("L"), "BMP")
    head = plain[:10] + (54).to_bytes(4, "little") + plain[14:54]
    data = head + palette + levels[len(palette) :]

    view = next(images.views(data, LIMITS, [], lambda: None))

    rows = np.frombuffer(palette + levels[len(palette) :], np.uint8).reshape(SCENE.height, -1)
    assert view.image is not None
    assert np.array_equal(np.asarray(view.image.convert("L")), rows[::-1])


# ---- colour profiles as browsers read them


def _bent(numbers: Sequence[float]) -> bytes:
    return b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *(round(65536 * n) for n in numbers))


def _as_browsers_do(pixels: Any, primaries: icc.Matrix, curve: Sequence[float]) -> Any:
    """Curve, matrix, sRGB's curve, one after the other in floating point, clipped at the end."""
    g, a, b, c, d = curve
    level = pixels / 255
    linear = np.where(level < d, c * level, np.maximum(a * level + b, 0) ** g)
    light = np.clip(linear @ np.array(primaries) @ np.linalg.inv(np.array(icc.SRGB)), 0, 1)
    return 255 * np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@given(
    st.lists(st.floats(-20, 20), min_size=9, max_size=9),
    st.tuples(
        st.floats(0.5, 5), st.floats(0.2, 3), st.floats(0, 1), st.floats(0, 5), st.floats(0, 0.3)
    ),
)
@settings(max_examples=100, deadline=None)
def test_no_number_of_a_profile_runs_over(numbers: list[float], curve: tuple[float, ...]) -> None:
    """Whatever its primaries and curve, a profile shows what plain arithmetic says."""
    matrix = tuple(zip(*[iter(numbers)] * 3, strict=True))
    pixels = np.random.default_rng(1).integers(0, 256, (500, 3), np.uint8)
    through = profiles.to_srgb("RGB", icc.rgb(matrix, _bent(curve)))
    assert through is not None

    shown = np.asarray(through(Image.frombytes("RGB", (500, 1), pixels.tobytes())), float)[0]

    off = np.abs(shown - _as_browsers_do(pixels, matrix, curve))
    assert np.mean(off > 4) < 0.02


@pytest.mark.parametrize("kind", [b"link", b"abst", b"nmcl", b"\x8f\x96\xec\xcc"])
def test_what_a_profile_is_for_does_not_matter(kind: bytes) -> None:
    """Browsers never ask whether a profile is a monitor's; LittleCMS does."""
    profile = icc.swapped()
    odd = profile[:12] + kind + profile[16:]

    assert look(saved(SCENE, "JPEG", icc_profile=odd))[0] == ["as shown", "colour-managed"]


def test_tags_that_nobody_knows_hide_no_profile() -> None:
    """A profile with more tags than LittleCMS takes, and of two with one name the first counts."""
    profile, junk = icc.swapped(), 300
    count = struct.unpack_from(">I", profile, 128)[0]
    directory = bytearray()
    for name, start, size in struct.iter_unpack(">4sII", profile[132 : 132 + 12 * count]):
        directory += struct.pack(">4sII", name, start + 12 * 2 * junk, size)
    later = b"".join(struct.pack(">4sII", b"rXYZ", 200, 20) for _ in range(junk))
    unknown = b"".join(struct.pack(">4sII", b"x%03d" % at, 200, 20) for at in range(junk))
    body = unknown + directory + later + profile[132 + 12 * count :]
    odd = struct.pack(">I", len(profile) + 24 * junk) + profile[4:128]
    odd += struct.pack(">I", count + 2 * junk) + body

    through, usual = (profiles.to_srgb("RGB", each) for each in (odd, profile))
    assert through is not None
    assert usual is not None
    assert through(SCENE).tobytes() == usual(SCENE).tobytes()


def test_tags_that_overlap_take_no_memory() -> None:
    """Of thousands of tags that are each the whole profile, those that count are kept."""
    profile, count = icc.swapped(), 5000
    names = (b"A2B%c" % (at % 256) if at % 2 else b"x%03d" % (at % 1000) for at in range(count))
    directory = b"".join(struct.pack(">4sII", name, 0, 1 << 20) for name in names)
    odd = profile[:128] + struct.pack(">I", count) + directory + bytes(1 << 20)

    assert set(tags.tags_of(odd)) <= {b"A2B0", b"A2B1", b"A2B2"}
    assert len(tags.sound(odd)) <= 4 << 20
