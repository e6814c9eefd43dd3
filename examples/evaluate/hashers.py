"""The hashers that are compared: doorsill's, their peers, and any ONNX model by a config file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from views import MOST, views

from doorsill.coding import MOST_CODES
from doorsill.core import CoreView, Resizer
from doorsill.limits import Limits
from doorsill.neural import Model, ModelFile
from doorsill.patience import Patience
from doorsill.policy import Policy
from doorsill.reading import read

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Codes = NDArray[np.uint8]

GATE = 50  # quality below which a PDQ says nothing


class Hashed(NamedTuple):
    """Codes of one photo, (views, bytes), the photo as it is first; and whether they count."""

    codes: Codes
    good: bool = True


class Hasher(Protocol):
    """Anything that makes codes of photos."""

    name: str
    bits: int

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the codes of an RGB photo."""

    def listed(self, photo: Image.Image) -> Codes:
        """Return what a list holds of an original: (hashes, bytes), the same number of each."""
        return self(photo).codes[:1]

    def shipped(self, entries: int) -> int | None:  # noqa: ARG002 - others ask how many there are
        """Return the limit at which the SDK matches in a list of so many; None: it never does."""
        return None

    def read(self, photo: Image.Image) -> list[CoreView]:  # noqa: ARG002 - doorsill's models alone
        """Return the views that the SDK reads of a photo, with both hashes; [] for others."""
        return []


@dataclass
class Pdq(Hasher):
    """doorsill's own, profile full, in eight orientations."""

    name: str = "PDQ x8"
    bits: int = 256

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the codes."""
        pdq = read(photo, Limits(), Patience(None)).views[0].pdq
        codes = b"".join(pdq.hash("full", orientation) for orientation in range(8))
        return Hashed(np.frombuffer(codes, np.uint8).reshape(8, 32), pdq.quality("full") >= GATE)

    def shipped(self, entries: int) -> int:  # noqa: ARG002 - as many as there are
        """Return the policy's own, whatever the list's length."""
        return Policy().pdq_limit


@dataclass
class PdqOfParts(Pdq):
    """doorsill's own of the whole and of what the SDK finds in it, as queries."""

    name: str = "PDQ x8, parts"

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the codes; parts with too little detail are left out."""
        hashed = [Pdq.__call__(self, view) for view in views(photo, ["parts"])]
        good = [one.codes for one in hashed if one.good] or [hashed[0].codes]
        return Hashed(filled(good, MOST["parts"]), any(one.good for one in hashed))


@dataclass
class PdqHash(Hasher):
    """The package pdqhash, with its orientations."""

    name: str = "pdqhash x8"
    bits: int = 256

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the codes."""
        import pdqhash

        vectors, quality = pdqhash.compute_dihedral(np.asarray(photo))
        return Hashed(np.packbits(np.array(vectors, bool), axis=1), quality >= GATE)


@dataclass
class ImageHash(Hasher):
    """A hash of the package imagehash, 64 bits."""

    kind: str
    bits: int = 64

    def __post_init__(self) -> None:
        self.name = f"imagehash {self.kind}"

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the code."""
        import imagehash

        return Hashed(np.packbits(getattr(imagehash, self.kind)(photo).hash.reshape(1, -1), axis=1))


class Onnx(Hasher):
    """A model by its config file; signs of its outputs are bits.

    The file holds `model` (a path beside it), `side`, `bits`, `name`, and for models that do not
    take bytes in rows of pixels `mean` and `scale`: then the input is (value - mean) / scale,
    float32, channels first. `views` may name some of `views.py`, for queries.
    """

    def __init__(self, path: Path) -> None:
        """Read the config and load the model, on one thread."""
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, as it is loaded
        import onnxruntime

        config = json.loads(path.read_text())
        self.name, self.bits, self.side = config["name"], config["bits"], config["side"]
        if self.bits % 64:
            raise SystemExit(f"{path}: bits are a multiple of 64, not {self.bits}")
        self._views = config.get("views", [])
        self._most = sum(MOST[name] for name in self._views)
        self._mean, self._scale = config.get("mean"), config.get("scale", 1.0)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors alone
        data = (path.parent / config["model"]).read_bytes()
        self._session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the code."""
        pixels = np.concatenate([squashed(v, self.side) for v in views(photo, self._views)])
        codes = np.packbits(self.outputs(pixels) >= 0, axis=1)
        return Hashed(filled([codes[n : n + 1] for n in range(len(codes))], self._most))

    def outputs(self, pixels: Codes) -> NDArray[np.float32]:
        """Return what the model says of pixels (n, side, side, 3): (n, bits)."""
        given: Any = pixels
        if self._mean is not None:
            given = (pixels.astype(np.float32) - self._mean) / self._scale
            given = np.ascontiguousarray(given.transpose(0, 3, 1, 2), np.float32)
        (out,) = self._session.run(None, {self._input: given})
        return np.asarray(out, np.float32)[:, : self.bits]


class Checked(Hasher):
    """One of doorsill's own models, through the SDK."""

    def __init__(self, folder: Path) -> None:
        """Check and load it, as publishers and as devices do."""
        self.file = ModelFile.read(folder)
        self._model = Model(self.file._replace(originals=True))
        self._of_device = Model(self.file)
        self.name, self.bits = self._model.config.name, self._model.config.bits

    def __call__(self, photo: Image.Image) -> Hashed:
        """Return the codes; views that are flat have none, and a photo that is, one of no worth."""
        whole, *others = (self._squashed(view) for view in views(photo, ["parts"]))
        counted = [each for each in others if not self._model.is_flat(each)]
        return Hashed(
            filled([self._code(each) for each in (whole, *counted)], MOST["parts"]),
            not self._model.is_flat(whole),
        )

    def listed(self, photo: Image.Image) -> Codes:
        """Return the hashes of the original and of what edits leave of it."""
        view = read(photo, Limits(), Patience(None), models=lambda: [self._model]).views[0]
        codes = [np.frombuffer(code, np.uint8).reshape(1, -1) for _, code in view.codes]
        return filled(codes or [self._code(self._squashed(photo))], MOST_CODES - 1)

    def read(self, photo: Image.Image) -> list[CoreView]:
        """Return what a screening sees."""
        found = read(photo, Limits(), Patience(None), models=lambda: [self._of_device])
        return [CoreView(view.pdq, view.codes) for view in found.views]

    def shipped(self, entries: int) -> int:
        """Return what its config says, and lists hold."""
        return self._model.config.limit(entries)

    def _squashed(self, photo: Image.Image) -> bytes:
        return squashed(photo, self.file.config.side).tobytes()

    def _code(self, square: bytes) -> Codes:
        return np.frombuffer(self._model.code(square), np.uint8).reshape(1, -1)


def filled(codes: list[Codes], most: int) -> Codes:
    """Return codes of a whole and up to *most* views: the first stands in for those missing.

    All photos have equally many, and a code that is there twice changes no distance.
    """
    return np.concatenate(codes + codes[:1] * (1 + most - len(codes)))


def squashed(photo: Image.Image, side: int) -> Codes:
    """Return the pixels that a neural hasher sees: (1, side, side, 3)."""
    resizer = Resizer(photo.width, photo.height, "RGB", side)
    resizer.rows(photo.tobytes(), 3 * photo.width, photo.height)
    return np.frombuffer(resizer.end(), np.uint8).reshape(1, side, side, 3)


def named(name: str) -> Hasher:
    """Return `pdq`, `pdq+parts`, `pdqhash`, `phash`, `whash`, or the model of a config file.

    A config with a digest is one of doorsill's own models, and is run by the SDK.
    """
    if name == "pdq":
        return Pdq()
    if name == "pdq+parts":
        return PdqOfParts()
    if name == "pdqhash":
        return PdqHash()
    if name in {"phash", "whash"}:
        return ImageHash(name)
    path = Path(name)
    return Checked(path.parent) if "sha256" in json.loads(path.read_text()) else Onnx(path)
