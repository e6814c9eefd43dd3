"""What several test files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from workers import DATA, EXAMPLES, LONG, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorsill import Gate

# A failing example must fail again tomorrow; .ci/full asks for more examples.
settings.register_profile(
    "doorsill",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    database=None,
)
settings.load_profile("doorsill")


@pytest.fixture(scope="module")
def warm_gate() -> Iterator[Gate]:
    """Return a gate with workers that are warm."""
    with opened() as gate:
        gate.screen(DATA)
        yield gate
