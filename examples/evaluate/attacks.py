"""Attacks on the hashes, on benign pictures: what a determined person can do.

    python attacks.py --photos photos.zip [--model models/lintel] --out attacks.json

`evade` moves a picture away from its own hash until the limit is passed; `collide` moves a harmless
picture towards the hash of another one. PDQ is attacked in nearly closed form: its bits are
comparisons of 256 linear functions of the pixels, so the smallest change is a least-squares
problem. A neural hasher is attacked by the gradient of its network, with the weights that are
shipped; the joint attack wants both at once. What counts is what the SDK would say of the attacked
bytes, as a share of the trials, with PSNR and SSIM of those that succeed: a collision is near one
of the eight hashes that a list holds of the other picture (both at once: as near as AGREED takes),
an evasion is far from all eight of its own, in all of its views.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from hashers import Checked, Pdq
from measure import distances
from photos import photos
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDE = 160  # of the pictures that are attacked, pixels
PDQ_LIMIT = 31
_LUMA = np.array([0.299, 0.587, 0.114])
_STEPS = 60
_MARGIN = 2.0  # how far over the median a coefficient is moved: rounding to bytes blurs it
_SPARED = 24  # coefficients that may stay wrong, below the limit


def jarosz(size: int) -> Floats:
    """Return PDQ's filter and reduction along one side, as a matrix (64, size)."""
    window = (size + 127) // 128
    half = (window + 2) // 2
    box = np.zeros((size, size))
    for out in range(size):
        box[out, max(0, out - (window - half)) : min(size, out + half)] = 1
    box /= box.sum(1, keepdims=True)
    taken = [int((i + 0.5) * size / 64) for i in range(64)]
    return np.asarray((box @ box)[taken])


def dct() -> Floats:
    """Return rows 1..16 of the DCT of 64 points."""
    k, n = np.arange(1, 17)[:, None], np.arange(64)[None]
    return np.asarray(np.sqrt(2 / 64) * np.cos(np.pi / 128 * k * (2 * n + 1)))


MAP = dct() @ jarosz(SIDE)  # coefficients are MAP @ luma @ MAP.T
_PINV = np.linalg.pinv(MAP)


def coefficients(pixels: Floats) -> Floats:
    """Return the 256 numbers whose comparison with their median is the hash."""
    return np.asarray(MAP @ (pixels @ _LUMA) @ MAP.T)


def moved(pixels: Floats, wanted: Floats) -> Floats:
    """Return the nearest pixels, in least squares, with the wanted coefficients."""
    change = _PINV @ (wanted - coefficients(pixels)) @ _PINV.T
    return np.asarray(np.clip(pixels + change[..., None] * _LUMA / (_LUMA @ _LUMA), 0, 255))


def codes(pixels: Floats) -> NDArray[np.uint8]:
    """Return the eight PDQ codes of the pixels as bytes."""
    return Pdq()(Image.fromarray(np.round(pixels).astype(np.uint8))).codes


def distance(pixels: Floats, target: NDArray[np.uint8]) -> int:
    """Return the PDQ distance of rounded pixels, in the nearest orientation, to a code."""
    return int(np.bitwise_count(codes(pixels) ^ target[None]).sum(1).min())


def evade_pdq(pixels: Floats, _other: Floats) -> Floats:
    """Swap as few as it takes of the coefficients nearest to the median to its other side."""
    target = codes(pixels)[0]
    start = coefficients(pixels)
    offset = (start - np.median(start)).ravel()
    near = np.argsort(np.abs(offset))
    result = pixels
    for count in range(PDQ_LIMIT + 3, 160, 4):
        wanted = offset.copy()
        wanted[near[:count]] = -np.sign(offset[near[:count]]) * _MARGIN
        result = moved(pixels, np.median(start) + wanted.reshape(16, 16))
        if distance(result, target) > PDQ_LIMIT:
            break
    return result


def collide_pdq(pixels: Floats, other: Floats) -> Floats:
    """Bring coefficients on the wrong side of the median to the right one, all but the dearest."""
    target = codes(other)[0]
    goal = coefficients(other)
    side = np.where(goal > np.median(goal), 1.0, -1.0)
    result = pixels
    for step in range(_STEPS):
        c = coefficients(result)
        missing = _MARGIN * (1 + step / 8) - side * (c - np.median(c))
        dear = np.sort(missing.ravel())[-_SPARED]
        result = moved(result, c + side * np.where((missing > 0) & (missing < dear), missing, 0))
        if distance(result, target) <= PDQ_LIMIT:
            break
    return result


def psnr(a: Floats, b: Floats) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    error = float(np.mean((np.round(a) - np.round(b)) ** 2))
    return float(10 * np.log10(255**2 / max(1e-9, error)))


def ssim(a: Floats, b: Floats) -> float:
    """Return the mean structural similarity of luma over windows of 8x8 (Wang et al., 2004)."""
    blocks = [
        (np.round(x) @ _LUMA).reshape(SIDE // 8, 8, SIDE // 8, 8).swapaxes(1, 2).reshape(-1, 64)
        for x in (a, b)
    ]
    (ma, mb), (va, vb) = [x.mean(1) for x in blocks], [x.var(1) for x in blocks]
    cov = ((blocks[0] - ma[:, None]) * (blocks[1] - mb[:, None])).mean(1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(
        np.mean((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    )


class Neural:
    """Gradient attacks on a model of the SDK, alone or with PDQ at once (needs torch and onnx)."""

    def __init__(self, folder: Path, steps: int, entries: int) -> None:
        """Load it, and its network with the training code that lies in its folder."""
        import torch

        sys.path.insert(0, str(folder / "train"))
        from net import Network  # type: ignore[import-not-found]

        self.torch, self.steps, self.hasher = torch, steps, Checked(folder)
        self.limit = self.hasher.shipped(entries)
        # As far out as `doorsill_screen` lets the second opinion agree (native/src/screen.c).
        self.agreement = self.limit + (self.hasher.bits // 2 - self.limit) // 4
        self.net = Network(self.hasher.bits)
        self.net.load_shipped(folder / self.hasher.file.config.model)
        self.net.requires_grad_(requires_grad=False)
        self.map = torch.tensor(MAP, dtype=torch.float32)
        self.luma = torch.tensor(_LUMA, dtype=torch.float32)

    def code(self, pixels: Floats) -> NDArray[np.bool_]:
        """Return the network's bits of rounded pixels."""
        x = self.torch.tensor(np.round(pixels).transpose(2, 0, 1)[None], dtype=self.torch.float32)
        return np.asarray(self.net(x)[0].numpy() >= 0)

    def distance(self, pixels: Floats, other: Floats) -> int:
        """Return the distance of a query, its nearest view's, to what a list holds of another."""
        query, listed = (Image.fromarray(np.round(p).astype(np.uint8)) for p in (pixels, other))
        return int(
            distances(self.hasher(query).codes[None], self.hasher.listed(listed)[None])[0, 0]
        )

    def attack(
        self, pixels: Floats, other: Floats, *, evade: bool, joint: bool, decibels: float
    ) -> Floats:
        """Return the picture after Adam within a ball of that PSNR."""
        torch = self.torch
        start = torch.tensor(pixels, dtype=torch.float32)
        goal = torch.tensor(np.where(self.code(other), 1.0, -1.0), dtype=torch.float32)
        wanted = coefficients(other)
        side = torch.tensor(np.where(wanted > np.median(wanted), 1.0, -1.0), dtype=torch.float32)
        sign = -1.0 if evade else 1.0
        most = 255 * 10 ** (-decibels / 20) * pixels.size**0.5
        change = torch.zeros_like(start, requires_grad=True)
        optimiser = torch.optim.Adam([change], lr=1.5)
        for _ in range(self.steps):
            x = (start + change).clamp(0, 255)
            out = self.net(x.permute(2, 0, 1)[None])[0]
            loss = torch.relu(0.3 - sign * goal * torch.tanh(out)).mean()
            if joint:
                c = self.map @ (x @ self.luma) @ self.map.T
                c = (c - c.median().detach()) / c.std().detach()
                loss = loss + torch.relu(0.1 - sign * side * c).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                change *= min(1.0, most / max(1e-6, float(change.norm())))
        return np.asarray((start + change).clamp(0, 255).detach().numpy(), np.float64)


def summary(trials: list[dict[str, float]]) -> dict[str, float]:
    """Return the share of successes and the medians of what their changes looked like."""
    done = [t for t in trials if t["success"]]
    looks = {key: float(np.median([t[key] for t in done])) for key in ("psnr", "ssim") if done}
    return {"trials": len(trials), "success": len(done) / len(trials), **looks}


def attack_pdq(pairs: list[tuple[Floats, Floats]], *, evade: bool) -> dict[str, float]:
    """Return how the attack on PDQ alone went."""
    trials = []
    for picture, other in pairs:
        done = (evade_pdq if evade else collide_pdq)(picture, other)
        near = distance(done, codes(picture if evade else other)[0]) <= PDQ_LIMIT
        trials.append(trial(picture, done, success=near != evade))
    return summary(trials)


def attack_neural(
    neural: Neural,
    pairs: list[tuple[Floats, Floats]],
    decibels: float,
    *,
    evade: bool,
    joint: bool,
) -> dict[str, float]:
    """Return how the attack on the neural hash went, or on both at once."""
    trials = []
    for picture, other in pairs:
        target = picture if evade else other
        done = neural.attack(picture, target, evade=evade, joint=joint, decibels=decibels)
        most = neural.agreement if joint and not evade else neural.limit
        near = [neural.distance(done, target) <= most]
        if joint:
            near.append(distance(done, codes(target)[0]) <= PDQ_LIMIT)
        trials.append(trial(picture, done, success=not any(near) if evade else all(near)))
    return summary(trials)


def trial(picture: Floats, done: Floats, *, success: bool) -> dict[str, float]:
    """Return what is kept of one."""
    return {"success": success, "psnr": psnr(picture, done), "ssim": ssim(picture, done)}


def targets(source: str, trials: int) -> list[tuple[Floats, Floats]]:
    """Return pairs of photos with enough detail for a PDQ."""
    found: list[Floats] = []
    for photo in photos(source, 1):
        small = photo.open().resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        if Pdq()(small).good:
            found.append(np.asarray(small, np.float64))
        if len(found) > trials:
            break
    return list(itertools.pairwise(found))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", required=True)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument(
        "--decibels", type=float, nargs="+", default=[25, 30], help="least PSNR of a change"
    )
    parser.add_argument("--model", type=Path, help="a folder of models, its training code within")
    parser.add_argument("--entries", type=int, default=1000, help="of the list, for its limit")
    parser.add_argument("--out", type=Path, default=Path("attacks.json"))
    asked = parser.parse_args()
    pairs = targets(asked.photos, asked.trials)
    result = {
        "evade PDQ": attack_pdq(pairs, evade=True),
        "collide PDQ": attack_pdq(pairs, evade=False),
    }
    neural = Neural(asked.model, asked.steps, asked.entries) if asked.model else None
    for least, evade, joint in itertools.product(asked.decibels, (True, False), (False, True)):
        if neural is not None:
            name = (
                f"{'evade' if evade else 'collide'} {'both' if joint else 'neural'}, {least:g} dB"
            )
            result[name] = attack_neural(neural, pairs, least, evade=evade, joint=joint)
            print(name, result[name], file=sys.stderr, flush=True)
    asked.out.write_text(json.dumps(result, indent=1))
    for name, each in result.items():
        looks = f"PSNR {each['psnr']:.1f} dB  SSIM {each['ssim']:.3f}" if each["success"] else ""
        print(f"{name:22} {each['success']:6.0%} of {each['trials']}  {looks}")


if __name__ == "__main__":
    main()
