"""Train the network: python train.py CACHE OUT [seconds]. Goes on from OUT if that exists."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from edits import edited, lightly
from net import Network

SIDE, WIDTH, BATCH = 160, 256, 32
QUEUE = 4096
TEMPERATURE = 0.06
RATE = 3e-4


def squashed(im: Image.Image) -> np.ndarray:
    box = im.width > 2 * SIDE or im.height > 2 * SIDE
    return np.asarray(im.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX if box else Image.Resampling.BILINEAR))


def draw(cache: str, seed: int, out: "multiprocessing.Queue[tuple[np.ndarray, np.ndarray]]") -> None:
    os.nice(2)
    r = random.Random(seed)
    sources = []
    for path in sorted(Path(cache).glob("*-240.npy")):
        if "caltech" in path.name:
            continue  # the test's
        sources.append((np.load(path, mmap_mode="r"), np.load(str(path).replace("240.npy", "240-aspect.npy"))))

    def photo(pixels: np.ndarray, aspects: np.ndarray, number: int) -> Image.Image:
        im = Image.fromarray(np.asarray(pixels[number]))
        a = float(aspects[number])
        return im.resize((max(60, int(240 * a)), 240) if a < 1 else (240, max(60, int(240 / a))))

    while True:
        pixels, aspects = r.choices(sources, [len(s[0]) ** 0.75 for s in sources])[0]
        start = r.randrange(len(pixels))
        if r.random() < 0.5:  # neighbours in the archive: often the same scene, the hard negatives
            span = range(start, min(start + 3 * BATCH, len(pixels)))
            numbers = r.sample(span, BATCH) if len(span) >= BATCH else r.sample(range(len(pixels)), BATCH)
        else:
            numbers = r.sample(range(len(pixels)), BATCH)
        first, second = [], []
        for number in numbers:
            im = photo(pixels, aspects, number)
            other = photo(pixels, aspects, r.randrange(len(pixels)))
            first.append(squashed(lightly(im, r)))
            second.append(squashed(edited(im, r, other)))
        out.put((np.stack(first), np.stack(second)))


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def whiten(net: Network, batches: list[torch.Tensor]) -> None:
    """Set the head to the principal axes of the features, each scaled to one."""
    with torch.no_grad():
        f = torch.cat([net.pooled(b) for b in batches])
        mean = f.mean(0)
        _, s, v = torch.linalg.svd(f - mean, full_matrices=False)
        scale = s[:WIDTH] / len(f) ** 0.5
        # A random turn spreads the strong axes over all bits.
        q = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(1)))[0]
        w = q @ (v[:WIDTH] / (scale[:, None] + 0.05 * scale[0]))
        net.head.weight.copy_(w)
        net.head.bias.copy_(-w @ mean)


class Signs(torch.autograd.Function):
    """Sign, with the gradient of a hard tanh."""

    @staticmethod
    def forward(ctx, x):  # noqa: ANN
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, grad):  # noqa: ANN
        (x,) = ctx.saved_tensors
        return grad * (x.abs() < 1.5)


def loss_of(a: torch.Tensor, b: torch.Tensor, queue: torch.Tensor, hard: float) -> tuple[torch.Tensor, dict[str, float]]:
    """a, b: outputs for the listed pictures and their edits; queue: earlier codes of listed ones."""
    soft = [torch.tanh(x) for x in (a, b)]
    if hard:
        soft = [(1 - hard) * s + hard * Signs.apply(x) for s, x in zip(soft, (a, b), strict=True)]
    u, v = (functional.normalize(x) for x in soft)
    targets = torch.arange(len(u))
    with_queue = torch.cat([u, functional.normalize(queue)]) if len(queue) else u
    # From the edit to the listed ones, and back among the batch's own.
    forth = functional.cross_entropy(v @ with_queue.T / TEMPERATURE, targets)
    back = functional.cross_entropy(u @ v.T / TEMPERATURE, targets)
    x = torch.cat(soft)
    everything = torch.cat([x, queue]) if len(queue) else x
    balance = x.mean(0).pow(2).mean()
    centred = everything - everything.mean(0).detach()
    c = centred.T @ centred / len(centred)
    off = (c - torch.diag(torch.diag(c))).pow(2).sum() / WIDTH
    far = (x.abs() - 1).pow(2).mean()
    similar = (u @ u.T - 2 * torch.eye(len(u))).max(1).values
    spread = -torch.log((1 - similar).clamp(min=1e-3)).mean()  # KoLeo
    loss = forth + back + 4 * balance + 0.08 * off + 0.1 * far + 0.1 * spread
    hits = (v @ with_queue.T).argmax(1).eq(targets).float().mean()
    return loss, {"forth": float(forth), "back": float(back), "off": float(off), "far": float(far), "hits": float(hits)}


def main() -> None:
    cache, out, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 6000
    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    net = Network(WIDTH)
    q: multiprocessing.Queue = multiprocessing.Queue(16)
    seed = 1
    if out.exists():
        seed = int(time.time())
    drawer = multiprocessing.Process(target=draw, args=(cache, seed, q), daemon=True)
    drawer.start()
    net = net.to(memory_format=torch.channels_last)
    heads = [p for n, p in net.named_parameters() if n.startswith(("head", "power"))]
    body = [p for n, p in net.named_parameters() if not n.startswith(("head", "power"))]
    optimiser = torch.optim.AdamW([{"params": body, "lr": RATE, "weight_decay": 0.01}, {"params": heads, "lr": 2 * RATE, "weight_decay": 0.0}], betas=(0.9, 0.98))
    step, spent = 0, 0.0
    if out.exists():
        state = torch.load(out, weights_only=True)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent"]
    else:
        net.load_pretrained()
        whiten(net, [tensor(q.get()[0]) for _ in range(40)])
    average = {k: v.clone() for k, v in net.state_dict().items()}
    if out.exists():
        average = state["average"]
    queue = torch.zeros(0, WIDTH)
    begun = last = time.time()
    while True:
        now = time.time()
        share = (spent + now - begun) / seconds
        if share >= 1:
            break
        # Up within a minute, then down to nothing at the end.
        rise = min(1.0, (step + 1) / 60)
        fall = 0.5 * (1 + np.cos(np.pi * share)) * 0.98 + 0.02
        for group, rate in zip(optimiser.param_groups, (RATE, 2 * RATE), strict=True):
            group["lr"] = rate * rise * fall
        first, second = q.get()
        both = net(tensor(np.concatenate([first, second])))
        a, b = both.chunk(2)
        hard = min(0.8, max(0.0, (share - 0.25) * 1.6))
        loss, said = loss_of(a, b, queue, hard)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        with torch.no_grad():
            queue = torch.cat([torch.tanh(a.detach()), queue])[:QUEUE]
            keep = min(0.998, (1 + step) / (10 + step))
            for k, v in net.state_dict().items():
                average[k].lerp_(v, 1 - keep) if v.dtype.is_floating_point else average[k].copy_(v)
        step += 1
        if step % 20 == 0:
            print(f"{step} {share:.3f} {time.time() - begun:.0f}s waiting {q.qsize()} loss {float(loss):.3f} " + " ".join(f"{k} {v:.3f}" for k, v in said.items()), flush=True)
        if time.time() - last > 240:
            last = time.time()
            save(out, net, average, optimiser, step, spent + last - begun)
    save(out, net, average, optimiser, step, spent + time.time() - begun)
    os._exit(0)


def save(out: Path, net: Network, average: dict, optimiser: torch.optim.Optimizer, step: int, spent: float) -> None:
    fresh = out.with_suffix(".new")
    torch.save({"net": net.state_dict(), "average": average, "optimiser": optimiser.state_dict(), "step": step, "spent": spent}, fresh)
    fresh.replace(out)


if __name__ == "__main__":
    main()
