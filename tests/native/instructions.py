"""Instructions of the two hot kernels against their bars: python instructions.py PROGRAM.

PROGRAM is instructions.c with the library, built with -O3 as a release is. Instructions do not
depend on what else the machine does, so they can fail a run where milliseconds could not. Counted
by valgrind's callgrind, which knows no AVX-512. A bar that was beaten by much is to be lowered.
"""

from __future__ import annotations

import re
import subprocess
import sys

# Millions of instructions by gcc 12: for a 2-megapixel RGB picture, and for 100,000 rows.
BARS = {
    ("hash", "portable"): 76.2,
    ("hash", "avx2"): 21.9,
    ("search", "portable"): 2.73,
    ("search", "avx2"): 0.39,
}
SLACK = 1.03  # what another release of the compiler may cost


def counted(program: str, what: str, kernel: str, times: int) -> int:
    """Return the instructions of a run that does it so many times."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*command, program, what, kernel, str(times)], check=True, capture_output=True, text=True
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr
    return int(found[1])


def main() -> int:
    """Print a line for each kernel; 1 if one takes more than its bar allows."""
    worse = 0
    for (what, kernel), bar in BARS.items():
        once, thrice = (counted(sys.argv[1], what, kernel, times) for times in (1, 3))
        millions = (thrice - once) / 2e6
        over = millions > bar * SLACK
        worse += over
        print(f"{what:8}{kernel:10}{millions:9.2f} M, bar {bar:.2f} M{'  OVER' if over else ''}")
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
