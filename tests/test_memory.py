"""What a picture takes: bands instead of copies, and half a gigabyte for a decode worker."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import icc
from doorsill import Limits, Outcome, images
from doorsill.images.bands import turned_band, turned_size
from drawn import saved, scene
from workers import LONG, SCENE, needs_cage, opened, peak, workers

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 512_000_000  # bytes of a worker, its code and everything
PHOTO = (8192, 6144)  # 50 megapixels
BACK = (11648, 8576)  # 100 megapixels, of a medium format back


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
@pytest.mark.parametrize("step", [1, 7, 16, 1000])
def test_turned_bands(turn: Image.Transpose | None, step: int) -> None:
    """A picture turned a band at a time is the picture turned."""
    picture = scene((50, 37))
    whole = picture if turn is None else picture.transpose(turn)
    width, height = turned_size(picture, turn)
    pieces = [
        np.asarray(turned_band(picture, turn, top, min(top + step, height)))
        for top in range(0, height, step)
    ]
    assert whole.size == (width, height)
    assert np.array_equal(np.asarray(whole), np.concatenate(pieces))


WAYS: dict[str, Callable[[Image.Image], bytes]] = {
    "turned JPEG": lambda picture: saved(picture, "JPEG", exif=_turned()),
    "JPEG through a profile": lambda picture: saved(picture, "JPEG", icc_profile=icc.swapped()),
    "CMYK JPEG": lambda picture: saved(picture.convert("CMYK"), "JPEG"),
    "PNG with a hole": lambda picture: saved(_holed(picture), "PNG"),
    "PNG with a gamma": lambda picture: saved(picture, "PNG", gamma=1.0),
    "16-bit PNG": lambda picture: saved(picture.convert("I;16"), "PNG"),
    "palette": lambda picture: saved(picture.convert("P"), "PNG"),
    "turned PNG": lambda picture: saved(picture, "PNG", exif=_turned()),
}


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _holed(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    picture.putpixel((3, 200), (0, 0, 0, 0))
    return picture


@pytest.mark.parametrize("way", WAYS)
def test_bands_make_the_whole(way: str) -> None:
    """Every view is the same made in bands as made at once."""
    number = 0
    for view in images.views(WAYS[way](SCENE), Limits(), [], lambda: None):
        number += 1
        whole = view.image
        assert whole is not None
        assert (view.size, view.mode) == (whole.size, whole.mode)
        pieces = [view.band(top, min(top + 48, whole.height)) for top in range(0, whole.height, 48)]
        assert np.array_equal(np.asarray(whole), np.concatenate([np.asarray(p) for p in pieces]))
        packed = [view.pixels(top, min(top + 48, whole.height), view.mode)
                  for top in range(0, whole.height, 48)]  # fmt: skip
        assert whole.tobytes() == b"".join(piece or b"" for piece in packed)
    assert number


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_an_image_of_the_host_keeps_its_decoder(kind: str) -> None:
    """What is let go early is our own: an image that the host opened stays as it was."""
    with Image.open(io.BytesIO(saved(SCENE, kind))) as image:
        decoder = image._decoder  # noqa: SLF001 - what a host would miss
        assert len(list(images.pixels(image, Limits(), [], lambda: None))) == 1
        assert decoder is image._decoder  # noqa: SLF001 - likewise


def _heic(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as change:
        change.setattr(pillow_heif.options, "GRID_TILE_SIZE", 512)  # as phones write it
        pillow_heif.from_pillow(picture).save(file, quality=50)
    return file.getvalue()


LARGE: dict[str, tuple[tuple[int, int], Callable[[Image.Image], bytes]]] = {
    "100 MP JPEG, turned": (BACK, lambda picture: saved(picture, "JPEG", exif=_turned())),
    "50 MP JPEG, progressive": (PHOTO, lambda picture: saved(picture, "JPEG", progressive=True)),
    "50 MP AVIF": (PHOTO, lambda picture: saved(picture, "AVIF", speed=10)),
}
SLOW: dict[str, tuple[tuple[int, int], Callable[[Image.Image], bytes]]] = {
    "100 MP TIFF": (BACK, lambda picture: saved(picture, "TIFF", compression="jpeg")),
    "50 MP CMYK": (PHOTO, WAYS["CMYK JPEG"]),
    "50 MP profile": (PHOTO, WAYS["JPEG through a profile"]),
    "50 MP PNG": (PHOTO, lambda picture: saved(picture, "PNG", compress_level=1)),
    "50 MP PNG with a hole": (PHOTO, lambda p: saved(_holed(p), "PNG", compress_level=1)),
    "50 MP GIF": (PHOTO, lambda picture: saved(picture.quantize(64), "GIF")),
    "50 MP HEIC": (PHOTO, _heic),
    "36 MP WebP": ((6928, 5196), lambda picture: saved(picture, "WEBP", method=0)),
}


@needs_cage
@pytest.mark.parametrize("name", [*LARGE, *(SLOW if LONG else ())])
def test_large_photos(name: str) -> None:
    """Large photographs of every kind are read in full by a worker under 512 MB."""
    size, make = (LARGE | SLOW)[name]
    data = make(SCENE.resize(size))
    with opened(limits=Limits(seconds=30)) as gate:
        verdict = gate.screen(data)
        assert (Outcome.MATCH, []) == (verdict.outcome, gate.read(data).unread)
        assert peak(workers(gate)[0]) < MOST


@needs_cage
def test_too_large_is_said() -> None:
    """Where memory is too small the reason says so, and the next picture is read."""
    with opened(limits=Limits(memory=64 << 20)) as gate:
        verdict = gate.screen(saved(SCENE.resize((4800, 3600)), "WEBP", method=0, quality=10))
        assert verdict.outcome == Outcome.UNREADABLE
        assert verdict.reason.startswith("memory: ")
        assert gate.screen(saved(SCENE, "PNG")).outcome == Outcome.MATCH
