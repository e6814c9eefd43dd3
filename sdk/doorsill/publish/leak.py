"""What the clear half of a sealed list tells to whoever holds it, measured on harmless photos.

Three questions: how much of a picture can be rebuilt from what is in clear, against a raw list; how
well the sealed bits can be guessed from it, and so how many questions to the server an entry costs;
and how many rows look the same. All by linear regression, as a first attacker would; a trained
network may do somewhat better, so these are least values of what leaks.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doorsill.core import Resizer, pdq_planes
from doorsill.errors import DoorsillError
from doorsill.limits import Limits
from doorsill.patience import Patience
from doorsill.reading import read
from doorsill.sealed import protocol
from doorsill.sealed.lists import KIND_CLEAR
from doorsill.sealed.protocol import CLEAR_BYTES, COUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doorsill.publish.sections import ListFile

SIDE = 32  # pixels of the thumbnail that is to be rebuilt
LEAST = 1000  # photos: fewer teach nothing about 256 bits
_RIDGES = (30.0, 100.0, 300.0, 1000.0, 3000.0)
_GUESSED = 200  # photos whose guesses are counted, a tenth of a second each
_SURE = 0.02  # no bit is held for surer than that: the regression's tails are not to be trusted
_QUALITY = 50


@dataclass(frozen=True)
class Leak:
    """What was measured.

    Attributes:
        photos: How many, a fifth of them to test with.
        baseline: Mean correlation of 32 x 32 thumbnails with the mean photo.
        clear: With what is rebuilt from the clear plane.
        raw: With what is rebuilt from all 256 bits of a raw list.
        bit: Share of sealed bits that are guessed right from the clear plane; 0.5 is nothing.
        guesses: Guesses until a slot of an entry opens, the likeliest first: the median.
        guesses_tenth: So many are enough for the tenth of the entries that is easiest to guess.
        slot_bits: Bits that a slot's 20 are worth to a guesser who tries the likeliest first.
        rows: Of the list.
        alike: Rows that share their clear plane with another.
    """

    photos: int
    baseline: float
    clear: float
    raw: float
    bit: float
    guesses: int
    guesses_tenth: int
    slot_bits: float
    rows: int
    alike: int

    def questions(self, guesses: int) -> int:
        """Return how many questions so many guesses take."""
        return -(-guesses // COUNT)


class _Thumbnails:
    """Stands where a neural model does, and keeps the squashed pixels in gray."""

    digest, originals = bytes(32), False

    class config:  # noqa: N801 - as a model's
        """What `Coding` asks of a model."""

        side = SIDE

    @staticmethod
    def resizer(width: int, height: int, mode: str, ground: str) -> Resizer:
        """Return what squashes pixels."""
        return Resizer(width, height, mode, SIDE, ground)

    @staticmethod
    def is_flat(_: bytes) -> bool:
        """Return that every photo counts; PDQ's quality leaves the plain ones out."""
        return False

    @staticmethod
    def code(rgb: bytes) -> bytes:
        """Return the mean of the three channels."""
        return bytes((rgb[i] + rgb[i + 1] + rgb[i + 2]) // 3 for i in range(0, len(rgb), 3))


def _numpy() -> Any:
    try:
        return importlib.import_module("numpy")
    except ImportError:
        raise DoorsillError("measuring a leak takes numpy; pip install numpy") from None


def measure(
    file: ListFile,
    photos: Iterable[str],
    progress: Callable[[int, str], None] | None = None,
) -> Leak:
    """Measure a sealed list; photos are decoded in this process, so take harmless ones of yours.

    Raises:
        DoorsillError: Fewer than 1,000 of them can be hashed, or numpy is missing.
    """
    np = _numpy()
    hashes, thumbnails = _read(photos, progress)
    if len(hashes) < LEAST:
        raise DoorsillError(f"{len(hashes)} photos with enough detail; it takes {LEAST} or more")
    first, second = pdq_planes(b"".join(hashes))
    f, r = (np.unpackbits(np.frombuffer(plane, np.uint8).reshape(-1, 16), axis=1) * 2.0 - 1
            for plane in (first, second))  # fmt: skip
    shown = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(hashes), -1) * 1.0
    shown -= shown.mean(1, keepdims=True)
    shown /= np.linalg.norm(shown, axis=1, keepdims=True) + 1e-9
    order = np.random.default_rng(1).permutation(len(hashes))
    f, r, shown = f[order], r[order], shown[order]
    test = len(hashes) * 4 // 5
    sealed = r[:, : max(map(max, protocol.WINDOWS)) + 1]
    guess = _regressed(np, f, sealed, test)
    counts, bits = _guesses(np, guess[:_GUESSED], sealed[test:][:_GUESSED] > 0)
    rows = file.section(KIND_CLEAR)
    planes = [rows[at : at + CLEAR_BYTES] for at in range(0, len(rows), CLEAR_BYTES)]
    return Leak(
        photos=len(hashes),
        baseline=_alike(np, shown[:test].mean(0, keepdims=True), shown[test:]),
        clear=_alike(np, _regressed(np, f, shown, test), shown[test:]),
        raw=_alike(np, _regressed(np, np.hstack([f, r]), shown, test), shown[test:]),
        bit=float(((guess > 0) == (sealed[test:] > 0)).mean()),
        guesses=int(np.median(counts)),
        guesses_tenth=int(np.quantile(counts, 0.1)),
        slot_bits=bits,
        rows=len(planes),
        alike=_shared(planes),
    )


def _read(
    photos: Iterable[str], progress: Callable[[int, str], None] | None
) -> tuple[list[bytes], list[bytes]]:
    hashes: list[bytes] = []
    thumbnails: list[bytes] = []
    models: Any = lambda: [_Thumbnails()]  # noqa: E731 - as short as it is
    for path in photos:
        if progress is not None:
            progress(len(hashes), path)
        views = read(path, Limits(), Patience(None), models=models).views
        if views and views[0].codes and views[0].pdq.quality("full") >= _QUALITY:
            hashes.append(views[0].pdq.hash("full"))
            thumbnails.append(views[0].codes[0][1])
    return hashes, thumbnails


def _regressed(np: Any, x: Any, y: Any, test: int) -> Any:
    """Return predictions for rows from *test* on; the ridge is chosen on a fifth before them."""
    x = np.hstack([x, np.ones((len(x), 1))])
    fit = test * 4 // 5

    def weights(rows: int, ridge: float) -> Any:
        square = x[:rows].T @ x[:rows] + ridge * np.eye(x.shape[1])
        return np.linalg.solve(square, x[:rows].T @ y[:rows])

    def error(ridge: float) -> float:
        return float(((x[fit:test] @ weights(fit, ridge) - y[fit:test]) ** 2).mean())

    return x[test:] @ weights(test, min(_RIDGES, key=error))


def _alike(np: Any, made: Any, shown: Any) -> float:
    """Return the mean correlation; thumbnails have mean 0 and norm 1."""
    made = made - made.mean(1, keepdims=True)
    made = made / (np.linalg.norm(made, axis=1, keepdims=True) + 1e-9)
    return float((made * shown).sum(1).mean())


def _guesses(np: Any, guess: Any, true: Any) -> tuple[Any, float]:
    """Return for each photo how many guesses open a slot, and what a slot is worth in bits.

    Whoever knows how likely each bit is tries the likeliest readings of all slots first.
    """
    likely = np.clip((1 + guess) / 2, _SURE, 1 - _SURE)
    counts, worth = [], []
    for chance, bits in zip(likely, true, strict=True):
        all_, own = [], []
        for places in protocol.WINDOWS:
            logs = np.log(np.stack([1 - chance[places], chance[places]]))
            total = np.zeros(1)
            for no, yes in logs.T:
                total = np.concatenate([total + no, total + yes])
            all_.append(total)
            own.append(sum(logs[int(bit), i] for i, bit in enumerate(bits[places])))
            worth.append(np.log2(float((total >= own[-1] - 1e-9).sum())))
        best = max(own)
        counts.append(sum(int((total >= best - 1e-9).sum()) for total in all_))
    return np.array(counts), float(np.mean(worth))


def _shared(planes: list[bytes]) -> int:
    """Return how many of these stand beside an equal one; they are sorted."""
    return sum(
        each in {planes[i - 1] if i else None, planes[i + 1] if i + 1 < len(planes) else None}
        for i, each in enumerate(planes)
    )
