"""`python -m doorsill` is the command line."""

from __future__ import annotations

import sys

from doorsill.cli import main

sys.exit(main())
