"""Makes files/ and files.dsl: what a host that decodes pictures itself must see in them.

    python make_files.py         # the files here, and Python's verdicts in files.json
    python make_files.py FOLDER  # every trap of the tests, to measure a host with

A file's verdict must be the same in every host: outcome and entry, its distance within 4 bits. In a
row marked `hard`, a host whose decoder cannot see it as it is shown answers UNREADABLE, or finds
the entry at another distance.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

import trap_frames
import traps
from doorsill import Gate, HashList, Trust, hash_image, testcard
from doorsill.lists import TEST, Text
from doorsill.publish.write import Contents, HasherRows, write_list
from drawn import saved

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "sdk/doorsill/data"
SIZE = (160, 108)
ENTRY = b"\xd0file!"
LISTED: dict[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "plain.jpg": ("", traps.PLAIN["jpeg"]),
    "progressive.jpg": ("", traps.PLAIN["progressive"]),
    "gray.jpg": ("", traps.PLAIN["gray jpeg"]),
    "cmyk.jpg": ("", traps.cmyk_jpeg),
    "turned.jpg": ("by its EXIF", traps.exif_jpeg(6)),
    "mirrored.jpg": ("by its EXIF", traps.exif_jpeg(5)),
    "profile.jpg": ("hard: shown through its colour profile only", traps.inverted_profile_jpeg),
    "cut.jpg": ("hard: its end is missing", traps.CUT["jpeg cut at 80%"]),
    "plain.png": ("", traps.PLAIN["png"]),
    "palette.png": ("", traps.palette_png),
    "gray16.png": ("", traps.gray16_png),
    "gray_alpha.png": ("", traps.gray_alpha_png),
    "over_white.png": ("seen over white", traps.alpha_over_white),
    "over_black.png": ("seen over black", traps.alpha_over_black),
    "over_gray.png": ("seen over gray", traps.on_grey),
    "under_alpha.png": ("seen once the alpha is dropped", traps.under_alpha),
    "frame2.png": ("hard: the second frame of an animated PNG", trap_frames.frame2_apng),
    "plain.webp": ("", traps.PLAIN["webp"]),
    "alpha.webp": ("", traps.alpha_webp),
    "turned.webp": ("hard: by its EXIF, which only some viewers follow", traps.exif_webp),
    "frame2.webp": ("the second frame", trap_frames.frame2_webp),
    "palette.gif": ("", traps.palette_gif),
    "frame2.gif": ("the second frame", trap_frames.frame2_gif),
    "plain.avif": ("hard: not every decoder has the codec", traps.PLAIN["avif"]),
}


def others() -> dict[str, tuple[str, bytes]]:
    """Return files that match nothing."""
    coffee = shrunk("coffee")
    return {
        "coffee.jpg": ("", saved(coffee, "JPEG", quality=92)),
        "coffee.webp": ("", saved(coffee, "WEBP", quality=90)),
        "clear.png": ("all of it transparent", saved(transparent(coffee), "PNG")),
        "flat.png": ("too little detail", saved(Image.new("RGB", (90, 60), "teal"), "PNG")),
        "small.gif": ("too small", saved(Image.new("L", (3, 3), 90), "GIF")),
        "broken.jpg": ("nothing of it can be read", saved(coffee, "JPEG")[:180]),
        "broken.png": ("nothing of it can be read", saved(coffee, "PNG")[:30]),
        "text.txt": ("no picture", b"doorsill compares pictures, not words.\n"),
        "empty": ("no picture", b""),
        "BMW.txt": ("no picture, whatever its first letters", b"BMW and Mercedes are cars."),
        "page.xml": ("no picture", b'<?xml version="1.0"?><note>see you at eight</note>'),
        "drawing.svg": (
            "a picture that is not decoded",
            b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        ),
    }


def transparent(picture: Image.Image) -> Image.Image:
    """Return a picture of which nothing shows, unless the alpha is dropped."""
    faint = picture.convert("L").convert("LA")
    faint.putalpha(0)
    return faint


def shrunk(name: str) -> Image.Image:
    """Return a picture of the package, small."""
    return Image.open(DATA / f"{name}.jpg").resize(SIZE, Image.Resampling.LANCZOS)


def write_file_list(path: Path) -> None:
    """Write the list: the small lighthouse, and the test card."""
    made = Contents(epoch=1)
    made.add_entry((0, 0, 1), ENTRY)
    made.add_entry((0, TEST, 1), b"\xd0card!")
    made.hashers = [HasherRows("pdq", "full"), HasherRows("pdq", "cpp512")]
    for rows in made.hashers:
        seen = hash_image(shrunk("lighthouse"), rows.profile)
        rows.hashes += bytes.fromhex(seen.hex) + bytes.fromhex(testcard.PDQ[rows.profile])
        rows.entries.extend((0, 1))
    made.texts = [(Text.LIST, 0, "en", "file vectors"), (Text.PUBLISHER, 0, "en", "doorsill"),
                  (Text.CATEGORY, 0, "en", "harmless pictures")]  # fmt: skip
    write_list(path, made)


def answered(gate: Gate, data: bytes) -> dict[str, Any]:
    """Return outcome, and entry and distance of a match."""
    verdict = gate.screen(data)
    first = [{"entry": match.entry, "distance": match.distance} for match in verdict.matches[:1]]
    return {"outcome": verdict.outcome.value} | (first[0] if first else {})


def main(folder: Path, made: dict[str, tuple[str, bytes]]) -> None:
    """Write the files, the list and the verdicts."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    write_file_list(folder / "files.dsl")
    rows = []
    with Gate(HashList.open(folder / "files.dsl", Trust.none())) as gate:
        for name, (what, data) in made.items():
            (folder / "files" / name).write_bytes(data)
            row = {"file": f"files/{name}", "what": what, "expected": answered(gate, data)}
            rows.append(row | ({"hard": True} if what.startswith("hard") else {}))
    lines = ",\n".join(map(json.dumps, rows))
    (folder / "files.json").write_text(f'{{"list": "files.dsl",\n"rows": [\n{lines}]}}\n')


if __name__ == "__main__":
    lighthouse = shrunk("lighthouse")
    if sys.argv[1:]:
        every = {name.replace(" ", "_"): (f"hard: {name}", make(lighthouse))
                 for name, make in traps.TRAPS.items()}  # fmt: skip
        main(Path(sys.argv[1]), every)
    else:
        named = {name: (what, make(lighthouse)) for name, (what, make) in LISTED.items()}
        main(HERE, named | others())
