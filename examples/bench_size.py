"""Memory, disk, and the start of a process: python examples/bench_size.py.

Every process that is measured is a fresh one. Peak memory is what Linux says (VmHWM).
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bench_hash import photo
from bench_search import MILLION, build
from PIL import Image
from side_by_side import peer, race
from tables import Row, against, main

from doorsill import HashList, Trust
from doorsill.publish.keys import LOG, Key
from doorsill.publish.log import Log
from doorsill.publish.manifest import Terms
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PEAK = """
import sys
{code}
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
"""
HASHING = {
    "doorsill": (
        "import io; from PIL import Image; from doorsill import hash_image",
        "hash_image(sys.argv[1])",
    ),
    "threatexchange": (
        "import io; from PIL import Image; from threatexchange.signal_type.pdq import pdq_hasher",
        "pdq_hasher.pdq_from_bytes(open(sys.argv[1], 'rb').read())",
    ),
}
DECODING = "Image.open(io.BytesIO(open(sys.argv[1], 'rb').read())).load()"


def peak(code: str, *words: str) -> float:
    """Return the most megabytes that a fresh Python holds while it runs *code*."""
    command = [sys.executable, "-c", PEAK.format(code=code), *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[-1]) / 1024


def beside_decoding(folder: Path) -> Iterator[Row]:
    """Yield the memory that hashing a large photo takes beside decoding it."""
    path = folder / "large.jpg"
    Image.fromarray(photo(8064, 6048)).save(path, quality=88)
    extra = {}
    for name, (imports, hashing) in HASHING.items():
        if name == "doorsill" or peer(name):
            whole = peak(f"{imports}\n{hashing}", str(path))
            extra[name] = whole - peak(f"{imports}\n{DECODING}", str(path))
    yield from against("memory beside decoding, 48 MP JPEG", extra, {"must": 15, "aim": 40},
                       unit="MB")  # fmt: skip


def signed(path: Path) -> Trust:
    """Sign a list as its publisher, and return what checks that."""
    key = Key.new("bench.example/list", LOG)
    policy = f"log {key.vkey}\nquorum none\n".encode()
    terms = Terms(key.name, policy, 1, 1_800_000_000)
    publish(path, ListFile.open(path), None, Log(path.parent / "log"), key, terms)
    trust = path.parent / "trust.txt"
    trust.write_bytes(policy)
    return Trust.load(trust, tier="signed")


def lists(folder: Path) -> Iterator[Row]:
    """Yield what a list of a million takes on disk, in memory and to be opened."""
    random = np.random.default_rng(4)
    hashes = random.integers(0, 256, (MILLION, 32), dtype=np.uint8)
    path, pickled = folder / "list.dsl", folder / "index.pickle"
    path.write_bytes(build(hashes))
    index = peer("threatexchange.signal_type.pdq.pdq_index")
    if index:
        entries = [(bytes(row).hex(), {"id": number}) for number, row in enumerate(hashes)]
        pickled.write_bytes(pickle.dumps(index.PDQIndex.build(entries)))
    opening = (
        "from doorsill import HashList, Trust",
        "kept = HashList.open(sys.argv[1], Trust.none())",
    )
    ours = peak("\n".join(opening), str(path)) - peak(opening[0], str(path))
    loading = ("import pickle, threatexchange.signal_type.pdq.pdq_index",
               "kept = pickle.load(open(sys.argv[1], 'rb'))")  # fmt: skip
    theirs = peak("\n".join(loading), str(pickled)) - peak(loading[0]) if index else 0.0
    name, bounds = "threatexchange" if index else "", {"must": 40, "aim": 40}
    on_disk = pickled.stat().st_size if index else 0
    yield Row("bytes an entry on disk, a million", path.stat().st_size / MILLION, name,
              on_disk / MILLION, "B", **bounds, bound=True)  # fmt: skip
    yield Row("bytes an entry in memory, a million", ours * 1048576 / MILLION, name,
              theirs * 1048576 / MILLION, "B", **bounds, bound=True)  # fmt: skip

    def unpickled() -> object:
        with pickled.open("rb") as file:
            return pickle.load(file)  # noqa: S301 - made above

    shared = HashList.open(path, Trust.none()).share()
    for how, opened, must, aim in (
        ("verified", partial(HashList.open, path, signed(path)), 100, 60),
        ("unsigned", partial(HashList.open, path, Trust.none()), 25, 15),
        ("mapped, shared by another process", partial(HashList.open, shared, Trust.none()), 5, 1),
    ):
        what = f"open a list of a million, {how}"
        times = race(what, {"doorsill": opened,
                            "threatexchange": unpickled if index else None}, rounds=3)  # fmt: skip
        yield from against(what, times, {"must": must, "aim": aim}, bound=True)
    os.close(shared)


def command(*words: str) -> None:
    """Run Python with these words and wait for it."""
    subprocess.run([sys.executable, *words], check=False, capture_output=True)


def starts(folder: Path) -> Iterator[Row]:
    """Yield what a process takes to import, and to give its first verdict."""
    path = folder / "one.jpg"
    Image.fromarray(photo(1280, 960)).save(path)
    times = race("processes", {
        "doorsill": partial(command, "-c", "import doorsill"),
        "front door": partial(command, "-c", "from doorsill import Gate, HashList, Trust"),
        "screen": partial(command, "-m", "doorsill", "screen", str(path)),
        "nothing": partial(command, "-c", ""),
        "threatexchange": peer("threatexchange") and partial(
            command, "-c", "import threatexchange.signal_type.pdq.pdq_hasher"),
    }, rounds=9)  # fmt: skip
    beyond = {name: taken - times["nothing"] for name, taken in times.items()}
    peers = {name: beyond[name] for name in beyond.keys() & {"threatexchange"}}
    for what, name in (("doorsill", "doorsill"), ("Gate, HashList and Trust", "front door")):
        yield from against(f"import of {what} beyond a bare interpreter",
                           {"doorsill": beyond[name]} | peers, {"must": 30, "aim": 10},
                           bound=True)  # fmt: skip
    yield Row("`doorsill screen one.jpg`, whole process, worker and all", times["screen"], "", 0)


def wheel(folder: Path) -> Iterator[Row]:
    """Yield the size of the wheel, against what else a person would install."""
    pip = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "-w", str(folder)]
    subprocess.run([*pip, str(ROOT)], check=True)
    (made,) = folder.glob("*.whl")
    yield Row("wheel without a model", made.stat().st_size / 1e6, "", 0, "MB", must=1, aim=0.6,
              bound=True)  # fmt: skip


def measure() -> Iterator[Row]:
    """Yield what it takes beside time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (starts, beside_decoding, lists, wheel):
            yield from part(folder)


if __name__ == "__main__":
    sys.exit(main(measure))
