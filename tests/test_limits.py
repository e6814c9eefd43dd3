"""`Limits`: what is no bound is refused where it is given, and what is one reaches a worker."""

from __future__ import annotations

import io
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from doorsill import Limits, wire

NAMES = [each.name for each in fields(Limits)]
COUNTS = [name for name in NAMES if not name.endswith("seconds")]
TIMES = [name for name in NAMES if name.endswith("seconds")]
NOWHERE = [-1, float("nan"), float("inf"), True, "4"]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("bad", [*NOWHERE, 50e6, None, 1 << 63, np.int64(5)])
def test_counts(name: str, bad: Any) -> None:
    """What is no whole number, negative or too large is an error that names it and what to give."""
    with pytest.raises(ValueError, match=rf"Limits\({name}=.*give a whole number from 0 to"):
        Limits(**{name: bad})


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("bad", [*NOWHERE, 1e300])
def test_times(name: str, bad: Any) -> None:
    """What is no finite time is an error that names it and what to give."""
    with pytest.raises(ValueError, match=rf"Limits\({name}=.*give seconds from 0 to .*, or None"):
        Limits(**{name: bad})


@pytest.mark.parametrize("most", [0, 1 << 62])
def test_all_that_is_taken_can_be_told(most: int) -> None:
    """The least and the largest bounds reach a worker as they are."""
    bounds: dict[str, Any] = dict.fromkeys(COUNTS, most)
    told = wire.pack_start(Limits(**bounds, seconds=0, answer_seconds=1.5))
    limits, _ = wire.unpack_start(io.BytesIO(told).read)
    assert limits == Limits(**bounds, seconds=None)
