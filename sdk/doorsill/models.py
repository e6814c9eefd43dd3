"""Which models the open lists ask for, and which of them this installation has.

A model is found by its name in the package `doorsill_models`, of which no code is run; what counts
is the digest that a list pins. Whatever is missing is told, in `Verdict.unchecked` and by
`doctor`, and lists are searched by their other hashes.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.errors import ModelError
from doorsill.neural import NAME, Model, ModelFile

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "doorsill_models"
MOST = 3
"""Models that the lists of one Gate are searched by; each takes its time for each picture."""


def find(name: str) -> ModelFile:
    """Return an installed model.

    Raises:
        ModelError: There is none of that name, or it is damaged.
    """
    places = _places(PACKAGE)
    if not places:
        raise ModelError("doorsill-models is not installed: pip install ./models in a checkout")
    folder = Path(places[0], name)
    if not NAME.fullmatch(name) or not folder.is_dir():
        raise ModelError(f"doorsill-models holds no model {name!r:.40}: install a newer one")
    found = ModelFile.read(folder)
    if found.config.name != name:
        raise ModelError(f"{folder}: its config names another model; install the model anew")
    return found


def installed() -> list[str]:
    """Return the names of all installed models."""
    return sorted(each.name for place in _places(PACKAGE)[:1] for each in Path(place).iterdir()
                  if (each / "config.json").is_file())  # fmt: skip


def _places(package: str) -> list[str]:
    """Return where a package lies, nowhere perhaps, without loading it."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # ValueError: something without a spec stands in its place
        return []
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def require_runtime() -> None:
    """Raise `ModelError` where onnxruntime is not installed; it is not loaded."""
    if not _places("onnxruntime") or not _places("numpy"):
        raise ModelError(
            "a neural hasher needs onnxruntime and numpy: pip install 'doorsill[neural]'"
        )


class Models:
    """The models that some lists ask for.

    Attributes:
        files: Those that are installed, with the digest that a list pins.
        lacking: By digest, why the others cannot be used; grows where one turns out not to load.
    """

    def __init__(self, files: Iterable[ModelFile] = ()) -> None:
        """Take models as they are."""
        self.files = tuple(files)
        self.lacking: dict[bytes, str] = {}
        self._loaded: tuple[Model, ...] | None = None
        self._lock = threading.Lock()

    @classmethod
    def wanted(cls, pinned: Iterable[tuple[str, bytes]]) -> Models:
        """Find the models of these (name, digest) pairs; never raises."""
        made = cls()
        for name, digest in dict.fromkeys(pinned):
            made._want(name, digest)
        return made

    @classmethod
    def of_originals(cls, name: str) -> Models:
        """Return the installed model of that name, to hash the originals of a list by.

        Raises:
            ModelError: As of `find`.
        """
        return cls([find(name)._replace(originals=True)])

    def _want(self, name: str, digest: bytes) -> None:
        why = ""
        try:
            require_runtime()
            file = find(name)
        except ModelError as error:
            why = str(error)
        else:
            if file.digest != digest:
                why = "the installed model is another version than the list's; update both"
            elif len(self.files) == MOST:
                why = f"the lists ask for more than {MOST} models"
            else:
                self.files += (file,)
        if why:
            self.lacking[digest] = why

    @property
    def asked(self) -> set[bytes]:
        """Digests of all that the lists ask for."""
        return {file.digest for file in self.files} | self.lacking.keys()

    def load(self) -> tuple[Model, ...]:
        """Return those that can be loaded into this process, loaded once; never raises."""
        with self._lock:
            if self._loaded is None:
                tried = [self._load(file) for file in self.files]
                self._loaded = tuple(model for model in tried if model is not None)
            return self._loaded

    def give_up(self, why: str) -> None:
        """Do without all of them."""
        self.lacking |= {file.digest: why for file in self.files}
        self.files = ()

    def _load(self, file: ModelFile) -> Model | None:
        try:
            return Model(file)
        except ModelError as error:
            self.lacking[file.digest] = str(error)
            return None
