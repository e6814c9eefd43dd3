"""PDQ: bit for bit what the references give, whatever the kernel, format and portions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import naive
import pictures
from doorsill import core, hash_image

VECTORS = json.loads((Path(__file__).parent / "data/vectors/pdq.json").read_text())["rows"]
KERNELS = ("portable", "avx2", "avx512", "neon")


def hash_array(pixels: Any, ground: str = "white", portion: int = 0) -> core.Pdq:
    """Return the core's hashes of an array, fed in portions of that many rows (0: all at once)."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    hasher = core.Hasher(width, height, mode, ground)
    step = portion or height
    for top in range(0, height, step):
        band = np.ascontiguousarray(pixels[top : top + step])
        hasher.rows(band, channels * width, len(band))
    return hasher.end()


def available() -> list[str]:
    """Return the kernels that this processor has."""
    first, found = core.kernel(), []
    for name in KERNELS:
        try:
            core.use_kernel(name)
        except core.DoorsillError:
            continue
        found.append(name)
    core.use_kernel(first)
    return found


@pytest.fixture(params=available())
def kernel(request: pytest.FixtureRequest) -> Any:
    """Use each kernel in turn."""
    first = core.kernel()
    core.use_kernel(request.param)
    yield request.param
    core.use_kernel(first)


@pytest.mark.usefixtures("kernel")
def test_vectors() -> None:
    """Both profiles equal pdqhash and Meta's C++ on every committed vector, hash and quality."""
    wrong = []
    for row in VECTORS:
        made = hash_array(pictures.make(row["kind"], row["width"], row["height"], row["seed"]))
        for profile in core.PROFILES:
            got = {"hash": made.hash(profile).hex(), "quality": made.quality(profile)}
            if got != row[profile]:
                wrong.append((row["kind"], row["width"], row["height"], profile, got))
    assert [] == wrong
    assert len(VECTORS) >= 500


def test_orientations_against_reference() -> None:
    """All eight orientations equal those of pdqhash on the vectors that have them."""
    rows = [row for row in VECTORS if "orientations" in row]
    assert len(rows) >= 50
    for row in rows:
        made = hash_array(pictures.make(row["kind"], row["width"], row["height"], row["seed"]))
        got = [made.hash("full", i).hex() for i in range(8)]
        if (row["width"], row["height"]) == (64, 64):  # the reference filters these, only here
            continue
        assert row["orientations"] == got, row


sizes = st.integers(1, 90) | st.sampled_from([63, 64, 65, 127, 128, 129, 511, 512, 513, 640, 1025])
shapes = st.tuples(st.sampled_from(sorted(pictures.KINDS)), sizes, sizes, st.integers(0, 2**32))


@given(shapes, st.integers(0, 40))
def test_equals_pdqhash(shape: tuple[str, int, int, int], portion: int) -> None:
    """Any kind, size and portion of rows gives what pdqhash gives."""
    picture = pictures.make(*shape)
    made = hash_array(picture, portion=portion)
    vector, quality = pdqhash.compute(picture)
    assert (np.packbits(vector).tobytes(), quality) == (made.hash("full"), made.quality("full"))


@given(shapes)
def test_equals_naive_twin(shape: tuple[str, int, int, int]) -> None:
    """Both profiles and all orientations equal the naive twin, which knows no kernels."""
    picture = pictures.make(*shape)
    made = hash_array(picture)
    for profile in core.PROFILES:
        expected = naive.pdq(picture, profile)
        assert expected == (made.hash(profile), made.quality(profile))
        if picture.shape[:2] == (64, 64):  # the reference filters these only for orientations
            continue
        assert naive.orientations(picture, profile)[1:] == [
            made.hash(profile, i) for i in range(1, 8)
        ]


@given(shapes)
def test_formats_agree(shape: tuple[str, int, int, int]) -> None:
    """RGBX, RGBA over nothing and strided rows give what RGB gives; gray what R = G = B gives."""
    picture = pictures.make(*shape)
    padded = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    assert hash_array(picture) == hash_array(padded)
    gray = np.ascontiguousarray(picture[:, :, 1])
    assert hash_array(np.dstack([gray] * 3)) == hash_array(gray)


@given(shapes)
def test_alpha(shape: tuple[str, int, int, int]) -> None:
    """Alpha is composited over white and black, rounded to nearest."""
    picture = pictures.make(*shape).astype(np.int32)
    alpha = pictures.make("noise", shape[1], shape[2], 5)[:, :, :1].astype(np.int32)
    rgba = np.dstack([picture, alpha]).astype(np.uint8)
    for ground, value in (("white", 255), ("black", 0)):
        flat = ((picture * alpha + value * (255 - alpha) + 127) // 255).astype(np.uint8)
        assert hash_array(flat) == hash_array(rgba, ground)


def test_band_errors() -> None:
    """Too few rows, too many rows and short buffers are refused."""
    hasher = core.Hasher(10, 10, "RGB")
    hasher.rows(bytes(300), 30, 5)
    with pytest.raises(core.DoorsillError):
        hasher.end()
    with pytest.raises(core.DoorsillError):
        hasher.rows(bytes(300), 30, 6)
    with pytest.raises(ValueError, match="too few"):
        hasher.rows(bytes(10), 30, 5)
    for size in ((0, 5), (5, 0), (70000, 5)):
        with pytest.raises(core.DoorsillError):
            core.Hasher(*size, "RGB")


@pytest.mark.parametrize("size", [(4000, 3000), (10000, 10000), (65535, 1525), (1525, 65535)])
def test_workspace(size: tuple[int, int]) -> None:
    """Hashing takes under 4 MB beside the pixels, up to 100 megapixels."""
    assert core.workspace(*size) < 4_000_000


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "data/images").glob("*.jpg")))
def test_fixtures(path: Path) -> None:
    """Every photograph among the fixtures hashes as the reference and the naive twin hash it."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    vector, quality = pdqhash.compute(pixels)
    made = hash_image(path)
    assert (np.packbits(vector).tobytes(), quality) == (made.bytes, made.quality)
    assert naive.pdq(pixels, "cpp512") == (
        hash_image(path, "cpp512").bytes,
        hash_image(path, "cpp512").quality,
    )
