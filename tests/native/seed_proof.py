"""Writes the seeds of fuzz_proof.c: python seed_proof.py FOLDER.

Whole releases in the world of the fuzzer's toys, where every digest is zeros and a signature of
zeros holds; and the policies and proofs of the vectors, for their forms.
"""

from __future__ import annotations

import base64
import struct
import sys
from pathlib import Path

VECTORS = Path(__file__).parent.parent / "data/vectors/releases.txt"
ZEROS = base64.b64encode(bytes(32)).decode()
TIME = 1_800_000_000


def case(choice: int, *texts: bytes) -> bytes:
    """Return a choice byte and four texts, each behind its length."""
    return bytes([choice]) + b"".join(struct.pack("<H", len(text)) + text for text in texts)


def vkey(name: str, kind: int, number: int) -> str:
    """Return a key whose id is zeros."""
    return f"{name}+00000000+{base64.b64encode(bytes([kind, number]) + bytes(31)).decode()}"


def seeds() -> list[bytes]:
    """Return whole releases, of which the toys accept all."""
    names = ["w0", "w1", "a0"]
    lines = [
        f"log {vkey('o', 1, 9)}",
        *(f"witness {n} {vkey(n, 4, i)}" for i, n in enumerate(names)),
        "group witnesses 2 w0 w1",
        "group approvers any a0",
        "quorum witnesses",
    ]
    policy = "".join(f"{line}\n" for line in lines).encode()
    made = []
    for epoch, before in ((0, ""), (5, f"policy_before {'0' * 64}\n")):
        manifest = (
            f"doorsill-manifest/v1\nlist o\nepoch {epoch}\nsha256 {'0' * 64}\nsize 64\n"
            f"issued {TIME}\n"
            f"use_until {TIME}\npolicy 1 {'0' * 64}\n{before}entries 1\n"
        )
        extra = base64.b64encode(manifest.encode()).decode()
        path = f"{ZEROS}\n" * epoch.bit_count()
        signed = base64.b64encode(bytes(4 + 64)).decode()
        cosigned = base64.b64encode(bytes(4) + struct.pack(">Q", TIME) + bytes(64)).decode()
        proof = (
            f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex {epoch}\n{path}\n"
            f"o\n{epoch + 1}\n{ZEROS}\n\n"
            f"— o {signed}\n" + "".join(f"— {name} {cosigned}\n" for name in names)
        )
        data = bytes(24) + struct.pack("<Q", epoch) + bytes(32)
        made += [
            case(choice, policy, policy, proof.encode(), data) for choice in (1, 5, 0x16, 0x64)
        ]
    return made


def main(folder: Path) -> None:
    """Write them all."""
    texts = [
        base64.b64decode(line[5:])
        for line in VECTORS.read_text().splitlines()
        if line[:5] == "text "
    ]
    for number, text in enumerate(seeds()):
        (folder / f"whole-{number}").write_bytes(text)
    for number, text in enumerate(text for text in texts if len(text) < 4096):
        (folder / f"form-{number}").write_bytes(case(1, text, text, text, b""))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
