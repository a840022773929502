"""The networks, batches and training steps that every library is measured on, as plain arrays and short lists.

A network is a list of `Step`s on named values; each library's file in `peers/` builds its own form from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
EPSILON = 1e-3  # of batch normalization


@dataclass(frozen=True)
class Step:
    """`output = op(*inputs)`: op is dense (with `activation`), batch_norm, add or an activation."""

    op: str
    inputs: tuple[str, ...]
    output: str
    arrays: tuple[Array, ...] = ()
    activation: str | None = None


@dataclass
class Workload:
    """A network with fixed weights. Its input is the value "x", its result the output of the last step."""

    name: str
    features: int
    batches: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)

    @property
    def result(self) -> str:
        return self.steps[-1].output

    @property
    def flops(self) -> int:
        """Floating-point operations of the matrix products for one row."""
        return sum(2 * step.arrays[0].size for step in self.steps if step.op == "dense")

    @property
    def weight_bytes(self) -> int:
        return sum(array.nbytes for step in self.steps for array in step.arrays)

    def rows(self, batch: int) -> Array:
        return np.random.default_rng(batch).standard_normal((batch, self.features), dtype=np.float32)


class Builder:
    """Appends steps with seeded weights; the scale keeps values of order one through the depth."""

    def __init__(self, name: str, features: int, batches: tuple[int, ...]) -> None:
        self.workload = Workload(name, features, batches)
        self.random = np.random.default_rng(len(name) * 1000 + features)
        self.width = {"x": features}

    def step(
        self,
        op: str,
        inputs: tuple[str, ...],
        width: int,
        arrays: tuple[Array, ...] = (),
        activation: str | None = None,
    ) -> str:
        output = f"v{len(self.workload.steps)}"
        self.workload.steps.append(Step(op, inputs, output, arrays, activation))
        self.width[output] = width
        return output

    def dense(self, x: str, units: int, activation: str | None = None) -> str:
        kernel = self.random.standard_normal((self.width[x], units), dtype=np.float32) * np.float32(
            self.width[x] ** -0.5
        )
        bias = self.random.standard_normal(units, dtype=np.float32) * np.float32(0.1)
        return self.step("dense", (x,), units, (kernel, bias), activation)

    def batch_norm(self, x: str) -> str:
        width = self.width[x]
        gamma, variance = (self.random.uniform(0.5, 1.5, width).astype(np.float32) for _ in range(2))
        beta, mean = (self.random.standard_normal(width, dtype=np.float32) * np.float32(0.1) for _ in range(2))
        return self.step("batch_norm", (x,), width, (gamma, beta, mean, variance))


def mlp(name: str, widths: tuple[int, ...], activation: str, batches: tuple[int, ...]) -> Workload:
    """Dense layers of these widths; the last one is linear."""
    builder = Builder(name, widths[0], batches)
    x = "x"
    for units in widths[1:-1]:
        x = builder.dense(x, units, activation)
    builder.dense(x, widths[-1])
    return builder.workload


def residual(batches: tuple[int, ...]) -> Workload:
    """128-256, four blocks x = relu(x + bn(dense(relu(bn(dense(x)))))), then 256-10."""
    builder = Builder("residual", 128, batches)
    x = builder.dense("x", 256, "relu")
    for _ in range(4):
        y = builder.batch_norm(builder.dense(x, 256))
        y = builder.step("relu", (y,), 256)
        y = builder.batch_norm(builder.dense(y, 256))
        x = builder.step("relu", (builder.step("add", (x, y), 256),), 256)
    builder.dense(x, 10)
    return builder.workload


def preactivation(batches: tuple[int, ...]) -> Workload:
    """128-256, four blocks x = x + dense(relu(bn(dense(relu(bn(x)))))), then relu(bn(x)) and 256-10."""
    builder = Builder("preactivation", 128, batches)
    x = builder.dense("x", 256)
    for _ in range(4):
        y = builder.step("relu", (builder.batch_norm(x),), 256)
        y = builder.dense(y, 256)
        y = builder.step("relu", (builder.batch_norm(y),), 256)
        x = builder.step("add", (x, builder.dense(y, 256)), 256)
    builder.dense(builder.step("relu", (builder.batch_norm(x),), 256), 10)
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
    """The same network with each batch norm multiplied into the dense step before it, as model converters do."""
    folded: list[Step] = []
    for step in steps:
        if step.op == "batch_norm":
            dense = folded.pop()
            assert (dense.op, dense.activation, dense.output) == ("dense", None, step.inputs[0])
            gamma, beta, mean, variance = step.arrays
            scale = gamma / np.sqrt(variance + np.float32(EPSILON))
            arrays = (dense.arrays[0] * scale, (dense.arrays[1] - mean) * scale + beta)
            folded.append(Step("dense", dense.inputs, step.output, arrays))
        else:
            folded.append(step)
    return folded
