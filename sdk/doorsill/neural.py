"""A neural hasher: its model checked, then run on the pixels that the core has squashed.

The only module that knows numpy and onnxruntime, on first use. A model is two files: `config.json`,
with every number that the code needs, and the ONNX file whose digest it pins.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill.core import Resizer
from doorsill.errors import ModelError
from doorsill.files import read_small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 6 << 20
"""Of a model file."""

_CONFIG_BYTES = 65536
_SIDES = range(32, 513)
_WIDTHS = (128, 256, 384, 512)  # that a hash list can hold
_MOST_LIMITS = 32
_LICENCE_LETTERS = 100
FLAT = 2.0
"""Levels that squashed pixels spread (standard deviation) to be hashed. Photos dimmed to it are
56 of lintel's 256 bits from themselves in the median, at 4 levels 38."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,22}")
"""Of a model, as lists give it."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_OPSETS = range(13, 22)
_OPERATORS = {b"Add", b"Clip", b"Conv", b"DequantizeLinear", b"Div", b"Flatten", b"Gemm",
              b"GlobalAveragePool", b"Mul", b"Pow", b"QuantizeLinear", b"Sub",
              b"Transpose"}  # fmt: skip


class Config(NamedTuple):
    """What `config.json` says.

    Attributes:
        name: Of the hasher, as lists give it.
        side: Of the square that pictures are squashed to, pixels.
        bits: Width of the hash.
        model: The model file beside it.
        sha256: Its digest, in hex.
        limits: (entries, bits): the match limit of a list of at most so many, calibrated; the
            larger the list, the smaller. None yet while a model is in training.
        card: The hash of the test card that every list holds, the same on every machine; b"" while
            a model is in training.
        licence: Of the model, an SPDX expression; "" while it is in training.
    """

    name: str
    side: int
    bits: int
    model: str
    sha256: str
    limits: tuple[tuple[int, int], ...] = ()
    card: bytes = b""
    licence: str = ""

    def limit(self, entries: int) -> int:
        """Return the match limit, in bits, of a list with so many entries.

        Raises:
            ModelError: It was not calibrated for that many.
        """
        for most, bits in self.limits:
            if entries <= most:
                return bits
        known = f"lists of at most {self.limits[-1][0]} entries" if self.limits else "no list yet"
        raise ModelError(f"the model {self.name} was calibrated for {known}, not for {entries}; "
                         "build two lists, or leave its hashes out")  # fmt: skip


def read_config(folder: Path) -> Config:
    """Return the config of the model in a folder.

    Raises:
        ModelError: It cannot be read, or a value is missing or out of bounds.
    """
    path = folder / "config.json"
    try:
        found = json.loads(_read(path, _CONFIG_BYTES))
        plain = {key: found[key] for key in Config._fields[:5]}
        config = Config(
            **plain,
            limits=tuple(
                sorted((int(rows), bits) for rows, bits in found.get("limits", {}).items())
            ),
            card=bytes.fromhex(found.get("card", "")),
            licence=found.get("licence", ""),
        )
        good = (
            NAME.fullmatch(config.name)
            and config.name != "pdq"
            and type(config.side) is int
            and config.side in _SIDES
            and type(config.bits) is int
            and config.bits in _WIDTHS
            and re.fullmatch(r"[a-z0-9-]+\.onnx", config.model)
            and _DIGEST.fullmatch(config.sha256)
            and _good_limits(config)
            and len(config.card) in {0, config.bits // 8}
            and len(config.licence) <= _LICENCE_LETTERS
            and config.licence.isascii()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path}: not a model's config: {error!r:.200}; install the model anew"
        ) from None
    if not good:
        raise ModelError(f"{path}: a value is out of bounds; install the model anew")
    return config


def _good_limits(config: Config) -> bool:
    """Tell whether limits are what the list format allows, and never rise with the size."""
    bits = [each for _, each in config.limits]
    return (
        len(bits) <= _MOST_LIMITS
        and all(type(each) is int and 0 <= each <= config.bits // 4 for each in bits)
        and bits == sorted(bits, reverse=True)
        and all(0 < rows < 1 << 32 for rows, _ in config.limits)
    )


def _read(path: Path, most: int) -> bytes:
    try:
        return read_small(path, most)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; install the model anew") from None


class ModelFile(NamedTuple):
    """A model's config and the bytes of its file, whose digest was compared.

    Attributes:
        config: What the config says.
        digest: SHA-256 of the bytes, as lists pin it.
        data: The ONNX file.
        originals: Whether it hashes the originals of a list, with what edits leave of them.
    """

    config: Config
    digest: bytes
    data: bytes
    originals: bool = False

    @classmethod
    def checked(cls, config: Config, data: bytes, where: object) -> ModelFile:
        """Return it if the bytes are those that the config names, else raise `ModelError`."""
        if len(data) > MOST_BYTES or hashlib.sha256(data).hexdigest() != config.sha256:
            raise ModelError(f"{where}: not the file that its config names; install the model anew")
        return cls(config, bytes.fromhex(config.sha256), data)

    @classmethod
    def read(cls, folder: Path) -> ModelFile:
        """Return the model in a folder; `ModelError` if a file is missing or wrong."""
        config = read_config(folder)
        path = folder / config.model
        return cls.checked(config, _read(path, MOST_BYTES), path)


class Model:
    """A model that was checked and loaded; hashes pixels on one thread. Threads may share it."""

    def __init__(self, source: ModelFile | Path) -> None:
        """Load a model, or the one in a folder, from the bytes whose digest was compared.

        Raises:
            ModelError: A file is missing or wrong, or onnxruntime is not installed.
        """
        file = source if isinstance(source, ModelFile) else ModelFile.read(source)
        self.config, self.digest, self.originals = file.config, file.digest, file.originals
        check_graph(file.data)
        self._session = _session(file.data)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shapes = [(each.type, list(each.shape)[1:]) for each in (*inputs, *outputs)]
        side, bits = self.config.side, self.config.bits
        if shapes != [("tensor(uint8)", [side, side, 3]), ("tensor(float)", [bits])]:
            raise ModelError(
                f"{self.config.name}: takes or gives other shapes than its config says"
            )
        self._input = inputs[0].name

    def resizer(self, width: int, height: int, mode: str, ground: str = "white") -> Resizer:
        """Begin to squash a picture of that size in pixels; its `end` is what `code` takes."""
        return Resizer(width, height, mode, self.config.side, ground)

    def is_flat(self, rgb: bytes) -> bool:
        """Tell whether squashed pixels have too little detail to be hashed.

        All blank pages would have one hash, and pictures with a blank corner would be listed by it.
        """
        import numpy as np  # noqa: PLC0415 - on first use

        channels = np.frombuffer(rgb, np.uint8).reshape(-1, 3)
        return bool(channels.std(axis=0).max() < FLAT)

    def code(self, rgb: bytes) -> bytes:
        """Return the hash, bits / 8 bytes, of 3 * side * side squashed pixels.

        Raises:
            ModelError: The model gave none, for want of memory for instance.
        """
        import numpy as np  # noqa: PLC0415 - on first use

        side, bits = self.config.side, self.config.bits
        pixels = np.frombuffer(rgb, np.uint8).reshape(1, side, side, 3)
        try:
            (outputs,) = self._session.run(None, {self._input: pixels})
        except Exception as error:  # noqa: BLE001 - it has no base class of its own
            raise ModelError(f"the model gave no hash of a picture: {error!s:.200}") from None
        if outputs.shape != (1, bits) or not np.isfinite(outputs).all():
            raise ModelError("the model gave no number for a picture")
        return np.packbits(outputs[0] >= 0).tobytes()


def _session(data: bytes) -> Any:
    # Since 1.32 its official builds would keep an id of this device under ~/.cache, start a thread
    # and send "trace events" (Privacy.md beside it). Read when it is loaded; where a host has
    # loaded it before, the call below stops all but the first.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import numpy as np  # noqa: F401, PLC0415 - on first use; a broken one shows here
        import onnxruntime  # noqa: PLC0415 - likewise

        onnxruntime.disable_telemetry_events()
    except Exception as error:  # noqa: BLE001 - builds that do not fit each other raise anything
        raise ModelError(f"a neural hasher needs onnxruntime and numpy: pip install "
                         f"'doorsill[neural]' ({error!s:.100})") from None  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it keeps what one picture took
    options.log_severity_level = 4  # nothing is printed: the error says it
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - it has no base class of its own
        raise ModelError(f"onnxruntime refuses the model: {error!s:.200}") from None


# ---- the ONNX file: a protocol buffer, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto


def check_graph(data: bytes) -> None:
    """Refuse a model that is anything but one graph of a few plain operators.

    Nothing in it may name another file, another set of operators, a function or a subgraph.

    Raises:
        ModelError: It does, or is no ONNX file.
    """
    graphs = sets = 0
    for number, value in _fields(data):
        if number == 7:  # noqa: PLR2004 - ModelProto.graph
            graphs += 1
            _check_nodes(value)
        elif number == 8:  # noqa: PLR2004 - opset_import
            sets += 1
            set_ = dict(_fields(value))
            if set_.get(1, b"") != b"" or set_.get(2) not in _OPSETS:
                raise ModelError("the model wants operators of another set")
        elif number not in {1, 2, 3, 4, 5, 6, 14}:  # versions, names, notes
            raise ModelError(f"the model holds what a hasher has no use for (field {number})")
    if (graphs, sets) != (1, 1):
        raise ModelError("the model is no ONNX file with one graph")


def _check_nodes(graph: Any) -> None:
    for number, value in _fields(graph):
        if number == 1:  # node
            _check_node(value)
        elif number == 5:  # noqa: PLR2004 - initializer
            if any(n in {13, 14} and v != 0 for n, v in _fields(value)):
                raise ModelError("the model keeps weights in another file")
        elif number not in {2, 10, 11, 12}:  # its name, notes, inputs, outputs
            raise ModelError(f"the model's graph holds what a hasher has no use for ({number})")


def _check_node(node: Any) -> None:
    kinds = [bytes(value) for number, value in _fields(node) if number == 4]  # noqa: PLR2004
    if len(kinds) != 1 or kinds[0] not in _OPERATORS:
        raise ModelError(f"the model uses an operator that a hasher does not: {kinds!r:.80}")
    for number, value in _fields(node):
        if number not in {1, 2, 3, 4, 5} and value != b"":  # among them 7, another domain
            raise ModelError("a node of the model names another set of operators")
        # An attribute may be numbers or a word, no tensor and no graph.
        if number == 5 and {n for n, _ in _fields(value)} - {1, 2, 3, 4, 7, 8, 20}:  # noqa: PLR2004
            raise ModelError("a node of the model holds a graph or a tensor")


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of a message: an int for what is a number, else its bytes."""
    view = memoryview(data) if isinstance(data, bytes | memoryview) else memoryview(b"\xff")
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(view, at)
            yield key >> 3, value
            continue
        size, at = _varint(view, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)  # noqa: PLR2004
        if not 0 <= size <= len(view) - at:
            raise ModelError("the model is no ONNX file, or is cut short")
        yield key >> 3, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(view):
            break
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004 - the last one
            return value, at
    raise ModelError("the model is no ONNX file, or is cut short")
