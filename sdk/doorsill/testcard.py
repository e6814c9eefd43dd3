"""The test card: one published, harmless picture that every hash list carries.

Whoever screens it and gets a match knows that decoding, hashing, searching and the policy are
really wired. It never counts as an entry.
"""

from __future__ import annotations

from importlib.resources import files

# As published, so that a changed file or a changed hasher shows; tests/data/images/make.py
# prints them. `full` is also what pdqhash 0.2.8 gives.
SHA256 = "d2bc6033f7004acd4a44cd5aa645f579104a55ebac49b9074d12459aeed70043"
PDQ = {
    "full": "19a3345a79b13d4a7ca59c5ada27c4dcc23c3b3bc07c233b33d8a4863fc8d8a6",
    "cpp512": "19a3345a39b13d4a7ca59c52da27c4dcc23c333bc0fc333b33d8e4863fc8d8a6",
}


def test_card() -> bytes:
    """Return the test card, a PNG file."""
    return files("doorsill").joinpath("data", "testcard.png").read_bytes()
