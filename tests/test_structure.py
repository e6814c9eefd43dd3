"""Our own lint: who imports whom, what is never imported, what the header and SDK agree on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doorsill._native import lib

import doorsill
from doorsill import core, lists
from doorsill.verdict import ACTIONS, EVIDENCE, OUTCOMES

ROOT = Path(__file__).parent.parent
SDK = ROOT / "sdk/doorsill"
FILES = sorted(SDK.rglob("*.py"))
HEADER = (ROOT / "native/include/doorsill.h").read_text()

NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio.streams", "webbrowser"}
FORBIDDEN = NETWORK | {"pickle", "shelve", "marshal", "logging", "ctypes", "requests"}

# Which modules a module may import at its top or inside: imports point down only.
LAYERS = [
    {"errors", "files", "limits", "shared", "verdict", "receipt", "_native", "testcard"},
    {"policy", "core", "cage", "patience"},
    {"digests", "releases"},
    {"trust", "accept"},
    {"lists", "images", "deltas", "neural", "models", "coding", "listset"},
    {"reading"},
    {"hashes", "wire", "telling", "sealed"},
    {"worker", "caged"},
    {"pool", "album"},
    {"gate", "publish"},
    {"cli"},
    {"__main__"},
]


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SDK)))
def test_no_network(path: Path) -> None:
    """Nothing in the SDK can open a connection, load foreign code from data, or write a log."""
    heads = {name.split(".")[0] for name in imports(path)} | imports(path)
    assert set() == heads & FORBIDDEN


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SDK)))
def test_decoders_stay_home(path: Path) -> None:
    """Only the files that decode know Pillow, and only neural.py numpy and onnxruntime."""
    heads = {name.split(".")[0] for name in imports(path)}
    numeric = {"neural", "leak"}  # the second on a publisher's desk alone
    assert path.stem in numeric or set() == heads & {"numpy", "onnxruntime"}
    at_home = "images" in path.parts or path.stem in {
        "reading",
        "demo_pictures",
        "demo_sheet",
        "doctor",
        "caged",
    }
    assert at_home or "PIL" not in heads


def layer(module: str) -> int | None:
    """Return the layer of a doorsill module."""
    return next((i for i, names in enumerate(LAYERS) if module in names), None)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SDK)))
def test_imports_point_down(path: Path) -> None:
    """A module imports only from its own layer or lower ones; client and publisher never meet."""
    own = path.relative_to(SDK).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert layer(own) is not None, f"{own} has no layer: give it one in LAYERS"
    for name in imports(path):
        if name.startswith("doorsill."):
            module = name.split(".")[1]
            assert (layer(module) or 0) <= (layer(own) or 0), name
            if own in {"gate", "publish"}:
                assert module not in {"gate", "publish"} - {own}, name


def test_files_are_short() -> None:
    """No Python file has more than 400 lines, and the median has at most about 130."""
    tracked = [*FILES, *ROOT.glob("tests/*.py"), *ROOT.glob("examples/**/*.py")]
    lengths = sorted(len(path.read_text().splitlines()) for path in tracked)
    assert lengths[-1] <= 400
    assert lengths[len(lengths) // 2] <= 160


def test_import_is_light() -> None:
    """`import doorsill` loads no decoder and no array library."""
    code = "import sys, doorsill; print(*{'PIL', 'numpy', 'onnxruntime', 'cffi'} & {*sys.modules})"
    assert "" == subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def test_the_front_door_is_light() -> None:
    """`Gate`, `HashList` and `Trust` load nothing that a picture, update or worker alone needs."""
    code = "import sys; {}print(*sys.modules)"
    bare, with_them = (
        set(subprocess.check_output([sys.executable, "-c", code.format(first)], text=True).split())
        for first in ("", "from doorsill import Gate, HashList, Trust; ")
    )
    later = {"PIL", "hashlib", "numpy", "pathlib", "subprocess", "tempfile", "threading"}
    assert set() == later & (with_them - bare)


def test_numbers_are_the_headers() -> None:
    """Python's words stand in the order of the header's numbers."""
    for words, prefix in ((OUTCOMES, ""), (ACTIONS, "")):
        for number, word in enumerate(words):
            assert number == getattr(lib, f"DOORSILL_{prefix}{word.name}")
    assert [0, *range(1, 6)] == [
        getattr(lib, "DOORSILL_NO_EVIDENCE" if e.name == "NONE" else f"DOORSILL_{e.name}")
        for e in EVIDENCE
    ]
    assert (lib.DOORSILL_ENTRY_SEED, lib.DOORSILL_ENTRY_TEST, lib.DOORSILL_ENTRY_WARN) == (
        lists.SEED, lists.TEST, lists.WARN)  # fmt: skip
    assert [0, 1, 2, 3, 4, 5] == [getattr(lib, f"DOORSILL_TEXT_{text.name}") for text in lists.Text]
    assert (lib.DOORSILL_READ_WHOLE, lib.DOORSILL_READ_PARTLY, lib.DOORSILL_NOT_A_PICTURE) == (
        core.READ_WHOLE, core.READ_PARTLY, core.NOT_A_PICTURE)  # fmt: skip


def test_version_is_the_headers() -> None:
    """Library, package and header name one version."""
    from importlib.metadata import version  # noqa: PLC0415 - used once

    written = re.search(r'#define DOORSILL_VERSION "(.*)"', HEADER)
    assert written
    assert written[1] == doorsill.__version__ == version("doorsill")


def test_front_door() -> None:
    """Every public name exists, and `__all__` lists them all."""
    assert sorted(doorsill._HOME) == sorted(doorsill.__all__)  # noqa: SLF001
    for name in doorsill.__all__:
        assert getattr(doorsill, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'report'"):
        doorsill.report  # noqa: B018
