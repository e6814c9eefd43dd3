"""Finish a model's config: python finish.py FOLDER RESULT.json --licence TEXT.

What publishers need beside the network: match limits by size of list, from what
`examples/evaluate/run.py` calibrated with photos that no training saw, and the code of the test
card, which every list holds and every device can check. Written in place, atomically.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

from PIL import Image

from doorsill.neural import Model, ModelFile
from doorsill.testcard import test_card


def card(folder: Path) -> bytes:
    """Return the test card's code."""
    model = Model(ModelFile.read(folder))
    image = Image.open(io.BytesIO(test_card())).convert("RGB")
    resizer = model.resizer(*image.size, "RGB")
    resizer.rows(image.tobytes(), 3 * image.width, image.height)
    return model.code(resizer.end())


def limits(result: dict[str, object], name: str, bits: int) -> dict[str, int]:
    """Return the limit by rows of a list; none is wider than the list format allows."""
    hashers = result["hashers"]
    sizes = hashers[name]["by_size"]  # type: ignore[index]
    if lacking := [rows for rows, found in sizes.items() if found["limit"] < 0]:
        raise SystemExit(f"no limit for lists of {', '.join(lacking)}: calibrate with more photos")
    return {rows: min(found["limit"], bits // 4) for rows, found in sizes.items()}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with config.json and model.onnx")
    parser.add_argument("result", type=Path, help="result.json of a calibration of this model")
    parser.add_argument("--licence", default="Apache-2.0")
    asked = parser.parse_args()
    path = asked.folder / "config.json"
    config = json.loads(path.read_text())
    result = json.loads(asked.result.read_text())
    config |= {"limits": limits(result, config["name"], config["bits"]),
               "card": card(asked.folder).hex(), "licence": asked.licence}  # fmt: skip
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(config, indent=2) + "\n")
    fresh.replace(path)
    print(path.read_text())


if __name__ == "__main__":
    main()
