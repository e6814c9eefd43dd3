"""A hasher that is a model of a model: the mean colour, through one linear layer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageOps

from doorsill import models, testcard
from doorsill.neural import Model
from doorsill.publish.build import ListWords
from drawn import saved, scene
from workers import needs_cage

if TYPE_CHECKING:
    from pathlib import Path

SIDE, BITS = 32, 128
WEIGHTS = np.random.default_rng(1).normal(size=(BITS, 3)).astype(np.float32)
BIAS = np.zeros(BITS, np.float32)

WORDS = ListWords(name="list", publisher="P", category="C", model="small")
WARM = ImageOps.colorize(scene((160, 120)).convert("L"), "black", "orange", "white")
COLD = ImageOps.colorize(scene((160, 120)).convert("L"), "black", "dodgerblue", "aqua")
SENT = saved(WARM, "BMP")  # the same pixels and another file, so that no digest matches
TIERS = [pytest.param("worker", marks=needs_cage), "inline"]


def made(*, domain: str = "", opset: int = 17, side: int = SIDE) -> onnx.ModelProto:
    """Return a small hasher: the mean colour, through one linear layer."""
    scale, zero = numpy_helper.from_array(np.float32(1 / 128), "s"), numpy_helper.from_array(
        np.uint8(127), "z")  # fmt: skip
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", ["t", "s", "z"], ["x"]),
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["outputs"], transB=1, domain=domain),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["n", BITS])],
        [scale, zero, numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def install(folder: Path, data: bytes, **changes: Any) -> Path:
    """Write a model and its config; return the folder."""
    config = {"name": "small", "side": SIDE, "bits": BITS, "model": "model.onnx",
              "sha256": hashlib.sha256(data).hexdigest()}  # fmt: skip
    (folder / "model.onnx").write_bytes(data)
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


def code(picture: Image.Image) -> bytes:
    """Return what the model says of a picture, worked out by other code than the SDK's."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.int64)
    height, width = pixels.shape[:2]
    rows, columns = _overlaps(height), _overlaps(width)
    sums = np.einsum("ih,hwc,jw->ijc", rows, pixels, columns, optimize=True)
    squashed = (2 * sums + width * height) // (2 * width * height)
    mean = squashed.reshape(-1, 3).mean(0)
    return np.packbits(WEIGHTS @ ((mean - 127) / 128) >= 0).tobytes()


def _overlaps(length: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return how much of each source pixel lies in each of SIDE outputs, in 1/SIDE of a pixel."""
    source, output = np.arange(length) * SIDE, np.arange(SIDE)[:, None] * length
    ends = np.minimum(source + SIDE, output + length)
    return np.maximum(ends - np.maximum(source, output), 0)


def package(root: Path, name: str = "small", data: bytes | None = None, **changes: Any) -> Path:
    """Write a package `doorsill_models` with the model, fit for lists, and return its folder."""
    folder = root / models.PACKAGE / name
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise AssertionError('no code of it is run')")
    data = made().SerializeToString() if data is None else data
    install(folder, data, name=name, card="00" * (BITS // 8))
    card = changes.pop("card", None) or _card(folder)
    told = {"limits": {"10": 12, "1000": 8}, "licence": "Apache-2.0", "name": name, "card": card}
    return install(folder, data, **(told | changes))


def _card(folder: Path) -> str:
    import io  # noqa: PLC0415 - only here

    picture = Image.open(io.BytesIO(testcard.test_card())).convert("RGB")
    model = Model(folder)
    resizer = model.resizer(*picture.size, "RGB")
    resizer.rows(picture.tobytes(), 3 * picture.width, picture.height)
    return model.code(resizer.end()).hex()


def package_again(folder: Path, data: bytes) -> None:
    """Put another model in the place of the installed one."""
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()
    (folder.parent / "__init__.py").unlink()
    folder.parent.rmdir()
    package(folder.parent.parent, data=data)


def shuffled(picture: Image.Image) -> Image.Image:
    """Return the same pixels in another order: near by the model, far by PDQ."""
    pixels = np.asarray(picture).reshape(-1, 3)
    order = np.random.default_rng(3).permutation(len(pixels) // 40)
    moved = pixels.reshape(-1, 40, 3)[order].reshape(picture.height, picture.width, 3)
    return Image.fromarray(moved)
