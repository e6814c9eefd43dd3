"""Pictures out of packages and repositories: python gather.py OUT SOURCE... [--most 150].

A source is a Debian package or an unpacked folder. Of each at most that many pictures go to
OUT/drawn and half as many with a clear ground, cut out, to OUT/cutouts. Small, flat and nearly equal
ones are passed over, and what may show people: by name, and by opencv's face cascades. Look at what
is left, and take out what those missed.
"""

import argparse
import contextlib
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from photos import MOST, SIDE, SUFFIXES
from PIL import Image

LEAST = 100  # pixels of a shorter side
FLAT = 12  # levels, the spread of grays
NEAR = 3  # of the 64 bits of two pictures that count as one
CLEAR = 0.05  # share of a picture that is see-through
# People, and what is no picture to look at: a surface's normals, small icons, fonts.
PASSED = re.compile(
    "portrait|people|person|wom[ae]n|/men/|girl|face|avatar|human|head|body|nude|skin|character|soldier|hero|"
    "hand|astronaut|camera|lfw|olivetti|lena|barbara|flags?/|/(8|16|22|24|32|48|64)x|norm|bump|spec|height|mask|"
    "font|cursor",
    re.IGNORECASE,
)
CASCADES = [
    cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")
    for name in ("frontalface_default", "frontalface_alt2", "profileface")
]


@contextlib.contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """A folder with what a source holds."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", source, folder], check=True)  # noqa: S603, S607 - what was asked for
        yield Path(folder)


def on_white(im: Image.Image) -> Image.Image:
    """Its grays, over white where it is clear."""
    page = Image.new("RGBA", im.size, "white")
    page.alpha_composite(im.convert("RGBA"))
    return page.convert("L")


def gradients(gray: Image.Image) -> int:
    """64 bits of which way it grows darker (dHash), to tell what is nearly the same."""
    p = np.asarray(gray.resize((9, 8), Image.Resampling.BOX)).astype(int)
    return int.from_bytes(np.packbits(p[:, 1:] < p[:, :-1]).tobytes(), "big")


def prepared(path: Path) -> Image.Image | None:
    """The picture, its shorter side SIDE at most, RGBA if it has a clear ground; None if it is passed over."""
    with Image.open(path) as opened:
        if opened.width * opened.height > MOST:
            return None
        im = opened.convert("RGBA")
    alpha = im.getchannel("A")
    if float(np.mean(np.asarray(alpha) < 128)) > CLEAR:
        im = im.crop(alpha.getbbox())
    else:
        im = im.convert("RGB")
    if min(im.size) < LEAST or max(im.size) > 3 * min(im.size):
        return None
    if (least := min(im.size)) > SIDE:
        im = im.resize((im.width * SIDE // least, im.height * SIDE // least), Image.Resampling.BOX)
    gray = np.asarray(on_white(im))
    faces = (c.detectMultiScale(gray, 1.1, 6, minSize=(24, 24)) for c in CASCADES)
    return None if gray.std() < FLAT or any(len(each) for each in faces) else im


def gather(source: Path, out: Path, most: int) -> None:
    """Take the pictures of one source."""
    name = source.stem.split("_")[0]
    room, seen = {"RGB": most, "RGBA": most // 2}, []
    with unpacked(source) as folder:
        found = [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
        found = sorted(p for p in found if not PASSED.search(str(p.relative_to(folder))))
        random.Random(1).shuffle(found)
        for path in found:
            try:
                im = prepared(path)
            except (OSError, ValueError, SyntaxError):
                continue  # Pillow cannot read it
            if im is None or not room[im.mode]:
                continue
            value = gradients(on_white(im))
            if any((value ^ other).bit_count() <= NEAR for other in seen):
                continue
            seen.append(value)
            room[im.mode] -= 1
            kind = out / ("drawn" if im.mode == "RGB" else "cutouts")
            kind.mkdir(parents=True, exist_ok=True)
            # Its folders stay in its name, so that neighbours are of one kind.
            told = re.sub("[^A-Za-z0-9]+", "_", str(path.relative_to(folder)))
            im.save(kind / f"{name}__{told[-90:]}.webp", quality=90)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("source", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=150)
    asked = parser.parse_args()
    for source in asked.source:
        gather(source, asked.out, asked.most)
        print(source, file=sys.stderr)


if __name__ == "__main__":
    main()
