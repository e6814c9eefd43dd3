"""Every bound on what comes from outside, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

_MIB = 1024 * 1024
_MOST = 1 << 62  # so that one more, and the code of a worker beside it, are numbers to a system
_MOST_SECONDS = 1e9  # 30 years; for more there is None


@dataclass(frozen=True)
class Limits:
    """How much one picture may cost before the answer is UNREADABLE.

    The defaults let every picture through that a phone, a camera or a messenger makes. Whatever a
    stranger sends, a decode worker holds the memory and the time to `memory` and `seconds`. Read
    inline, in the host's own process, a picture is held to the counts below alone: the worst that
    they let through can take several such memories and many seconds, for codecs cannot be stopped.
    """

    bytes: int = 100 * _MIB
    """Input size. The largest raw-sized JPEG or PNG of a 100-megapixel camera stays below."""

    digest_bytes: int = 4096 * _MIB
    """What is digested of a larger file, a video mostly: messengers carry up to 4 GB. It takes some
    3 s for each GB; pass `screen` a deadline where that is too long."""

    pixels: int = 100_000_000
    """Pixels of one frame, asked of the header before anything is decoded. What a worker can decode
    may be less: see `memory`."""

    side: int = 65_500
    """Longest side, the most that JPEG itself can hold; a wider strip has no honest use."""

    frames: int = 300
    """Frames, pages, icon sizes and appended pictures of one file, 30 s of a usual animation."""

    frame_pixels: int = 400_000_000
    """Pixels over all frames, and again for each further reading of one (through a profile, on
    another page): 300 frames of 1.3 megapixels, or 8 pages scanned at 600 dpi."""

    scans: int = 100
    """Scans of one JPEG. Encoders write about 10; 1,000 in 73 kB keep a decoder busy for 8 s."""

    png_chunks: int = 65_536
    """Chunks of a PNG. Each costs a step in Python, and 8 kB a chunk makes half a gigabyte."""

    profile_bytes: int = 4 * _MIB
    """A colour profile. The biggest printing profiles in use take about 3 MB."""

    memory: int = 440 * _MIB
    """What a decode worker may take beside its code, which is 40 MB: 0.5 GB in all. That decodes
    100 megapixels of a baseline JPEG, a PNG, a TIFF or a bitmap (4 bytes each and the file), 50 of
    a progressive JPEG, a HEIC or an AVIF, and 36 of a WebP, whose decoder takes 12 bytes each."""

    seconds: float | None = 4.0
    """What decoding may take when `screen` is given no deadline; waiting for a free decode worker
    does not count. A 100-megapixel photo takes about one second. A file over `bytes` is not
    decoded, and its digests are made to the end, some seconds a gigabyte: give a deadline to bound
    them. None: the host may cancel."""

    answer_seconds: float | None = 10.0
    """What a sealing server's answer may take when `screen` is given no deadline. None: the host's
    own function bounds it."""

    list_bytes: int = 1 << 30
    """A hash list: 10 million PDQ entries with all three digests take 0.9 GB."""

    def __post_init__(self) -> None:
        """Check that each is a bound.

        Raises:
            ValueError: One is not.
        """
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if not name.endswith("seconds"):
                _check(name, value, "a whole number from 0 to 2**62", (int,), _MOST)
            elif value is not None:
                _check(name, value, "seconds from 0 to 1e9, or None", (int, float), _MOST_SECONDS)


def _check(name: str, value: Any, wanted: str, kinds: tuple[type, ...], most: float) -> None:
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= most:  # NaN among what is refused
        raise ValueError(f"Limits({name}={value!r:.40}) is no bound; give {wanted}")


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
