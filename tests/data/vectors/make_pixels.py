"""Makes pixels.json and pixels.dsl from Python's own verdicts: python make_pixels.py.

Hosts in other languages draw the same pixels and must get the same outcome, entry and distance;
`tests/test_pixels.py` reads them back, and compares them with a search that is a plain loop.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from doorsill import Gate, HashList, Trust, hash_image, testcard
from doorsill.lists import SEED, TEST, WARN, Text
from doorsill.publish.write import Contents, HasherRows, write_list
from drawn_pixels import CHANNELS, drawn

HERE = Path(__file__).parent
PHOTOS = ("brick", "cat", "coffee", "galaxies", "grass", "gravel", "lighthouse", "rocket")
STORED = (40, 30)  # pixels; grey walls and galaxies keep enough detail at that
LISTED = [{"seed": seed, "cells": 7 + seed % 11} for seed in range(24)]
LISTED += [{"photo": number} for number in range(0, len(PHOTOS), 2)]
STRANGERS = [{"seed": 100 + seed, "cells": 7 + seed % 11} for seed in range(24)]
STRANGERS += [{"photo": number} for number in range(1, len(PHOTOS), 2)]
SIZES = [(128, 96), (96, 128), (64, 64), (63, 65), (100, 40), (200, 150), (40, 30), (513, 70)]
SIZES += [(70, 700), (600, 520)]
FLAGS = (0, 0, 0, SEED, 0, WARN)
PROFILES = ("full", "cpp512", "unknown")


def stored() -> list[dict[str, Any]]:
    """Return the photographs, made so small that they can stand in the file."""
    photos = []
    for name in PHOTOS:
        folder = HERE.parents[2] / "sdk/doorsill/data"
        path = HERE.parent / "images" / f"{name}.jpg"
        picture = Image.open(path if path.exists() else folder / path.name).convert("RGB")
        small = picture.resize(STORED, Image.Resampling.BOX)
        rgb = base64.b64encode(small.tobytes()).decode()
        photos.append({"name": name, "width": STORED[0], "height": STORED[1], "rgb": rgb})
    return photos


def listed() -> list[dict[str, Any]]:
    """Return what each entry of the list is drawn from, and what the list says of it."""
    sides = [dict(zip(("width", "height"), size, strict=True)) for size in SIZES[:2]]
    return [
        {"id": (0xD0 << 40 | entry).to_bytes(6, "big").hex(), "flags": FLAGS[entry % len(FLAGS)],
         "section": PROFILES[entry % len(PROFILES)], "format": "rgb"} | sides[entry % 2] | base
        for entry, base in enumerate(LISTED)
    ]  # fmt: skip


def write_pixel_list(path: Path, photos: list[dict[str, Any]]) -> None:
    """Write the list: an entry for each listed picture, and the test card."""
    made = Contents(epoch=1)
    sections = {profile: HasherRows("pdq", profile) for profile in PROFILES}
    made.hashers = list(sections.values())
    for row in listed():
        entry = made.add_entry((0, row["flags"], 1), bytes.fromhex(row["id"]))
        pixels = drawn(row, photos)[:, :, :3].copy()
        hashed = hash_image(pixels, "cpp512" if row["section"] == "cpp512" else "full")
        sections[row["section"]].hashes += bytes.fromhex(hashed.hex)
        sections[row["section"]].entries.append(entry)
    card = made.add_entry((0, TEST, 1), b"\xd0card!")
    for profile in testcard.PDQ:
        sections[profile].hashes += bytes.fromhex(testcard.PDQ[profile])
        sections[profile].entries.append(card)
    made.texts = [(Text.LIST, 0, "en", "pixel vectors"), (Text.PUBLISHER, 0, "en", "doorsill"),
                  (Text.CATEGORY, 0, "en", "harmless pictures")]  # fmt: skip
    write_list(path, made)


def rows() -> list[dict[str, Any]]:
    """Return what is drawn: each row a little unlike the one before, and every format in turn."""
    made: list[dict[str, Any]] = []

    def add(base: dict[str, int], **change: Any) -> None:
        number = len(made)
        width, height = SIZES[number % len(SIZES)]
        row = {"width": width, "height": height, "format": list(CHANNELS)[number % len(CHANNELS)]}
        row |= {"padding": number % 3 * 4} if number % 3 else {}
        row |= {"bottom_up": True} if number % 5 == 1 else {}
        made.append(row | base | change)

    for number, base in enumerate(LISTED):
        add(base, noise=number % 4 * 6)
        add(base, turn=number % 8, noise=8)
        add(base, level=number * 3, contrast=256 - 4 * number)
        add(base, format="rgb", width=128, height=96, noise=20 + number * 5)
    for number, base in enumerate(LISTED):
        add(base, format=("rgba", "bgra")[number % 2], width=96, height=80,
            alpha=("half", "ramp", "clear", "none")[number // 2 % 4])  # fmt: skip
        add(base, contrast=16 * (number % 8), level=100)  # towards too little detail
    for number, base in enumerate(STRANGERS):
        add(base, noise=number % 3 * 9, turn=number % 8)
        add(base, alpha=("ramp", "half")[number % 2])
    for width, height in ((1, 1), (1, 300), (300, 1), (4, 4), (5, 5), (7, 400), (2, 9)):
        add(LISTED[1], width=width, height=height)
    return made


def main() -> None:
    """Write both files."""
    photos = stored()
    write_pixel_list(HERE / "pixels.dsl", photos)
    answered = []
    with Gate(HashList.open(HERE / "pixels.dsl", Trust.none()), isolation="inline") as gate:
        for row in rows():
            verdict = gate.screen(drawn(row, photos))
            expected = {"outcome": verdict.outcome.value, "action": verdict.action.value,
                        "quality": verdict.quality}  # fmt: skip
            if verdict.matches:
                first = verdict.matches[0]
                expected |= {"entry": first.entry, "distance": first.distance,
                             "profile": first.profile}  # fmt: skip
            answered.append(row | {"expected": expected})
    parts = {"photos": photos, "listed": listed(), "rows": answered}
    lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, part)) + "]"
             for name, part in parts.items()]  # fmt: skip
    (HERE / "pixels.json").write_text('{"list": "pixels.dsl",\n' + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
