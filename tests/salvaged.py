"""How much of what a browser shows of damaged files is hashed, and whether any is missed silently.

python tests/salvaged.py            # 400 damaged files of each format, others each time
python tests/salvaged.py 400 7000   # those from seed 7000 on
"""

from __future__ import annotations

import io
import sys
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
from PIL import Image

import browser
import mutations
from doorsill import images
from looks import LIMITS, RADIUS, hashes

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "ICO", "AVIF")  # what the browser shows at all
SIZE = (208, 156)  # as large as the mutator's files may be, uncompressed
FLAT = 64  # pixels, as PDQ has: of what the browser draws flatter, its hash tells too little
AIM = 0.85  # of the files that Pillow refuses
COLUMNS = ("hashed", "UNREADABLE", "SILENT")


def pillow_takes(data: bytes) -> bool:
    """Tell whether a plain matcher's Pillow opens and decodes a file."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except Exception:  # noqa: BLE001 - nearly everything is raised by bad files
        return False
    return True


def fate(data: bytes, wanted: list[Any]) -> str:
    """Return what becomes of a file of which a browser shows pictures with these hashes."""
    unread: list[str] = []
    try:
        for view in images.views(data, LIMITS, unread, lambda: None):
            for bits in hashes(view.image) if view.image else ():
                if any(np.count_nonzero(bits != other) <= RADIUS for other in wanted):
                    return "hashed"
    except images.NotAPicture:
        return "SILENT"
    return "UNREADABLE" if unread else "SILENT"


def main(count: int, first: int) -> None:
    """Print what became of files, by format and by whether Pillow takes them.

    Raises:
        SystemExit: Less than the aim is hashed, or something shown is neither that nor unread.
    """
    names = [(kind, seed) for kind in KINDS for seed in range(first, first + count)]
    files = [mutations.mutated(*name, SIZE) for name in names]
    told: dict[tuple[str, str], Counter[str]] = {}
    for at, seen in browser.shown([(data, "application/octet-stream") for data in files]):
        still = [each.image for each in seen if each.label.startswith("image on ")]
        wanted = [bits for image in still if min(image.size) >= FLAT for bits in hashes(image)]
        if not wanted:
            continue  # it shows nothing, or nothing that has a hash
        outcome = fate(files[at], wanted)
        who = "taken by Pillow" if pillow_takes(files[at]) else "refused by Pillow"
        told.setdefault((who, names[at][0]), Counter())[outcome] += 1
        if outcome == "SILENT":
            print(f"missed silently: {names[at][0]} {names[at][1]}, {who}")
    print(f"{'':24} {'files':>6} " + " ".join(f"{name:>10}" for name in COLUMNS))
    total: dict[str, Counter[str]] = {}
    for (who, kind), counts in sorted(told.items()):
        _line(f"{who}, {kind}", counts)
        total.setdefault(who, Counter()).update(counts)
    for who, counts in total.items():
        _line(f"{who}, all", counts)
    refused = total["refused by Pillow"]
    if refused["hashed"] < AIM * refused.total() or any(each["SILENT"] for each in total.values()):
        sys.exit(1)


def _line(name: str, counts: Counter[str]) -> None:
    share = f"{counts['hashed'] / counts.total():7.1%}"
    print(f"{name:24} {counts.total():6} " + " ".join(f"{counts[at]:10}" for at in COLUMNS) + share)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    numbers = [int(word) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 400, numbers[1] if len(numbers) > 1 else time.time_ns())
