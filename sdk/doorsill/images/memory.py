"""What decoding takes, and how to take less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorsill.images.sitting import STARVED

if TYPE_CHECKING:
    from doorsill.images.sitting import Sitting

# What the greediest decoder takes for a pixel: WebP's two canvases and a copy.
_BYTES_A_PIXEL = 12


def or_starved(sitting: Sitting, size: tuple[int, int] | None, reason: str) -> str:
    """Return *reason* for what could not be decoded, unless it may be the picture's size.

    Few codecs say that memory ran out: most call the file broken.
    """
    width, height = size or (0, 0)
    return STARVED if width * height * _BYTES_A_PIXEL > sitting.limits.memory else reason


def spare(image: Any) -> None:
    """Have an opened WebP or AVIF of one frame keep its decoder no longer than it must."""
    known = vars(image)  # asked in other ways, a TIFF would walk its pages
    if known.get("n_frames") == 1 and "_decoder" in known:
        image._decoder = _Once(known["_decoder"])  # noqa: SLF001 - Pillow keeps it for nothing


class _Once:
    """A decoder that is let go before Pillow copies what it gave: a third less memory.

    It can be asked once. Where it fails there is no second try, which would fail as well.
    """

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def get_next(self) -> Any:
        return self._last().get_next()

    def get_frame(self, number: int) -> Any:
        return self._last().get_frame(number)

    def _last(self) -> Any:
        decoder, self._decoder = self._decoder, None
        return decoder
