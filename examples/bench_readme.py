"""Makes the README's table of numbers from what the benches wrote.

`python examples/bench_all.py --results best.json`, once more with DOORSILL_KERNEL=avx2 and another
file, then `python examples/bench_readme.py best.json avx2.json`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tables import markdown, read

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- numbers: written by examples/bench_readme.py -->", "<!-- /numbers -->"

HOW = """Medians of one run each, one thread, but that the host makes a file's digests on a second
core while its worker decodes; answers checked against the peer before they are timed; less is
better. `pip install '.[bench]'`, then `python examples/bench_all.py`, which prints more, and what
was asked for; `DOORSILL_KERNEL=avx2` before it for the second table."""


def main(results: list[Path]) -> int:
    """Put a table for each file of results between the README's marks; 1 without marks.

    It has the rows that something is asked of; `bench_all.py` prints more.
    """
    parts = [HOW]
    for path in results:
        title, rows = read(path)
        asked_for = [row for row in rows if row.must]
        parts.append(f"{title}:\n\n{markdown(asked_for, goals=False)}")
    text = README.read_text(encoding="utf-8")
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not between.search(text):
        print(f"README.md has no {BEGIN}")
        return 1
    made = "\n\n".join([BEGIN, *(part.strip() for part in parts), END])
    README.write_text(between.sub(lambda _: made, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("give it the files that `--results` wrote")
    sys.exit(main([Path(each) for each in sys.argv[1:]]))
