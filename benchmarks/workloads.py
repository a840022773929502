"""The networks, batches and training steps that every library is measured on, as plain arrays and short lists.

A network is a list of `Step`s on named values; each library's file in `peers/` builds its own form from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
EPSILON = 1e-3  # of batch normalization


@dataclass(frozen=True)
class Step:
    """`output = op(*inputs)`: op is dense, conv or depthwise (with `activation`), batch_norm, add or an activation.

    Arrays of products are kernel and bias; the kernel of a conv is `[height, width, in, out]`, of a depthwise product
    `[height, width, channels]`. Both pad with zeros to as many positions as there are pixels ("same").
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    arrays: tuple[Array, ...] = ()
    activation: str | None = None
    stride: int = 1
    positions: int = 1  # for each row, at which the kernel is applied


PRODUCTS = ("dense", "conv", "depthwise")


@dataclass
class Workload:
    """A network with fixed weights. Its input is the value "x", its result the output of the last step.

    Rows are vectors, or images `[height, width, channels]`.
    """

    name: str
    shape: tuple[int, ...]  # of a row
    batches: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)
    result_shape: tuple[int, ...] = ()

    @property
    def features(self) -> int:
        return self.shape[-1]

    @property
    def images(self) -> bool:
        return len(self.shape) == 3

    @property
    def result(self) -> str:
        return self.steps[-1].output

    @property
    def flops(self) -> int:
        """Floating-point operations of the products for one row."""
        return sum(2 * step.arrays[0].size * step.positions for step in self.steps if step.op in PRODUCTS)

    @property
    def weight_bytes(self) -> int:
        return sum(array.nbytes for step in self.steps for array in step.arrays)

    def rows(self, batch: int) -> Array:
        return np.random.default_rng(batch).standard_normal((batch, *self.shape), dtype=np.float32)

    def channels_first(self, x: Array) -> Array:
        """Rows as libraries want them that keep the channels of images first."""
        return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if self.images else x

    @property
    def result_shape_channels_first(self) -> tuple[int, ...]:
        *sizes, channels = self.result_shape
        return (channels, *sizes)


class Builder:
    """Appends steps with seeded weights; the scale keeps values of order one through the depth."""

    def __init__(self, name: str, shape: tuple[int, ...], batches: tuple[int, ...]) -> None:
        self.workload = Workload(name, shape, batches)
        self.random = np.random.default_rng(len(name) * 1000 + shape[-1])
        self.shape = {"x": shape}

    def step(
        self,
        op: str,
        inputs: tuple[str, ...],
        shape: tuple[int, ...],
        arrays: tuple[Array, ...] = (),
        activation: str | None = None,
        stride: int = 1,
    ) -> str:
        output = f"v{len(self.workload.steps)}"
        positions = math.prod(shape[:-1])
        self.workload.steps.append(Step(op, inputs, output, arrays, activation, stride, positions))
        self.shape[output] = self.workload.result_shape = shape
        return output

    def weights(self, terms: int, *kernel: int) -> tuple[Array, Array]:
        """Kernel and bias of a product whose sums have so many terms."""
        scale = np.float32(terms**-0.5)
        return (
            self.random.standard_normal(kernel, dtype=np.float32) * scale,
            self.random.standard_normal(kernel[-1], dtype=np.float32) * np.float32(0.1),
        )

    def dense(self, x: str, units: int, activation: str | None = None) -> str:
        width = self.shape[x][-1]
        return self.step("dense", (x,), (units,), self.weights(width, width, units), activation)

    def conv(self, x: str, size: int, filters: int, stride: int = 1, activation: str | None = None) -> str:
        height, width, channels = self.shape[x]
        shape = (-(-height // stride), -(-width // stride), filters)
        weights = self.weights(size * size * channels, size, size, channels, filters)
        return self.step("conv", (x,), shape, weights, activation, stride)

    def depthwise(self, x: str, size: int, stride: int = 1, activation: str | None = None) -> str:
        height, width, channels = self.shape[x]
        shape = (-(-height // stride), -(-width // stride), channels)
        return self.step("depthwise", (x,), shape, self.weights(size * size, size, size, channels), activation, stride)

    def same(self, op: str, *inputs: str) -> str:
        """An op whose result is like its first input."""
        return self.step(op, inputs, self.shape[inputs[0]])

    def batch_norm(self, x: str) -> str:
        width = self.shape[x][-1]
        gamma, variance = (self.random.uniform(0.5, 1.5, width).astype(np.float32) for _ in range(2))
        beta, mean = (self.random.standard_normal(width, dtype=np.float32) * np.float32(0.1) for _ in range(2))
        return self.step("batch_norm", (x,), self.shape[x], (gamma, beta, mean, variance))


def mlp(name: str, widths: tuple[int, ...], activation: str, batches: tuple[int, ...]) -> Workload:
    """Dense layers of these widths; the last one is linear."""
    builder = Builder(name, widths[:1], batches)
    x = "x"
    for units in widths[1:-1]:
        x = builder.dense(x, units, activation)
    builder.dense(x, widths[-1])
    return builder.workload


def residual(batches: tuple[int, ...]) -> Workload:
    """128-256, four blocks x = relu(x + bn(dense(relu(bn(dense(x)))))), then 256-10."""
    builder = Builder("residual", (128,), batches)
    x = builder.dense("x", 256, "relu")
    for _ in range(4):
        y = builder.batch_norm(builder.dense(x, 256))
        y = builder.same("relu", y)
        y = builder.batch_norm(builder.dense(y, 256))
        x = builder.same("relu", builder.same("add", x, y))
    builder.dense(x, 10)
    return builder.workload


def preactivation(batches: tuple[int, ...]) -> Workload:
    """128-256, four blocks x = x + dense(relu(bn(dense(relu(bn(x)))))), then relu(bn(x)) and 256-10."""
    builder = Builder("preactivation", (128,), batches)
    x = builder.dense("x", 256)
    for _ in range(4):
        y = builder.same("relu", builder.batch_norm(x))
        y = builder.dense(y, 256)
        y = builder.same("relu", builder.batch_norm(y))
        x = builder.same("add", x, builder.dense(y, 256))
    builder.dense(builder.same("relu", builder.batch_norm(x)), 10)
    return builder.workload


def images(name: str, shape: tuple[int, ...], product: str, size: int, stride: int = 1) -> Workload:
    """One product of images with as many channels in as out, and relu."""
    builder = Builder(name, shape, (1, 16))
    if product == "depthwise":
        builder.depthwise("x", size, stride, "relu")
    else:
        builder.conv("x", size, shape[-1], stride, "relu")
    return builder.workload


def resnet() -> Workload:
    """Two blocks x = relu(x + bn(conv(relu(bn(conv(x)))))) of 3x3 on 16x16x64."""
    builder = Builder("resnet", (16, 16, 64), (1, 16))
    x = "x"
    for _ in range(2):
        y = builder.same("relu", builder.batch_norm(builder.conv(x, 3, 64)))
        y = builder.batch_norm(builder.conv(y, 3, 64))
        x = builder.same("relu", builder.same("add", x, y))
    return builder.workload


def mobile() -> Workload:
    """Two blocks x = x + conv1x1(depthwise3x3(conv1x1(x))) on 16x16x32, 192 channels within (Sandler et al., 2018)."""
    builder = Builder("mobile", (16, 16, 32), (1, 16))
    x = "x"
    for _ in range(2):
        y = builder.depthwise(builder.conv(x, 1, 192, activation="relu"), 3, activation="relu")
        x = builder.same("add", x, builder.conv(y, 1, 32))
    return builder.workload


def inference() -> list[Workload]:
    return [
        mlp("tiny", (16, 64, 64, 4), "tanh", (1, 8, 64, 1024)),
        mlp("odd", (37, 91, 53, 7), "tanh", (1, 7, 100)),
        mlp("deep", (64,) * 13, "relu", (1, 16, 256)),
        mlp("tabular", (128, 256, 128, 1), "relu", (1, 32, 1024)),
        mlp("recsys", (512, 1024, 512, 256, 1), "relu", (1, 8, 64, 1024)),
        mlp("wide", (1024, 4096, 4096, 1024), "gelu", (1, 16, 256)),
        residual((1, 16, 256)),
        preactivation((1, 16, 256)),
        images("conv3x3", (32, 32, 64), "conv", 3),
        images("conv1x1", (32, 32, 64), "conv", 1),
        # 33: for an even size "same" pads one side only, which PyTorch does in a step of its own.
        images("conv3x3 stride 2", (33, 33, 64), "conv", 3, 2),
        images("depthwise3x3", (32, 32, 64), "depthwise", 3),
        resnet(),
        mobile(),
    ]


@dataclass(frozen=True)
class Training:
    """One step: forward, mean squared error, backward, Adam."""

    workload: Workload
    batch: int
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def targets(self) -> Array:
        units = self.workload.steps[-1].arrays[0].shape[1]
        return np.random.default_rng(self.batch + 1).standard_normal((self.batch, units), dtype=np.float32)


def training() -> list[Training]:
    workloads = {workload.name: workload for workload in inference()}
    cases = [
        ("tiny", 8),
        ("tiny", 32),
        ("tiny", 256),
        ("tabular", 32),
        ("tabular", 256),
        ("recsys", 64),
        ("recsys", 1024),
    ]
    return [Training(workloads[name], batch) for name, batch in cases]


def fold_batch_norm(steps: list[Step]) -> list[Step]:
    """The same network with each batch norm multiplied into the product before it, as model converters do."""
    folded: list[Step] = []
    for step in steps:
        if step.op == "batch_norm":
            product = folded.pop()
            assert (product.op in PRODUCTS, product.activation, product.output) == (True, None, step.inputs[0])
            gamma, beta, mean, variance = step.arrays
            scale = gamma / np.sqrt(variance + np.float32(EPSILON))
            arrays = (product.arrays[0] * scale, (product.arrays[1] - mean) * scale + beta)
            folded.append(replace(product, output=step.output, arrays=arrays))
        else:
            folded.append(step)
    return folded
