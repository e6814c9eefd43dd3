"""Makes `sealed.json` with the naive twin: python tests/data/vectors/make_sealed.py."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent.parent))

import naive_voprf as naive  # noqa: E402 - the path comes first
import sealing  # noqa: E402 - likewise

EPOCH = 4711
F, R = bytes(range(16)), bytes(range(16, 32))
ENTRY, CLASS = b"\x0a\x0b\x0c\x0d\x0e\x0f", 2


def main() -> None:
    """Write the file."""
    secret = naive.derive_key(sealing.SEED, b"doorsill-sealed/v1 epoch %d" % EPOCH)
    row = sealing.twin_row_of(F, R, CLASS, ENTRY, EPOCH)
    inputs = [sealing.twin_input(F, slot, _flipped(slot, flips), EPOCH)
              for slot in range(8) for flips in (0, 1, 2, 4)]  # fmt: skip
    blinds = [naive.hash_to_scalar(b"blind %d" % number) for number in range(32)]
    elements = [naive.blind(*each) for each in zip(inputs, blinds, strict=True)]
    made, proof = naive.evaluate(secret, elements, naive.hash_to_scalar(b"proof"))
    outputs = [naive.finalize(*each) for each in zip(inputs, blinds, made, strict=True)]
    head = b"dsq1" + EPOCH.to_bytes(4, "little") + b"\x20\x00" + bytes(162)
    token_secret = naive.derive_key(sealing.TOKEN_SEED, b"doorsill-sealed/v1 tokens")
    list_key = naive.BASE.times(secret).encode()
    token_key = naive.BASE.times(token_secret).encode()
    nonce, day = hashlib.sha256(b"nonce").digest(), 20_000
    value = sealing.twin_token_input(nonce, day, list_key, token_key)
    data = {
        "seed": sealing.SEED.hex(),
        "sealing_epoch": EPOCH,
        "public_key": list_key.hex(),
        "row": {
            "f": F.hex(), "r": R.hex(), "class": CLASS, "id": ENTRY.hex(),
            "record": (R + CLASS.to_bytes(2, "little") + ENTRY).hex(), "sealed": row.hex(),
        },
        "inputs": [each.hex() for each in inputs],
        "blinds": [each.to_bytes(32, "little").hex() for each in blinds],
        "question": (head + b"".join(elements)).hex(),
        "answer": {"elements": b"".join(made).hex(), "proof": proof.hex()},
        "outputs": [each.hex() for each in outputs],
        "token": {
            "seed": sealing.TOKEN_SEED.hex(), "key": token_key.hex(), "nonce": nonce.hex(),
            "day": day, "token": (value + sealing.twin_output(token_secret, value)).hex(),
        },
    }  # fmt: skip
    (HERE / "sealed.json").write_text(json.dumps(data, indent=1) + "\n")


def _flipped(slot: int, flips: int) -> bytes:
    bits = int.from_bytes(sealing.window_bytes(R, slot), "big") ^ flips << 4
    return bits.to_bytes(3, "big")


if __name__ == "__main__":
    main()
