"""Photos, decoded once: one array of squashed pixels for each source.

A source is a folder or a zip file of pictures; its name is the file's stem. Whole sources are
kept apart for training, calibration and test, so the cache keeps them apart too.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 240
"""Pixels of a cached side: the shorter side of the photos that the first model was made from."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp"}


LEAST = 60
"""Pixels of a cut-out object's shorter side; smaller ones are icons."""

MOST = 100_000_000
"""Pixels of a picture: some drawings are as large as posters, and not worth their memory."""

Image.MAX_IMAGE_PIXELS = None  # not Pillow's bound, but this one


def read(source: Path) -> Iterator[tuple[str, Image.Image]]:
    """The pictures of a folder or zip file as (name, RGB picture), sorted by name; others passed over.

    Of a source named `cutouts` they are RGBA, without what is clear around them.
    """
    for name, picture in _opened(source):
        if picture.width * picture.height > MOST:
            continue
        if source.stem != "cutouts":
            yield name, picture.convert("RGB")
            continue
        whole = picture.convert("RGBA")
        box = whole.getchannel("A").getbbox()
        if box is not None and min(box[2] - box[0], box[3] - box[1]) >= LEAST:
            yield name, whole.crop(box)


def _opened(source: Path) -> Iterator[tuple[str, Image.Image]]:
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if Path(name).suffix.lower() in SUFFIXES:
                    yield name, Image.open(io.BytesIO(archive.read(name)))
        return
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield str(path.relative_to(source)), Image.open(path)


def cache(source: Path, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, SIDE, SIDE, 3 or, cut out, 4) uint8, squashed to a square, and (n) true width / height.

    Made on first use under ``folder`` and mapped read-only afterwards.
    """
    pixels, aspects = (
        folder / f"{source.stem}-{SIDE}.npy",
        folder / f"{source.stem}-{SIDE}-aspect.npy",
    )
    if not aspects.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found, ratios = [], []
        for name, picture in read(source):
            found.append(
                np.asarray(
                    picture.resize(
                        (SIDE, SIDE),
                        Image.Resampling.BOX
                        if min(picture.size) > 2 * SIDE
                        else Image.Resampling.LANCZOS,
                    )
                )
            )
            ratios.append(picture.width / picture.height)
            if len(found) % 500 == 0:
                print(f"{source.stem}: {len(found)} read, last {name}", file=sys.stderr, flush=True)
        np.save(pixels, np.stack(found))
        np.save(aspects, np.array(ratios, np.float32))
    return np.load(pixels, mmap_mode="r"), np.load(aspects)


if __name__ == "__main__":
    for path in sys.argv[2:]:
        print(path, cache(Path(path), Path(sys.argv[1]))[0].shape)
