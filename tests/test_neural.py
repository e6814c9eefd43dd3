"""The neural hasher: what its model may be, and that it hashes what the core squashed."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from doorsill import neural
from doorsill.core import Resizer
from doorsill.errors import ModelError
from small_model import BIAS, WEIGHTS, install, made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_code(tmp_path: Path) -> None:
    """The bits are the signs of what the weights say of the squashed pixels."""
    model = neural.Model(install(tmp_path, made().SerializeToString()))
    pixels = np.random.default_rng(2).integers(0, 256, (50, 70, 3), np.uint8)
    resizer = model.resizer(70, 50, "RGB")
    resizer.rows(pixels.tobytes(), 210, 50)
    squashed = resizer.end()
    mean = np.frombuffer(squashed, np.uint8).reshape(-1, 3).astype(np.float64).mean(0)
    expected = np.packbits(WEIGHTS @ ((mean - 127) / 128) >= 0).tobytes()
    assert model.code(squashed) == expected
    assert model.digest == hashlib.sha256((tmp_path / "model.onnx").read_bytes()).digest()


def test_squashed_is_the_mean() -> None:
    """Whatever the size and the bands, each squashed pixel is the mean of its area."""

    @settings(max_examples=60, deadline=None)
    @given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20), st.integers(1, 60))
    def holds(width: int, height: int, side: int, band: int) -> None:
        pixels = np.random.default_rng(width * height).integers(
            0, 256, (height, width, 3), np.uint8
        )
        resizer = Resizer(width, height, "RGB", side)
        for top in range(0, height, band):
            rows = pixels[top : top + band]
            resizer.rows(rows.tobytes(), 3 * width, len(rows))
        grown = pixels.repeat(side, 0).repeat(side, 1).astype(np.int64)
        sums = grown.reshape(side, height, side, width, 3).sum((1, 3))
        expected = (2 * sums + width * height) // (2 * width * height)
        assert resizer.end() == expected.astype(np.uint8).tobytes()

    holds()


def external(model: onnx.ModelProto) -> None:
    """Move a weight into another file."""
    weight = model.graph.initializer[2]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/hostname")


def subgraph(model: onnx.ModelProto) -> None:
    """Hide a graph in an attribute."""
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def tensor(model: onnx.ModelProto) -> None:
    """Hide a tensor in an attribute."""
    value = numpy_helper.from_array(BIAS, "v")
    model.graph.node[0].attribute.append(helper.make_attribute("value", value))


def operator(model: onnx.ModelProto) -> None:
    """Use an operator that no hasher needs."""
    model.graph.node.insert(0, helper.make_node("Loop", [], ["l"]))


def function(model: onnx.ModelProto) -> None:
    """Bring a function along."""
    model.functions.append(helper.make_function("local", "F", [], [], [], []))


def foreign_set(model: onnx.ModelProto) -> None:
    """Want another set of operators."""
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def foreign_node(model: onnx.ModelProto) -> None:
    """Use a node of another set."""
    model.graph.node[4].domain = "com.example"


def old_set(model: onnx.ModelProto) -> None:
    """Want operators from long ago."""
    model.opset_import[0].version = 7


@pytest.mark.parametrize("spoil", [external, subgraph, tensor, operator, function, foreign_set,
                                   foreign_node, old_set])  # fmt: skip
def test_graphs_refused(spoil: Callable[[onnx.ModelProto], None]) -> None:
    """What could read a file, run foreign code or loop is refused before onnxruntime sees it."""
    model = made()
    neural.check_graph(model.SerializeToString())
    spoil(model)
    with pytest.raises(ModelError):
        neural.check_graph(model.SerializeToString())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    """No cut or changed byte makes the check crash; a cut file is always refused."""
    whole = made().SerializeToString()
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ModelError):
        neural.check_graph(whole[:at])
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        neural.check_graph(bytes(changed))
    except ModelError as error:
        assert str(error)  # noqa: PT017 - either end is right


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sha256": "0" * 64}, "not the file"),
        ({"side": 31}, "out of bounds"),
        ({"side": True}, "out of bounds"),
        ({"bits": 100}, "out of bounds"),
        ({"bits": 256}, "other shapes"),
        ({"side": 64}, "other shapes"),
        ({"model": "../model.onnx"}, "out of bounds"),
        ({"model": "gone.onnx"}, "install the model anew"),
        ({"name": "X" * 30}, "out of bounds"),
        ({"name": 5}, "not a model's config"),
    ],
)
def test_configs_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """A config that is out of bounds or names another file is an error with a remedy."""
    install(tmp_path, made().SerializeToString(), **changes)
    with pytest.raises(ModelError, match=says):
        neural.Model(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"name": "small"}', "[" * 60000])
def test_no_config(tmp_path: Path, text: str) -> None:
    """What is no config is refused."""
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="config"):
        neural.Model(tmp_path)


def test_large(tmp_path: Path) -> None:
    """A model over the bound is refused unread."""
    install(tmp_path, b"\0" * (neural.MOST_BYTES + 1))
    with pytest.raises(ModelError, match="larger"):
        neural.Model(tmp_path)


def test_without_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error names it."""
    install(tmp_path, made().SerializeToString())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"doorsill\[neural\]"):
        neural.Model(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": {"1000": 33}},
        {"limits": {"1000": -1}},
        {"limits": {"1000": 8.5}},
        {"limits": {"1000": True}},
        {"limits": {"1000": "8"}},
        {"limits": {"1000": 8, "10000": 9}},
        {"limits": {"0": 8}},
        {"limits": {str(1 << 32): 8}},
        {"limits": {"many": 8}},
        {"limits": {str(n): 8 for n in range(1, 40)}},
        {"limits": [8]},
        {"card": "00"},
        {"card": "x" * 32},
        {"card": 5},
        {"licence": "x" * 101},
        {"licence": "\u202e"},
        {"licence": 5},
        {"name": "pdq"},
        {"bits": 128.0},
        {"bits": True},
    ],
    ids=str,
)
def test_hostile_numbers(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Limits that the format forbids or that rise with the list, and the like, are refused."""
    install(tmp_path, made().SerializeToString(), **changes)
    with pytest.raises(ModelError):
        neural.read_config(tmp_path)


def test_limit_of_a_size(tmp_path: Path) -> None:
    """A list gets the limit of the least size that holds it, and none beyond the calibration."""
    limits = {"10000": 20, "1000": 25, "100": 30}
    config = neural.read_config(install(tmp_path, made().SerializeToString(), limits=limits))
    assert [config.limit(rows) for rows in (1, 100, 101, 1000, 10000)] == [30, 30, 25, 25, 20]
    with pytest.raises(ModelError, match="at most 10000 entries"):
        config.limit(10001)
    uncalibrated = neural.read_config(install(tmp_path, made().SerializeToString()))
    with pytest.raises(ModelError, match="no list yet"):
        uncalibrated.limit(1)
