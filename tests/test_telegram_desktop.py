"""What the patch for Telegram Desktop calls, with a real Qt; the app itself is not built."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doorsill import testcard
from embedding import LISTED, ORDINARY, demo_file

ROOT = Path(__file__).parent.parent
DESKTOP = ROOT / "examples/telegram/desktop"

# list.dsl, card.png, then files: prints whether it may claim protection, and each action.
HOST = """
#include "doorsill_hook.h"
#include <cstdio>
int main(int argc, char **argv) {
  std::printf("%d\\n", Doorsill::Start(argv[1], QImage(argv[2])));
  for (int i = 3; i < argc; i++) {
    const auto decoded = QImage(argv[i]);
    std::printf("%d\\n", Doorsill::Lets(decoded, argv[i], {}));
    QFile file(argv[i]);
    if (file.open(QIODevice::ReadOnly))
      std::printf("%d\\n", Doorsill::Lets(decoded, {}, file.readAll()));
  }
}
"""


def test_the_patch_is_short() -> None:
    """At most 40 lines, and only lines of ours: it adds, and quotes nothing."""
    lines = (DESKTOP / "telegram-desktop.patch").read_text().splitlines()
    assert len(lines) <= 40
    assert all(re.match(r"(\+|--- a/|@@ -\d+,0 \+[\d,]+ @@$)", line) for line in lines)
    calls = set(re.findall(r"Doorsill::(\w+)", "".join(lines)))
    assert calls
    assert calls <= set(re.findall(r"inline .*?(\w+)\(", (DESKTOP / "doorsill_hook.h").read_text()))


def qt(*what: str) -> list[str]:
    """Return what pkg-config says of Qt."""
    command = ["pkg-config", *what, "Qt6Gui"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []


@pytest.mark.skipif(
    not (shutil.which("pkg-config") and qt("--modversion")), reason="no qt6-base-dev here"
)
def test_the_header(tmp_path: Path) -> None:
    """It stops a listed picture and no other; without a list or the card it claims nothing."""
    (tmp_path / "host.cpp").write_text(HOST)
    sources = sorted(map(str, (ROOT / "native/src").glob("*.c")))
    flags = [f"-I{ROOT}/native/include", f"-I{DESKTOP}"]
    subprocess.run(["cc", "-O1", "-c", *sources, *flags], check=True, cwd=tmp_path)  # noqa: S607 - whichever cc there is
    objects = sorted(map(str, tmp_path.glob("*.o")))
    command = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fPIC", "host.cpp", *objects]
    command += [*flags, *qt("--cflags"), *qt("--libs"), "-o", "host"]
    subprocess.run(command, check=True, cwd=tmp_path)
    files = {"card.png": testcard.test_card(), "ordinary.jpg": ORDINARY, "listed.jpg": LISTED}
    files["notes.txt"] = b"no picture at all"
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    def host(*arguments: str) -> list[str]:
        done = subprocess.run([tmp_path / "host", *arguments], capture_output=True, text=True,
                              check=True, cwd=tmp_path)  # fmt: skip
        return done.stdout.split()

    pictures = ("ordinary.jpg", "listed.jpg", "notes.txt")
    assert ["1", *"11", *"00", *"11"] == host(str(demo_file()), "card.png", *pictures)
    assert ["0", *"00"] == host("none.dsl", "card.png", "ordinary.jpg")
    assert ["0"] == host(str(demo_file()), "ordinary.jpg")
    assert ["0"] == host(str(demo_file()), "none.png")
