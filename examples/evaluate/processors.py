r"""Whether another processor gives a model's same bits: run it here, then there against its file.

    python processors.py models/lintel/model.onnx here.json
    qemu-x86_64 -cpu Haswell python processors.py models/lintel/model.onnx there.json \
      --against here.json

Needs numpy and onnxruntime alone, so that an emulated Python runs it, too. 60 pictures are drawn
from their numbers. An emulated ARM needs an ARM's /proc/cpuinfo under the emulator's prefix.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
PICTURES, SHAPES = 60, 25


def drawn(number: int, side: int) -> Any:
    """Return a picture of rectangles and discs, uint8 (1, side, side, 3)."""
    random = np.random.default_rng(number)
    pixels = np.empty((1, side, side, 3), np.uint8)
    pixels[:] = random.integers(0, 256, 3)
    across, down = np.meshgrid(np.arange(side), np.arange(side))
    for _ in range(SHAPES):
        x, y = random.integers(0, side, 2)
        w, h = random.integers(side // 30, side // 4, 2)
        round_ = ((across - x) / w) ** 2 + ((down - y) / h) ** 2 < 1
        inside = round_ if random.random() < 0.5 else (abs(across - x) < w) & (abs(down - y) < h)
        pixels[0, inside] = random.integers(0, 256, 3)
    return pixels


def outputs(model: Path) -> list[list[float]]:
    """Return what the model says of each picture, on one thread as in the SDK."""
    import onnxruntime  # after the switch above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options)
    [entry] = session.get_inputs()
    side = entry.shape[1]
    pictures = (drawn(number, side) for number in range(PICTURES))
    return [session.run(None, {entry.name: each})[0][0].tolist() for each in pictures]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path, help="what another processor wrote")
    asked = parser.parse_args()
    found = outputs(asked.model)
    asked.out.write_text(json.dumps(found))
    print(f"{platform.machine()}: {len(found)} pictures, {len(found[0])} bits each")
    if asked.against:
        other = np.array(json.loads(asked.against.read_text()))
        flips = ((np.array(found) >= 0) != (other >= 0)).sum(1)
        print(f"{flips.sum()} of {other.size} bits differ, {flips.max()} at most of one picture")


if __name__ == "__main__":
    main()
