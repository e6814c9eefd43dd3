"""What several test files share."""

from __future__ import annotations

import os

from hypothesis import settings

# A failing example must fail again tomorrow; .ci/full asks for more examples.
settings.register_profile(
    "doorsill",
    max_examples=int(os.environ.get("DOORSILL_EXAMPLES", "100")),
    deadline=None,
    derandomize="DOORSILL_EXAMPLES" not in os.environ,
    database=None,
)
settings.load_profile("doorsill")
