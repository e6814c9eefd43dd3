"""Makes the C source of the cffi binding from the header: python binding.py HEADER OUTPUT.

The header is the only place that lists the API. What stands between its [cdef] marks is
given to cffi once the words that only a C compiler understands are taken out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """Return the marked region of the header as cffi wants it."""
    region = header.split("/* [cdef] */")[1].split("/* [/cdef] */", maxsplit=1)[0]
    return re.sub(r"\bDOORSILL_(API|CHECK)\b", "", region)


def main(header: Path, output: Path) -> None:
    """Write the binding's C source."""
    ffi = FFI()
    ffi.cdef(declarations(header.read_text(encoding="utf-8")))
    ffi.set_source("doorsill._native", '#include "doorsill.h"', py_limited_api=True)
    ffi.emit_c_code(str(output))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
