"""Quantise a trained network and write it as ONNX: python quantise.py CACHE CHECKPOINT OUT SOURCE... .

Static int8: weights in 7 bits for each output channel (so that sums of two products fit 16 bits on
processors without VNNI), activations in 8 bits with one range each. The ranges are measured on
edited training photos; then, for so many steps, the quantised network learns to answer as the
float one does, which undoes most of the flipped bits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import train
from net import LEAST, Convolution, Network, levelled
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

WEIGHT_MOST = 63  # 7 bits, signed and symmetric
LEVELS = 64  # steps of the input for one, so that 8 bits hold four times the spread to each side
CALIBRATION = 12  # batches that ranges are measured on
OPSET = 17


class Rounded(torch.autograd.Function):
    """To the nearest, halves to even as ONNX does; the gradient passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class Range(nn.Module):
    """The values of one activation as 8 bits: (value / scale + zero), clipped to 0..255."""

    def __init__(self, *, clamped: bool) -> None:
        super().__init__()
        self.clamped = clamped  # between 0 and 6, so that clipping does what ReLU6 does
        self.low, self.high, self.learning = 0.0, 0.0, True
        self.scale, self.zero = 1.0, 0

    def forward(self, x: Tensor) -> Tensor:
        if self.learning:
            if self.clamped:
                x = functional.relu6(x)
            ends = torch.quantile(
                x.detach().float().flatten()[:: max(1, x.numel() // 1_000_000)],
                torch.tensor([0.00002, 0.99998]),
            )
            self.low, self.high = min(self.low, float(ends[0])), max(self.high, float(ends[1]))
            return x
        q = torch.clamp(Rounded.apply(x / self.scale) + self.zero, 0, 255)
        return (q - self.zero) * self.scale

    def fix(self) -> None:
        self.learning = False
        self.scale = max(self.high - self.low, 1e-3) / 255
        self.zero = round(-self.low / self.scale)


def weight_scale(weight: Tensor) -> Tensor:
    return weight.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-3) / WEIGHT_MOST


class Quantised(nn.Module):
    """The network as it will run, with gradients."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net
        self.order: list[tuple[Convolution, bool]] = [(net.stem, True)]
        for block in net.blocks:
            self.order += [(block.expand, True)] * (block.expand is not None) + [
                (block.depthwise, True),
                (block.project, False),
            ]
        self.order.append((net.top, True))
        self.ranges = nn.ModuleList(Range(clamped=clamped) for _, clamped in self.order)
        self.sums = nn.ModuleList(Range(clamped=False) for block in net.blocks if block.skip)

    def convolve(self, index: int, x: Tensor) -> Tensor:
        layer, _ = self.order[index]
        keep, scale = layer.weight, weight_scale(layer.weight)
        quantised = Rounded.apply(keep / scale).clamp(-WEIGHT_MOST, WEIGHT_MOST) * scale
        if self.ranges[index].learning:
            quantised = keep
        y = layer.apply_with(x, quantised)
        return self.ranges[index](y)

    def forward(self, x: Tensor) -> Tensor:
        x = levelled(x)
        if not self.ranges[0].learning:
            x = torch.clamp(torch.round(x * LEVELS), -128, 127) / LEVELS
        x = self.convolve(0, x)
        at, sums = 1, iter(self.sums)
        for block in self.net.blocks:
            y = x
            for _ in range(2 + (block.expand is not None)):
                y = self.convolve(at, y)
                at += 1
            x = next(sums)(x + y) if block.skip else y
        return self.net.finish(self.convolve(at, x))


def learn(model: Quantised, teacher: Network, batches: Any, steps: int) -> None:
    """Make the quantised network answer as the float one does."""
    optimiser = torch.optim.Adam(model.net.parameters(), lr=1e-4)
    began = time.time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-4 * (1 - step / steps) * min(1, (step + 1) / 10)
        x = torch.cat([train.tensor(p) for p in train.next_of(batches)])
        with torch.no_grad():
            wanted = torch.tanh(teacher(x))
        said = torch.tanh(model(x))
        loss = functional.mse_loss(said, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 0:
            flips = float(((said > 0) != (wanted > 0)).float().sum(1).mean())
            print(
                f"quantised {step} {time.time() - began:.0f}s loss {float(loss.detach()):.4f} flips {flips:.1f}",
                flush=True,
            )


class Writer:
    """Nodes and constants of the graph, under running names."""

    def __init__(self, *, exact: bool) -> None:
        self.exact = exact  # in floats
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def quantised(self, x: str, range_: Range) -> tuple[str, float]:
        if self.exact:
            ends = (self.constant(np.float32(0)), self.constant(np.float32(6)))
            return self.node("Clip", x, *ends) if range_.clamped else x, 1.0
        scale, zero = self.constant(np.float32(range_.scale)), self.constant(np.uint8(range_.zero))
        return self.node(
            "DequantizeLinear", self.node("QuantizeLinear", x, scale, zero), scale, zero
        ), range_.scale

    def convolution(
        self, x: str, x_scale: float, layer: Convolution, range_: Range
    ) -> tuple[str, float]:
        before = (layer.kernel - layer.stride) // 2
        after = layer.kernel - layer.stride - before
        pads = [before, before, after, after] if layer.stride > 1 else [layer.kernel // 2] * 4
        shape = {
            "group": layer.groups,
            "strides": [layer.stride] * 2,
            "pads": pads,
            "kernel_shape": [layer.kernel] * 2,
        }
        if self.exact:
            constants = [
                self.constant(v.detach().contiguous().numpy()) for v in (layer.weight, layer.bias)
            ]
            return self.quantised(self.node("Conv", x, *constants, **shape), range_)
        scale = weight_scale(layer.weight)
        w = (
            torch.round(layer.weight.detach() / scale)
            .clamp(-WEIGHT_MOST, WEIGHT_MOST)
            .numpy()
            .astype(np.int8)
        )
        scales = scale.flatten().numpy().astype(np.float32)
        weight = self.node(
            "DequantizeLinear",
            self.constant(w),
            self.constant(scales),
            self.constant(np.zeros(len(scales), np.int8)),
            axis=0,
        )
        both = (scales * np.float32(x_scale)).astype(np.float32)
        b = np.round(layer.bias.detach().numpy() / both).astype(np.int32)
        bias = self.node(
            "DequantizeLinear",
            self.constant(b),
            self.constant(both),
            self.constant(np.zeros(len(both), np.int32)),
            axis=0,
        )
        return self.quantised(self.node("Conv", x, weight, bias, **shape), range_)


def write(model: Quantised, path: Path, side: int, *, exact: bool = False) -> None:
    """Write the ONNX file: bytes (n, side, side, 3) in, (n, bits) float32 out."""
    to, net = Writer(exact=exact), model.net
    plain = to.constant(np.float32(1)), to.constant(np.uint8(0))
    x = to.node("DequantizeLinear", to.node("Transpose", "pixels", perm=[0, 3, 1, 2]), *plain)
    x = to.node("Sub", x, to.node("GlobalAveragePool", x))
    spread = to.node("GlobalAveragePool", to.node("Mul", x, x))
    spread = to.node("Add", spread, to.constant(np.float32(LEAST)))
    spread = to.node("Pow", spread, to.constant(np.float32(0.5)))
    x = to.node("Div", x, to.node("Mul", spread, to.constant(np.float32(2))))
    if not exact:
        step, zero = to.constant(np.float32(1 / LEVELS)), to.constant(np.uint8(128))
        x = to.node("DequantizeLinear", to.node("QuantizeLinear", x, step, zero), step, zero)
    ranges, sums = iter(model.ranges), iter(model.sums)
    x, scale = to.convolution(x, 1 / LEVELS, net.stem, next(ranges))
    for block in net.blocks:
        y, y_scale = x, scale
        for layer in (block.expand, block.depthwise, block.project):
            if layer is not None:
                y, y_scale = to.convolution(y, y_scale, layer, next(ranges))
        x, scale = to.quantised(to.node("Add", x, y), next(sums)) if block.skip else (y, y_scale)
    x, _ = to.convolution(x, scale, net.top, next(ranges))
    power = float(net.power.detach())
    x = to.node("Clip", x, to.constant(np.float32(1e-4)))
    x = to.node(
        "Pow",
        to.node("GlobalAveragePool", to.node("Pow", x, to.constant(np.float32(power)))),
        to.constant(np.float32(1 / power)),
    )
    x = to.node("Flatten", x)
    to.nodes.append(
        helper.make_node(
            "Gemm",
            [
                x,
                to.constant(net.head.weight.detach().numpy()),
                to.constant(net.head.bias.detach().numpy()),
            ],
            ["outputs"],
            transB=1,
        )
    )
    bits = net.head.out_features
    graph = helper.make_graph(
        to.nodes, "doorsill",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["n", bits])], to.constants)  # fmt: skip
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(file)
    data = file.SerializeToString()
    path.write_bytes(data)
    config = {
        "name": path.resolve().parent.name,
        "side": side,
        "bits": bits,
        "model": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (path.parent / "config.json").write_text(json.dumps(config, indent=2) + "\n")  # see finish.py


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path, help="model.onnx; config.json is written beside it")
    parser.add_argument("source", nargs="+", help="as for train.py")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--side", type=int, default=train.SIDE)
    parser.add_argument(
        "--exact", action="store_true", help="write the float network instead, to compare with"
    )
    asked = parser.parse_args()
    train.DEVICE, train.SIDE = torch.device("cpu"), asked.side
    torch.set_num_threads(os.cpu_count() or 1)
    state = torch.load(asked.checkpoint, weights_only=True, map_location="cpu")
    if "whitened" not in state:
        raise SystemExit(f"{asked.checkpoint}: not trained to its end; run train.py again")
    state = state["whitened"]
    net, teacher = Network(train.WIDTH), Network(train.WIDTH)
    net.load_state_dict(state)
    teacher.load_state_dict(state)
    model = Quantised(net.to(memory_format=torch.channels_last))
    if not asked.exact:
        batches = train.start_drawing(train.sources_of(asked.cache, asked.source), 99)
        with torch.no_grad():
            for _ in range(CALIBRATION):
                model(torch.cat([train.tensor(p) for p in train.next_of(batches)]))
            for range_ in (*model.ranges, *model.sums):
                range_.fix()
        learn(model, teacher, batches, asked.steps)
    write(model, asked.out, asked.side, exact=asked.exact)
    print(f"{asked.out}: {asked.out.stat().st_size} bytes", flush=True)
    train.stop_drawing()


if __name__ == "__main__":
    main()
