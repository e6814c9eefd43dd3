"""Makes the C source of the cffi binding from headers: python binding.py OUTPUT HEADER...

The headers are the only places that list the API. What stands between their [cdef] marks is
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


# What the core calls back: the primitives that sdk/doorsill/trust.py brings. Headers cannot say it.
CALLBACKS = """
extern "Python" int doorsill_python_sha256(void *, const uint8_t *, size_t, uint8_t *);
extern "Python" int doorsill_python_ed25519_verify(void *, const uint8_t *, const uint8_t *, size_t,
                                                   const uint8_t *);
"""


def main(output: Path, headers: list[Path]) -> None:
    """Write the binding's C source."""
    ffi = FFI()
    for header in headers:
        ffi.cdef(declarations(header.read_text(encoding="utf-8")))
    ffi.cdef(CALLBACKS)
    included = "\n".join(f'#include "{header.name}"' for header in headers)
    ffi.set_source("doorsill._native", included, py_limited_api=True)
    ffi.emit_c_code(str(output))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(header) for header in sys.argv[2:]])
