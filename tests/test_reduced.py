"""Why no verdict rests on a picture decoded at a reduced size, which would be quicker.

A JPEG decoder asked for an eighth of the size takes the mean of each block, before samples are cut
to 0..255. The picture that is shown is cut first. A stranger chooses both.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from doorsill import core, hash_image
from drawn import saved, scene

BLOCKS = (352, 264)  # 6 megapixels; an eighth of it has no side under 256
STEP = 96  # of the highest frequency's quantiser
WAVE = np.cos((2 * np.arange(8) + 1) * 7 * np.pi / 16)
HIGHEST = np.outer(WAVE, WAVE) / 4
LIMIT, MARGIN, QUALITY = 31, 16, 60  # what a path that may only clear would have asked for


def levels(seed: int, low: int, high: int) -> Any:
    """Return a drawn scene, a level for each block."""
    gray = np.asarray(scene(BLOCKS, seed).convert("L"), np.float64)
    return low + gray / 255 * (high - low)


def crafted() -> bytes:
    """Return a JPEG that shows `levels(5, ..)` and whose blocks have the means of another scene.

    The highest frequency, which no reduced decode sees, is made strong enough in each block that
    the cut lifts the mean to what shall be shown.
    """
    shown = levels(5, 14, 126)
    means = np.rint(shown * levels(9, 0, 255) / 255).astype(int)
    strength = np.arange(41)
    waves = strength[:, None, None] * STEP * HIGHEST
    lifted = np.stack([np.clip(mean + waves, 0, 255).mean((1, 2)) for mean in range(128)])
    chosen = np.abs(lifted[means] - shown[:, :, None]).argmin(2)
    means = np.maximum(means, 12)  # so that a step of 1, which the encoder takes, is not cut
    blocks = means[:, :, None, None] + chosen[:, :, None, None] * HIGHEST
    rows = blocks.transpose(0, 2, 1, 3).reshape(8 * BLOCKS[1], 8 * BLOCKS[0])
    picture = Image.fromarray(np.clip(np.rint(rows), 0, 255).astype(np.uint8))
    data = bytearray(saved(picture, "JPEG", qtables=[[1] * 64]))
    data[data.index(b"\xff\xdb") + 5 + 63] = STEP
    return bytes(data)


FILE = crafted()
LISTED = hash_image(Image.fromarray(levels(5, 0, 255).astype(np.uint8)).resize((2816, 2112)))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_reduced_decode_can_be_led_astray(scale: int) -> None:
    """At every scale another picture is seen, beyond any margin, of good quality."""
    with Image.open(io.BytesIO(FILE)) as image:
        image.draft("L", (image.width // scale, image.height // scale))
        seen = hash_image(image.resize((2816, 2112)))
    assert seen.quality >= QUALITY
    assert core.distance(LISTED.bytes, seen.bytes) > LIMIT + MARGIN


def test_what_is_shown_is_what_is_hashed() -> None:
    """The whole decode, which doorsill takes, hashes the file as the picture that it shows."""
    seen = hash_image(FILE)
    assert seen.quality >= QUALITY
    assert core.distance(LISTED.bytes, seen.bytes) <= LIMIT
