"""Train the network: python train.py CACHE OUT SOURCE... [--seconds 6000]. Goes on from OUT if it exists.

Each source is a folder or zip file of benign photos; no picture of a source that is to test the
model may be among them. On a GPU if there is one. InfoNCE of the original against a strong edit,
with negatives from the batch (half of the batches are neighbours in their source: often one scene)
and from a queue of earlier originals, against a margin; bits kept balanced, uncorrelated and away
from zero; nearest ones of a batch pushed apart (KoLeo); at the end what the head gives is whitened.
Signs with a straight-through gradient made the tail heavier.
A source named `cutouts` holds objects with alpha; each is laid on some ground.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import multiprocessing
import os
import random
import time
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import photos
import torch
from edits import colour, edited, lightly
from net import Network
from PIL import Image
from torch.nn import functional

SIDE, WIDTH = 160, 256
BATCH = 256 if torch.cuda.is_available() else 64
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
QUEUE = 4096
TEMPERATURE = 0.06
# A list is hundreds of times longer than what a step sees: as if each negative were e^5 of them.
MARGIN = 5.0
RATE = 2e-4
STILL = 3  # leading blocks that stay as they are, which halves the time of a step
WIDE = 0.5  # spread of each output: most of it where tanh is steep
BALANCE, OFF = 30.0, 5.0  # weights of bits that are not balanced, and not independent
_SAVE_SECONDS = 240

Source = tuple[np.ndarray, np.ndarray]
Sources = list[Source]


def squashed(im: Image.Image) -> np.ndarray:
    """The pixels that the network sees, near enough to what the core makes of them."""
    large = im.width > 2 * SIDE or im.height > 2 * SIDE
    how = Image.Resampling.BOX if large else Image.Resampling.BILINEAR
    return np.asarray(im.convert("RGB").resize((SIDE, SIDE), how))


def photo(source: Source, number: int, grounds: list[Source], r: random.Random) -> Image.Image:
    """A cached photo in its own shape again; a cut-out object on some ground."""
    pixels, aspects = source
    im = Image.fromarray(np.asarray(pixels[number]))
    a = float(aspects[number])
    size = (max(60, int(240 * a)), 240) if a < 1 else (240, max(60, int(240 / a)))
    im = im.resize(size)
    return laid(im, grounds, r) if im.mode == "RGBA" else im


def laid(im: Image.Image, grounds: list[Source], r: random.Random) -> Image.Image:
    """An object on white mostly, on a colour or on a photo: what shops, books and stickers show."""
    size = (int(im.width * r.uniform(1.02, 1.5)), int(im.height * r.uniform(1.02, 1.5)))
    kind = r.random()
    if kind < 0.5:
        page = Image.new("RGB", size, (255, 255, 255))
    elif kind < 0.75:
        page = Image.new("RGB", size, colour(r))
    else:
        under, _ = r.choice(grounds)
        page = Image.fromarray(np.asarray(under[r.randrange(len(under))])).resize(size)
    page.paste(im, (r.randrange(size[0] - im.width + 1), r.randrange(size[1] - im.height + 1)), im)
    return page


def draw(sources: Sources, seed: int, out: Any) -> None:
    """Put batches (originals, edits), each (n, SIDE, SIDE, 3), into a queue for ever."""
    os.nice(2)
    r = random.Random(seed)
    grounds = [s for s in sources if s[0].shape[-1] == 3]
    while True:
        source = r.choices(sources, [len(s[0]) ** 0.75 for s in sources])[0]
        pixels = source[0]
        most = range(len(pixels))
        start = r.randrange(len(pixels))
        near = range(start, min(start + 3 * BATCH, len(pixels)))
        scene = r.random() < 0.5 and len(near) >= BATCH
        first, second = [], []
        among_them = near if scene else most
        few = len(among_them) < BATCH
        for number in r.choices(among_them, k=BATCH) if few else r.sample(among_them, BATCH):
            im = photo(source, number, grounds, r)
            among = r.choice(sources)
            other = photo(among, r.randrange(len(among[0])), grounds, r)
            first.append(squashed(lightly(im, r)))
            second.append(squashed(edited(im, r, other)))
        out.put((np.stack(first), np.stack(second)))


def next_of(batches: Any) -> tuple[np.ndarray, np.ndarray]:
    """The next batch; if all that draw have died, the run ends, which else would wait for ever."""
    while True:
        with contextlib.suppress(Empty):
            return batches.get(timeout=60)  # type: ignore[no-any-return]
        if not multiprocessing.active_children():
            raise SystemExit("what draws edits has died; see above why")


def start_drawing(sources: Sources, seed: int) -> Any:
    """A queue of batches, filled by other processes."""
    q: Any = multiprocessing.Queue(16)
    for worker in range(max(1, (os.cpu_count() or 1) - 1)):
        multiprocessing.Process(
            target=draw, args=(sources, seed + 1000 * worker, q), daemon=True
        ).start()
    return q


def stop_drawing() -> None:
    """End the processes that draw, which would wait for ever, and this one."""
    for drawer in multiprocessing.active_children():
        drawer.kill()
    os._exit(0)


def tensor(pixels: np.ndarray) -> torch.Tensor:
    """Pictures as the network takes them."""
    x = torch.from_numpy(pixels).to(DEVICE).permute(0, 3, 1, 2).float()
    return x.contiguous(memory_format=torch.channels_last)


def whitening(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The weight and bias that make the strongest WIDTH axes of these rows uncorrelated, equally wide.

    A random turn spreads the strong axes over all bits.
    """
    x = x.double()
    mean = x.mean(0)
    values, axes = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    spread, axes = values[-WIDTH:].clamp(min=0).sqrt(), axes[:, -WIDTH:]
    seeded = torch.Generator().manual_seed(1)
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=seeded).double())[0].to(x.device)
    weight = (turn * (WIDE / (spread + 0.02 * spread[-1]))) @ axes.T
    return weight, -weight @ mean


def begin_head(net: Network, batches: list[torch.Tensor]) -> None:
    """Set the head to the principal axes of the features."""
    with torch.no_grad():
        weight, bias = whitening(torch.cat([net.pooled(b) for b in batches]))
        net.head.weight.copy_(weight)
        net.head.bias.copy_(bias)


def end_head(net: Network, batches: list[torch.Tensor]) -> None:
    """Whiten what the trained head gives, so that no two bits tell the same."""
    with torch.no_grad():
        weight, bias = whitening(torch.cat([net(b) for b in batches]))
        net.head.bias.copy_(weight @ net.head.bias.double() + bias)
        net.head.weight.copy_(weight @ net.head.weight.double())


def loss_of(a: torch.Tensor, b: torch.Tensor, queue: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The loss, and the share of edits whose own original is the nearest.

    Args:
        a: Outputs for the originals.
        b: Outputs for their edits.
        queue: Earlier outputs for originals, after tanh.
    """
    soft = [torch.tanh(x) for x in (a, b)]
    u, v = (functional.normalize(x) for x in soft)
    targets = torch.arange(len(u), device=u.device)
    listed = torch.cat([u, functional.normalize(queue)]) if len(queue) else u
    logits = v @ listed.T / TEMPERATURE
    margin = MARGIN * torch.eye(len(u), len(listed), device=u.device)
    forth = functional.cross_entropy(logits - margin, targets)
    back = functional.cross_entropy(u @ v.T / TEMPERATURE - margin[:, : len(u)], targets)
    x = torch.cat(soft)
    everything = torch.cat([x, queue]) if len(queue) else x
    # Mean and covariance are those of the queue too, the gradient is that of the batch: taken through
    # the mean of both it would be divided by the queue's length.
    mean = everything.mean(0).detach()
    balance = (x * mean).mean()
    centred = everything - mean
    c = (centred.T @ centred / len(centred)).detach()
    c = c - torch.diag(torch.diag(c))
    off = ((x - mean) @ c * (x - mean)).sum(1).mean() / WIDTH
    far = (x.abs() - 1).pow(2).mean()
    similar = (u @ listed.T - 2 * torch.eye(len(u), len(listed), device=u.device)).max(1).values
    spread = -torch.log((1 - similar).clamp(min=1e-3)).mean()
    loss = forth + back + BALANCE * balance + OFF * off + 0.1 * far + 0.4 * spread
    return loss, float(logits.argmax(1).eq(targets).float().mean())


def save(out: Path, **state: Any) -> None:
    """Write a checkpoint, atomically."""
    fresh = out.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(out)


def sources_of(cache: Path, names: list[str]) -> Sources:
    """The cached pixels of each source."""
    return [photos.cache(Path(name), cache) for name in names]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("source", nargs="+")
    parser.add_argument("--seconds", type=float, default=6000, help="in all, over all runs")
    asked = parser.parse_args()
    if DEVICE.type == "cpu":
        torch.set_num_threads(max(1, os.cpu_count() or 1))  # drawing takes a sixth of a core
        torch.set_flush_denormal(True)
    torch.manual_seed(0)
    net = Network(WIDTH)
    net.still = STILL
    state = torch.load(asked.out, weights_only=True) if asked.out.exists() else None
    batches = start_drawing(sources_of(asked.cache, asked.source), int(time.time()) if state else 1)
    net = net.to(DEVICE, memory_format=torch.channels_last)
    heads = [p for n, p in net.named_parameters() if n.startswith(("head", "power"))]
    body = [p for n, p in net.named_parameters() if not n.startswith(("head", "power"))]
    groups = [{"params": body, "weight_decay": 0.01}, {"params": heads, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98))
    step, spent = 0, 0.0
    if state:
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent"]
    else:
        net.load_pretrained()
        begin_head(net, [tensor(next_of(batches)[0]) for _ in range(max(1, 1280 // BATCH))])
    average = state["average"] if state else {k: v.clone() for k, v in net.state_dict().items()}
    average = {k: v.to(DEVICE) for k, v in average.items()}
    queue = torch.zeros(0, WIDTH, device=DEVICE)
    begun = last = time.time()
    while (share := (spent + time.time() - begun) / asked.seconds) < 1:
        # Up within sixty steps, then down to nothing at the end.
        rate = min(1.0, (step + 1) / 60) * (0.49 * (1 + math.cos(math.pi * share)) + 0.02)
        for group, most in zip(optimiser.param_groups, (RATE, 2 * RATE), strict=True):
            group["lr"] = most * rate
        first, second = next_of(batches)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda"):
            outputs = net(tensor(np.concatenate([first, second])))
        a, b = outputs.float().chunk(2)
        loss, hits = loss_of(a, b, queue)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        with torch.no_grad():
            queue = torch.cat([torch.tanh(a.detach()), queue])[:QUEUE]
            keep = min(0.998, (1 + step) / (10 + step))
            for k, v in net.state_dict().items():
                average[k].lerp_(v, 1 - keep)
        step += 1
        now = time.time()
        if step % 20 == 0:
            print(
                f"{step} {share:.3f} {now - begun:.0f}s loss {loss.item():.3f} hits {hits:.3f}",
                flush=True,
            )
        if now - last > _SAVE_SECONDS:
            last = now
            save(asked.out, net=net.state_dict(), average=average, optimiser=optimiser.state_dict(),
                 step=step, spent=spent + now - begun)  # fmt: skip
    trained = {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(average)  # kept as it is, to go on from
    end_head(net, [tensor(next_of(batches)[0]) for _ in range(6000 // BATCH)])
    save(asked.out, net=trained, average=average, whitened=net.state_dict(),
         optimiser=optimiser.state_dict(), step=step, spent=spent + time.time() - begun)  # fmt: skip
    stop_drawing()


if __name__ == "__main__":
    main()
