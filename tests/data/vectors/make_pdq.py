"""Makes pdq.json from the two references: python make_pdq.py PROGRAM COMMIT.

Profile ``full`` comes from the installed pdqhash. PROGRAM gives profile ``cpp512``: built
from Meta's C++ in one's own checkout of ThreatExchange at COMMIT, it reads pictures from
standard input ("WIDTH HEIGHT", a newline, then rows of RGB) and answers each with a line
"HASH,QUALITY". See README.md for what the rows cover.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pdqhash

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

Shape = tuple[str, int, int, int]

# Sides around every place where the arithmetic changes: too small, the window growing
# by one after each multiple of 128, the 64x64 shortcut, the subsampling above 512.
SMALL = [
    (1, 1), (4, 4), (4, 200), (200, 4), (5, 5), (5, 6), (6, 5), (5, 300), (300, 5), (5, 512),
    (7, 9), (16, 16), (31, 33), (32, 64), (63, 63), (63, 64), (64, 63), (64, 64), (64, 65),
    (65, 63), (65, 65), (64, 128), (100, 75), (127, 127), (127, 129), (128, 64), (128, 128),
    (129, 127), (160, 120), (192, 256), (255, 257), (256, 256), (257, 129), (320, 200), (384, 385),
    (400, 300), (511, 300), (512, 64), (512, 511), (512, 512), (513, 5), (3, 513), (64, 513),
    (513, 64), (513, 512), (511, 513), (2, 600), (600, 17), (577, 433),
]  # fmt: skip
LARGE = [
    (640, 480), (641, 639), (768, 1024), (1000, 1000), (1023, 767), (1024, 1024), (1025, 513),
    (1080, 720), (1280, 960), (1281, 5), (5, 1281), (1920, 1080), (2047, 64), (64, 2047), (2048, 33),
    (2049, 6), (9, 3001), (3000, 65), (4096, 8), (4097, 63), (33, 4096), (5000, 5), (5, 5000),
    (5000, 64), (65, 5000), (3, 5000), (4999, 129), (700, 900), (513, 1537), (1601, 401),
]  # fmt: skip


def shapes() -> Iterator[Shape]:
    """Yield kind, width, height and seed of every row."""
    kinds = list(pictures.KINDS)
    for number, (width, height) in enumerate(SMALL):
        for kind in kinds:
            yield kind, width, height, number
    for number, (width, height) in enumerate(LARGE):
        yield kinds[number % len(kinds)], width, height, 1000 + number
        if width * height < 1 << 19:
            yield kinds[(number + 4) % len(kinds)], width, height, 2**63 + number
    for kind in kinds:
        for seed in (2001, 2002):
            yield kind, 64, 64, seed
    for number in range(90):
        width, height = (1 + pictures.draw(number, 2, 600, stream=9)).tolist()
        yield kinds[number % len(kinds)], width, height, 3000 + number
    yield "noise", 5000, 1000, 4000
    yield "gradient", 1500, 5000, 4001
    yield "mirror", 2400, 1800, 4002


def hexadecimal(vector: Any) -> str:
    """Return pdqhash's vector of bits as the usual 64 digits."""
    return np.packbits(np.asarray(vector, dtype=np.uint8)).tobytes().hex()


def ask(program: subprocess.Popen[bytes], picture: pictures.Picture) -> tuple[str, int]:
    """Hand one picture to the program of profile cpp512 and read its answer."""
    if program.stdin is None or program.stdout is None:
        raise TypeError("the program needs two pipes")
    height, width = picture.shape[:2]
    program.stdin.write(f"{width} {height}\n".encode() + picture.tobytes())
    program.stdin.flush()
    code, quality = program.stdout.readline().decode().strip().split(",")
    return code, int(quality)


def row(number: int, shape: Shape, program: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Hash one picture by both references."""
    picture = pictures.make(*shape)
    vector, quality = pdqhash.compute(picture)
    made = dict(zip(("kind", "width", "height", "seed"), shape, strict=True))
    made["full"] = {"hash": hexadecimal(vector), "quality": quality}
    made["cpp512"] = dict(zip(("hash", "quality"), ask(program, picture), strict=True))
    if number % 9 == number // 9 % 9:  # another kind at each size
        made["orientations"] = [hexadecimal(v) for v in pdqhash.compute_dihedral(picture)[0]]
    return made


def main() -> None:
    """Write pdq.json beside this script, one row a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the program that gives profile cpp512")
    parser.add_argument("commit", help="the ThreatExchange commit that it was built from")
    given = parser.parse_args()
    head = {"pdqhash": importlib.metadata.version("pdqhash"), "ThreatExchange": given.commit}
    pipe = subprocess.PIPE
    with subprocess.Popen([given.program], stdin=pipe, stdout=pipe) as program:
        rows = [row(number, shape, program) for number, shape in enumerate(shapes())]
    lines = ",\n".join(json.dumps(made, separators=(",", ":")) for made in rows)
    text = json.dumps(head)[:-1] + ', "rows": [\n' + lines + "\n]}\n"
    Path(__file__).with_name("pdq.json").write_text(text)
    print(len(rows), "rows,", sum("orientations" in made for made in rows), "with orientations")


if __name__ == "__main__":
    main()
