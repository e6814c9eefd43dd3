"""Writes releases.txt: every check that tests/test_trust*.py make, with what came of it.

Run it in `tests`: python data/vectors/make_releases.py. The keys are made from their names.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

import test_rotation  # noqa: E402
import test_trust  # noqa: E402 - it lies in the folder above
import test_trust_forms  # noqa: E402
import test_trust_policies  # noqa: E402
from doorsill import releases  # noqa: E402
from doorsill.errors import TrustError  # noqa: E402

TIERS = {tier: str(number) for number, tier in enumerate(releases.TIERS)}
MODULES = (test_trust, test_rotation, test_trust_policies, test_trust_forms)
SLOW = ("flipped", "truncation")  # the C test flips and cuts by itself


class Recorder:
    """Writes down what the tests ask and what they are told."""

    def __init__(self) -> None:
        """Begin without any line."""
        self.texts: dict[bytes, int] = {}
        self.lines: dict[str, None] = {}

    def pack(self, data: bytes | None) -> str:
        """Return the number of a text; "-" for none."""
        return "-" if data is None else str(self.texts.setdefault(bytes(data), len(self.texts)))

    def ask(self, kind: str, policy: bytes, other: bytes | None, tier: str, proof: bytes | None,
            data: bytes | None, last: Any, now: int, answer: Any) -> Any:  # fmt: skip
        """Call, write down the question and the answer's kind, and return or raise the same."""
        outcome, error = "ok", None
        try:
            found = answer()
        except TrustError as trouble:
            outcome, error = trouble.kind, trouble
        state = "-" if last is None else f"{last.size}:{last.root.hex()}:{last.sha256.hex()}"
        self.lines[
            " ".join(
                [
                    kind,
                    outcome,
                    TIERS[tier],
                    str(now),
                    state,
                    *map(self.pack, (policy, other, proof, data)),
                ]
            )
        ] = None
        if error:
            raise error
        return found

    def trust(self, policy: bytes, tier: str) -> str:
        """Stand in for `check_trust`."""
        return str(self.ask("trust", policy, None, tier, None, None, None, 0,
                            lambda: releases.check_trust(policy, tier)))  # fmt: skip

    def release(
        self, policy: bytes, tier: str, proof: bytes, data: bytes, last: Any, now: int
    ) -> Any:
        """Stand in for `check_release`."""
        return self.ask(
            "release",
            policy,
            None,
            tier,
            proof,
            data,
            last,
            now,
            lambda: releases.check_release(policy, tier, proof, data, last, now),
        )

    def link(self, policy: bytes, other: bytes, tier: str, proof: bytes, last: Any) -> Any:
        """Stand in for `check_link`."""
        return self.ask("link", policy, other, tier, proof, None, last, 0,
                        lambda: releases.check_link(policy, other, tier, proof, last))  # fmt: skip


if __name__ == "__main__":
    recorder = Recorder()
    for module in MODULES:
        module.check_trust = recorder.trust
        module.check_release = recorder.release
        module.check_link = recorder.link
    chosen = " and ".join(f"not {name}" for name in SLOW)
    if pytest.main(
        [
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            chosen,
            *(str(HERE.parent.parent / f"{m.__name__}.py") for m in MODULES),
        ]
    ):
        sys.exit("a test failed; nothing is written")
    texts = [f"text {base64.b64encode(text).decode()}" for text in recorder.texts]
    (HERE / "releases.txt").write_text("".join(f"{line}\n" for line in [*texts, *recorder.lines]))
