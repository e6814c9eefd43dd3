"""Ask Chromium what each trap shows: write the facts, compare with them, or count plain matchers.

python tests/shown.py --write    # render all, write tests/data/shown/facts.json
python tests/shown.py            # render all, and fail where a fact does not hold any more
python tests/shown.py --peers    # from the facts: how many doorsill and plain matchers stop
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import browser
import trap_frames
import trap_more
import traps
from looks import LIMITS, RADIUS, SCENE, hashes

FACTS = Path(__file__).parent / "data" / "shown" / "facts.json"
MAKERS = (
    traps.TRAPS | traps.UNREAD | traps.ASIDE | traps.PLAIN | traps.CUT | trap_frames.SHORT
    | trap_more.STOPPED
)  # fmt: skip


def facts() -> dict[str, Any]:
    """Return the committed facts: of each trap, how far what is shown lies from the picture."""
    found: dict[str, Any] = json.loads(FACTS.read_text())
    return found


def rendered() -> dict[str, Any]:
    """Render every trap: {name: {sha256, shows: {label: distance or null where flat}}}."""
    files = [(data, _kind(data)) for data in (make(SCENE) for make in MAKERS.values())]
    wanted = hashes(SCENE)[0]
    found = {}
    for (name, (data, _)), (_, seen) in zip(
        zip(MAKERS, files, strict=True), browser.shown(files), strict=True
    ):
        shows = {}
        for picture in seen:
            near = [int(np.count_nonzero(bits != wanted)) for bits in hashes(picture.image)]
            shows[picture.label] = min(near, default=None)
        found[name] = {"sha256": hashlib.sha256(data).hexdigest(), "shows": shows}
    return found


def _kind(data: bytes) -> str:
    """Return what a server would call a file: browsers tell all but drawings by their bytes."""
    return "image/svg+xml" if data.startswith(b"<svg") else "application/octet-stream"


def shows_it(fact: dict[str, Any]) -> bool:
    """Tell whether the browser shows the listed picture, at any time, on any page."""
    return any(near is not None and near <= RADIUS for near in fact["shows"].values())


def _write() -> None:
    told = {
        "browser": browser.version(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "traps": rendered(),
    }
    FACTS.write_text(json.dumps(told, indent=1) + "\n")


def _compare() -> None:
    known, now = facts()["traps"], rendered()
    changed = {
        name for name in known.keys() | now.keys()
        if name not in known or name not in now or shows_it(known[name]) != shows_it(now[name])
    }  # fmt: skip
    print(f"{len(now)} traps in {browser.version()}: {len(changed)} facts changed")
    if changed:
        sys.exit(f"not as written down: {sorted(changed)}; see tests/data/shown/README.md")


def _plain(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")
    except Exception:  # noqa: BLE001 - whatever a decoder raises, the plain matcher has no answer
        return None


def _peers() -> None:
    import imagehash  # noqa: PLC0415 - of the extra [bench], which only this count needs
    from threatexchange.signal_type.pdq import pdq_hasher  # noqa: PLC0415 - likewise

    from doorsill import images  # noqa: PLC0415 - with Pillow

    wanted = hashes(SCENE)[0]
    whole = imagehash.phash(SCENE)
    reference = "".join("1" if bit else "0" for bit in wanted)
    counts = {"doorsill": 0, "threatexchange": 0, "Pillow + pdqhash": 0, "imagehash phash": 0}
    shown = [
        name for name, fact in facts()["traps"].items()
        if shows_it(fact) and name not in traps.PLAIN
    ]  # fmt: skip
    number = 0
    for name in shown:
        data = MAKERS[name](SCENE)
        near = [
            bits for view in images.views(data, LIMITS, [], lambda: None)
            for bits in [hashes(view.image)]
        ]  # fmt: skip
        number += len(near)
        counts["doorsill"] += any(
            np.count_nonzero(one != wanted) <= RADIUS for bits in near for one in bits
        )
        try:
            code, quality = pdq_hasher.pdq_from_bytes(data)
            bits = f"{int(code, 16):0256b}"
            apart = sum(a != b for a, b in zip(bits, reference, strict=True))
            counts["threatexchange"] += quality >= 50 and apart <= RADIUS
        except Exception:  # noqa: BLE001, S110 - it has no answer
            pass
        if (plain := _plain(data)) is not None:
            mine = hashes(plain)
            counts["Pillow + pdqhash"] += bool(mine) and np.count_nonzero(mine[0] != wanted) <= 31
            counts["imagehash phash"] += imagehash.phash(plain) - whole <= 10  # of 64 bits
    print(f"traps in which {facts()['browser']} shows the listed picture: {len(shown)}")
    for name, count in counts.items():
        print(f"{name}: {count}")
    print(f"views per trap: {number / len(shown):.1f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"--write": _write, "--peers": _peers}.get(sys.argv[-1], _compare)()
