"""Makes pdq.json from the references: python make_pdq.py PROGRAM.

Profile `full` comes from the pdqhash package. PROGRAM gives profile `cpp512`: it reads
"WIDTH HEIGHT", a newline and RGB bytes, again and again, and prints a line of
"hash,quality,eight hashes", as Meta's C++ computes them from such pixels; README.md says
which version made the file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash

sys.path.insert(0, str(Path(__file__).parents[2]))

import pictures

SMALL = [1, 2, 3, 4, 5, 6, 7, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 66, 100, 127, 128, 129, 130]
SMALL += [191, 192, 193, 255, 256, 257, 300, 383, 385]
MIDDLE = [511, 512, 513, 514, 640, 767, 1023, 1024, 1025]
STRIPS = [(5, 5000), (5000, 5), (7, 3001), (2999, 8), (16, 4096), (4095, 17), (64, 1000)]
STRIPS += [(1000, 64)]
LARGE = [(1280, 960), (960, 1280), (1600, 1200), (2048, 1365), (5000, 300), (300, 5000)]
LARGE += [(3000, 2000)]


def sizes(count: int = 560) -> list[tuple[int, int]]:
    """Return pairs of sides, most of them small, every odd case among them."""
    chosen = [(64, 64), (63, 65), (65, 63), (64, 65), (512, 512), (513, 512), (512, 513), (4, 600)]
    chosen += STRIPS + LARGE
    for number, word in enumerate(pictures.words(1, count - len(chosen))):
        pair = int(word)
        pool = SMALL + MIDDLE if number % 5 == 0 else SMALL
        chosen.append((pool[pair % len(pool)], pool[(pair >> 32) % len(pool)]))
    return chosen


def hexed(vector: Any) -> str:
    """Return the usual hex of pdqhash's vector."""
    return np.packbits(np.asarray(vector, dtype=np.uint8)).tobytes().hex()


def main(program: str) -> None:
    """Write the file."""
    kinds, rows = sorted(pictures.KINDS), []
    with subprocess.Popen(
        [program, "--orientations"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as meta:
        for number, (width, height) in enumerate(sizes()):
            kind, seed = kinds[number % len(kinds)], number
            picture = np.ascontiguousarray(pictures.make(kind, width, height, seed))
            vector, quality = pdqhash.compute(picture)
            assert meta.stdin
            assert meta.stdout
            meta.stdin.write(f"{width} {height}\n".encode() + picture.tobytes())
            meta.stdin.flush()
            fields = meta.stdout.readline().decode().strip().split(",")
            row: dict[str, Any] = {"kind": kind, "width": width, "height": height, "seed": seed}
            row["full"] = {"hash": hexed(vector), "quality": int(quality)}
            row["cpp512"] = {"hash": fields[0], "quality": int(fields[1])}
            if number % 9 == number // 9 % 9:
                row["orientations"] = [hexed(v) for v in pdqhash.compute_dihedral(picture)[0]]
            rows.append(row)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    Path(__file__).with_name("pdq.json").write_text(f'{{"rows":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1])
