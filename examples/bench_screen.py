"""A file to a verdict, against what a server would use: python examples/bench_screen.py.

doorsill: Gate.screen with a million entries. Peer: threatexchange's hash of the file, then faiss.
Also the whole processes: importing, and `doorsill screen one.jpg`.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_hash import photo
from bench_search import RADIUS, build
from PIL import Image
from side_by_side import machine, peer, race

from doorsill import Gate, HashList, Outcome, Trust, hash_image


def encoded(pixels: Any, kind: str) -> bytes:
    """Return the picture as a file's bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=88)
    return file.getvalue()


def peer_screen(pdq: Any, index: Any, data: bytes) -> bool:
    """Return whether the peers find the picture."""
    value, _ = pdq.pdq_from_bytes(data)
    query = np.frombuffer(bytes.fromhex(value), np.uint8).reshape(1, 32)
    distances, _ = index.search(query, 1)
    return bool(distances[0][0] <= RADIUS)


def command(*words: str) -> None:
    """Run Python with these words and wait for it."""
    subprocess.run([sys.executable, *words], check=False, capture_output=True)


def decoded(data: bytes) -> None:
    """Decode a picture and do nothing with it."""
    Image.open(io.BytesIO(data)).load()


def album(gate: Gate, data: bytes) -> bool:
    """Time an album at once and one after the other; tell whether the answers are the same."""
    pictures = [data] * 10
    one_by_one = [gate.screen(each).outcome for each in pictures]
    if [each.outcome for each in gate.screen_many(pictures)] != one_by_one:
        return False
    runners: dict[str, Any] = {
        "doorsill": lambda: list(gate.screen_many(pictures)),
        "one after the other": lambda: [gate.screen(each) for each in pictures],
    }
    race("album of 10 x 12 MP JPEG, on all cores", runners, rounds=3)
    return True


def main() -> int:
    """Print the tables; 1 if an answer is wrong."""
    pdq = peer("threatexchange.signal_type.pdq.pdq_hasher")
    faiss = peer("faiss")
    random = np.random.default_rng(3)
    hashes = random.integers(0, 256, (1_000_000, 32), dtype=np.uint8)
    listed = photo(4000, 3000)
    hashes[123456] = np.frombuffer(hash_image(listed).bytes, np.uint8)
    gate = Gate(HashList(build(hashes), Trust.none()))
    index = None
    if faiss:
        faiss.omp_set_num_threads(1)
        index = faiss.IndexBinaryFlat(256)
        index.add(hashes)
    print(machine())
    for kind in ("JPEG", "PNG", "WEBP"):
        data = encoded(listed, kind)
        if gate.screen(data).outcome is not Outcome.MATCH:
            print(f"WRONG: the listed picture as {kind} does not match")
            return 1
        runners = {
            "doorsill": partial(gate.screen, data),
            "threatexchange + faiss": pdq and index and partial(peer_screen, pdq, index, data),
            "Pillow, decoding alone": partial(decoded, data),
        }
        race(f"12 MP {kind} file to verdict, 1,000,000 entries", runners, rounds=5)
    if not album(gate, encoded(listed, "JPEG")):
        print("WRONG: an album gets other verdicts than its pictures")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        Image.fromarray(photo(1280, 960)).save(path)
        runners = {
            "doorsill": partial(command, "-m", "doorsill", "screen", str(path)),
            "doorsill demo": partial(command, "-m", "doorsill", "demo"),
            "python, nothing": partial(command, "-c", ""),
            "python -c 'import doorsill'": partial(command, "-c", "import doorsill"),
        }
        race("whole processes", runners)
    return 0


if __name__ == "__main__":
    sys.exit(main())
