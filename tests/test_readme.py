"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import doorsill

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DATA = Path(doorsill.__file__).parent / "data"


def block(language: str) -> str:
    """Return the README's first block of code in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_three_lines_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three lines run as they stand, and stop a listed picture."""
    shutil.copy(DATA / "demo.dsl", tmp_path / "list.dsl")
    shutil.copy(DATA / "lighthouse.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - our own README
    assert doorsill.Action.BLOCK == names["verdict"].action
    assert 3 == len([line for line in block("python").splitlines() if line.strip()])


def test_signing_as_publishers_are_told(tmp_path: Path) -> None:
    """The publishers' page signs a list with the keys and policy that it makes, and opens it."""
    page = (ROOT / "sdk/doorsill/publish/README.md").read_text()
    told = "".join(re.findall(r"<!-- (?:policy|sign) -->\n```sh\n(.*?)```", page, re.DOTALL))
    shutil.copy(DATA / "lighthouse.jpg", tmp_path / "original.jpg")
    command = f"set -e\ndoorsill list build original.jpg -o name.dsl\n{told}"
    place = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=place, check=False,  # noqa: S607
                          capture_output=True, text=True)  # fmt: skip
    assert 0 == said.returncode, said.stderr
    assert "witnessed, as trust.txt asks" in said.stdout
    policy = (tmp_path / "trust.txt").read_text().splitlines()
    shown = re.search(r"cut short here:\n\n```\n(.*?)```", page, re.DOTALL)
    assert shown
    assert [line.split("+")[0] for line in shown[1].splitlines()] == [
        line.split("+")[0] for line in policy
    ]


def test_ten_lines_of_c(tmp_path: Path) -> None:
    """The C lines compile as they stand, without a warning."""
    source = tmp_path / "lines.c"
    source.write_text(
        "#include <doorsill.h>\n#include <stdlib.h>\n"
        "int lines(const uint8_t *rgb, uint32_t width, uint32_t height);\n"
        "int lines(const uint8_t *rgb, uint32_t width, uint32_t height) {\n" + block("c") + "}\n"
    )
    flags = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}/native/include"]
    subprocess.run(["cc", *flags, str(source)], check=True)  # noqa: S607 - whichever cc there is


def test_no_unclaimed_package_is_named() -> None:
    """Nothing tells anybody to install a name that no index has: whoever took it would be run."""
    pages = [*ROOT.glob("sdk/**/*.py"), *ROOT.glob("**/*.md")]
    for page in pages:
        assert not re.search(r"pip install [^\n]*doorsill-models", page.read_text()), page


def test_links_lead_somewhere() -> None:
    """Every file that the pages for people name exists."""
    pages = ["README.md", "SECURITY.md", "native/FORMAT.md", "CHANGELOG.md"]
    pages += [str(path.relative_to(ROOT)) for path in ROOT.glob("examples/**/README.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_commands_of_security_exist() -> None:
    """Each test file that SECURITY.md names exists."""
    for name in re.findall(r"tests/\w+\.py", (ROOT / "SECURITY.md").read_text()):
        assert (ROOT / name).exists(), name
