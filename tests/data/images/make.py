"""Makes the pictures in this folder and the package's data; README.md says how to run it.

python make.py photos   # this folder's photographs, from scikit-image's samples
python make.py data     # test card, demo pictures and demo list of the package
python make.py peers    # what plain hash matchers make of the demo's pictures
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import card
import scene
from PIL import Image

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "sdk" / "doorsill" / "data"
# All CC0 or public domain, none shows a person; README.md has each one's origin.
PHOTOS = {
    "brick": "brick.png",
    "cat": "chelsea.png",
    "clock": "clock_motion.png",
    "galaxies": "hubble_deep_field.jpg",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "rocket": "rocket.jpg",
}
_EDGE = 800
_PDQ_LIMIT, _PHASH_LIMIT = 31, 10  # bits; the second is the usual advice for 64-bit hashes


def main() -> None:
    """Make what the command line names."""
    steps = {"photos": make_photos, "data": make_data, "peers": make_peers}
    for name in sys.argv[1:] or steps:
        steps[name]()


def say(words: str) -> None:
    """Print a line."""
    sys.stdout.write(words + "\n")


def save_jpeg(image: Image.Image, path: Path, quality: int, *, progressive: bool = True) -> None:
    """Write a JPEG without any metadata."""
    image.save(path, quality=quality, optimize=True, progressive=progressive)
    say(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size} bytes")


def sample(name: str) -> Image.Image:
    """Return one of scikit-image's sample pictures."""
    from skimage import data  # noqa: PLC0415 - only these need it

    return Image.open(Path(data.__file__).parent / name)


def make_photos() -> None:
    """Write this folder's photographs."""
    for name, source in PHOTOS.items():
        photo = sample(source).convert("L" if name in ("brick", "clock") else "RGB")
        photo.thumbnail((_EDGE, _EDGE), Image.Resampling.LANCZOS)
        save_jpeg(photo, HERE / f"{name}.jpg", 85)


def make_data() -> None:
    """Write the package's pictures, then the list made from them."""
    DATA.mkdir(exist_ok=True)
    if not (DATA / "testcard.png").exists():  # it is published and must not change
        card.draw().save(DATA / "testcard.png", optimize=True)
    # The demo cuts this one in half, and a plain JPEG shows best what is missing then.
    save_jpeg(sample("coffee.png").convert("RGB"), DATA / "coffee.jpg", 85, progressive=False)
    save_jpeg(scene.draw(), DATA / "lighthouse.jpg", 80)
    make_list()
    published()


def published() -> None:
    """Print the constants of testcard.py."""
    from doorsill import hash_image  # noqa: PLC0415 - `photos` works before it is built

    png = (DATA / "testcard.png").read_bytes()
    say(f"testcard.png: {len(png)} bytes, sha256 {hashlib.sha256(png).hexdigest()}")
    for profile in ("full", "cpp512"):
        made = hash_image(png, profile)
        say(f"  pdq {profile} {made.hex} quality {made.quality}")


def make_list() -> None:
    """Write demo.dsl: the drawing, and hashes of this folder's pictures as a publisher's CSV."""
    from doorsill import hash_image  # noqa: PLC0415 - as above
    from doorsill.publish.build import ListWords, build_list  # noqa: PLC0415 - as above

    words = ListWords(
        name="DEMO list of harmless pictures",
        publisher="DEMO publisher (no one)",
        category="DEMO category: harmless pictures",
        message="DEMO: this harmless picture is listed to show what a stop looks like.",
        help_link="https://example.org/DEMO-help",
        appeal_link="https://example.org/DEMO-appeal",
        demo=True,
        epoch=1,
    )
    with TemporaryDirectory() as folder:
        rows = Path(folder) / "demo.csv"
        with rows.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("hash", "quality", "name"))
            for name in ("galaxies", "rocket"):
                made = hash_image(HERE / f"{name}.jpg")
                writer.writerow((made.hex, made.quality, f"DEMO {name}"))
        report = build_list([DATA / "lighthouse.jpg", rows], DATA / "demo.dsl", words)
    say(f"demo.dsl: {report.entries} entries, {report.size} bytes {report.notes or ''}")


def make_peers() -> None:
    """Write demo_peers.json: what plain hash matchers find among the demo's pictures.

    Each takes every picture the way its own documentation does: Pillow opens it and gives
    RGB, one hash is made, and compared with the hash of the listed original.
    """
    import imagehash  # noqa: PLC0415 - only here
    import numpy as np  # noqa: PLC0415
    import pdqhash  # noqa: PLC0415

    from doorsill.cli import demo_pictures  # noqa: PLC0415

    def pdq(image: Image.Image) -> np.ndarray:
        return pdqhash.compute(np.asarray(image))[0] != 0

    def phash(image: Image.Image) -> np.ndarray:
        return imagehash.phash(image).hash.ravel()

    pictures = demo_pictures.pictures()
    matchers = {
        f"pdqhash {pdqhash.__version__}": (pdq, _PDQ_LIMIT),
        f"imagehash {imagehash.__version__} phash": (phash, _PHASH_LIMIT),
    }
    peers = []
    for name, (made, limit) in matchers.items():
        listed = made(opened(next(p.data for p in pictures if p.key == "listed")))
        bits = {p.key: distance(made, listed, p.data) for p in pictures}
        found = [key for key, value in bits.items() if value is not None and value <= limit]
        peers.append({"name": name, "limit": limit, "found": found, "bits": bits})
    result = {"pillow": Image.__version__, "peers": peers}
    (DATA / "demo_peers.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    say(json.dumps(result))


def opened(data: bytes) -> Image.Image:
    """Return a picture as such tools load it."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def distance(made, listed, data: bytes) -> int | None:  # noqa: ANN001 - arrays of bits
    """Return how many bits differ, or None if Pillow refuses the picture."""
    try:
        return int((made(opened(data)) != listed).sum())
    except OSError:
        return None


if __name__ == "__main__":
    main()
