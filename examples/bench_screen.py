"""A file to a verdict, against what a server would use: python examples/bench_screen.py.

doorsill: Gate.screen with a million entries. Peer: threatexchange's hash of the file, then faiss.
Also the whole processes: importing, and `doorsill screen one.jpg`.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bench_hash import photo
from bench_search import RADIUS, build
from doorsill import Gate, HashList, Outcome, Trust, hash_image
from PIL import Image
from side_by_side import machine, peer, race


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
        decode = lambda d=data: Image.open(io.BytesIO(d)).load()  # noqa: E731 - one of three runners
        race(f"12 MP {kind} file to verdict, 1,000,000 entries", {
            "doorsill": lambda d=data: gate.screen(d),
            "threatexchange + faiss": pdq and index and (lambda d=data: peer_screen(pdq, index, d)),
            "Pillow, decoding alone": decode,
        }, rounds=5)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        Image.fromarray(photo(1280, 960)).save(path)
        run = lambda *words: subprocess.run([sys.executable, *words], check=False, capture_output=True)  # noqa: E731, S603
        race("whole processes", {
            "doorsill": lambda: run("-m", "doorsill", "screen", str(path)),
            "python, nothing": lambda: run("-c", ""),
            "python -c 'import doorsill'": lambda: run("-c", "import doorsill"),
        })  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
