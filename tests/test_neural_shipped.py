"""The models that are installed, such as those of `pip install . ./models`, and what they cost."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from doorsill import Evidence, Gate, HashList, Trust, core, models, testcard
from doorsill.cli import main
from doorsill.neural import Model, read_config
from doorsill.publish.build import ListWords, build_list
from drawn import saved, scene
from small_model import SENT, WARM
from workers import needs_cage, workers

INSTALLED = models.installed()
MOST_MEMORY = 60_000_000  # bytes that a worker takes more with a model
CPU_FLIPS = 8  # bits by which processors may differ; none did between AVX-512, AVX2 and NEON

shipped = pytest.mark.parametrize(
    "name",
    INSTALLED
    or [pytest.param("none", marks=pytest.mark.skip("doorsill-models is not installed, or empty"))],
)


@shipped
def test_is_complete(name: str) -> None:
    """A shipped model says all that a list and a host need, and its file is the pinned one."""
    config = models.find(name).config
    assert config.limits
    assert config.licence == "Apache-2.0"
    assert len(config.card) == config.bits // 8
    assert config.limit(1) <= config.bits // 4


@shipped
def test_knows_the_card(name: str) -> None:
    """This machine's hash of the test card is the published one, but for a few bits."""
    model = Model(models.find(name))
    card = Image.open(io.BytesIO(testcard.test_card())).convert("RGB")
    resizer = model.resizer(*card.size, "RGB")
    resizer.rows(card.tobytes(), 3 * card.width, card.height)
    assert core.distance(model.code(resizer.end()), model.config.card) <= CPU_FLIPS


@shipped
def test_tells_pictures_apart(name: str, tmp_path: Path) -> None:
    """An edit of a listed picture agrees by both hashers, another picture by none."""
    scene((400, 300)).save(tmp_path / "a.png")
    words = ListWords("list", "P", "C", model=name)
    build_list([tmp_path / "a.png"], tmp_path / "l.dsl", words)
    gate = Gate(HashList.open(tmp_path / "l.dsl", Trust.none()), isolation="inline")
    edited = saved(scene((400, 300)).resize((300, 225)), "JPEG", quality=60)
    assert gate.screen(edited).evidence == Evidence.AGREED
    assert gate.screen(saved(scene((400, 300), seed=9), "JPEG")).matches == ()


def taken(pid: int, what: str) -> int:
    """Return how many bytes of memory a process has, by a line of its status."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition(f"{what}:")[2].split()[0])


@needs_cage
@shipped
def test_memory(name: str, tmp_path: Path) -> None:
    """A model costs its worker little at its peak, and a large picture leaves nothing behind."""
    large = saved(scene((3000, 2000)), "JPEG")
    WARM.save(tmp_path / "warm.png")
    peaks, rests = [], []
    for model in ("", name):
        words = ListWords("list", "P", "C", model=model)
        build_list([tmp_path / "warm.png"], tmp_path / "m.dsl", words)
        with Gate(HashList.open(tmp_path / "m.dsl", Trust.none())) as gate:
            assert gate.screen(SENT).matches
            gate.screen(large)
            (pid,) = workers(gate)
            peaks.append(taken(pid, "VmHWM"))
            rests.append(taken(pid, "RssAnon"))
    assert peaks[1] - peaks[0] <= MOST_MEMORY
    assert rests[1] - rests[0] <= MOST_MEMORY


LOADED = """
import os, pathlib, sys
from doorsill.neural import Model
model = Model(pathlib.Path(sys.argv[1]))
model.code(bytes(3 * model.config.side**2))
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells")
def test_nothing_is_sent(installed: Path, tmp_path: Path) -> None:
    """A loaded model has no thread of its own and writes nothing, no id of the device above all."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LOADED, str(installed)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"1\n"
    assert list(home.iterdir()) == []


def test_doctor(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor` names each model, its digest and the time of an inference, or what is wrong."""
    assert main(["doctor", "--isolation", "inline", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["models"]
    assert (told["name"], told["digest"]) == ("small", read_config(installed).sha256)
    assert 0 < told["milliseconds"] < 1000
    (installed / "model.onnx").write_bytes(b"damaged")
    assert main(["doctor", "--isolation", "inline"]) == 0
    assert "small cannot be used" in capsys.readouterr().out


def test_doctor_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any model `doctor` says that PDQ stands alone, and how that is changed."""
    monkeypatch.setattr(models, "PACKAGE", "doorsill_models_that_are_not_there")
    assert main(["doctor", "--isolation", "inline"]) == 0
    assert "pip install ./models" in capsys.readouterr().out


def test_commands(installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`list rows`, `list build`, `list show` and `screen` carry a model from end to end."""
    assert installed.is_dir()
    (tmp_path / "o").mkdir()
    scene((160, 120)).save(tmp_path / "o/a.png")
    rows, made = str(tmp_path / "rows.jsonl"), str(tmp_path / "l.dsl")
    inline = ["--isolation", "inline"]
    assert main(["list", "rows", str(tmp_path / "o"), "-o", rows, "--model", "small", *inline]) == 0
    assert main(["list", "build", rows, "-o", made, "--model", "small"]) == 0
    assert main(["list", "show", made]) == 0
    assert "small" in capsys.readouterr().out
    sent = tmp_path / "sent.bmp"
    scene((160, 120)).save(sent)
    assert main(["screen", "--list", made, "--explain", "--json", *inline, str(sent)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["evidence"], told["unchecked"]) == ("agreed", [])
    assert {near["hasher"] for near in told["views"][0]["nearest"]} == {"pdq", "small"}
    (installed / "model.onnx").unlink()
    assert main(["screen", "--list", made, *inline, str(sent)]) == 1
    assert "not compared in 1 of them: small: " in capsys.readouterr().err
    assert main(["list", "build", str(tmp_path / "o"), "-o", made, "--model", "small"]) == 2
    assert main(["list", "build", rows, "-o", made, "--model", "../small"]) == 2
