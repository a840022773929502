"""layernet, through its public interface."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import layernet as ln
from workloads import EPSILON, Array, Training, Workload

ln.set_num_threads(1)


def version() -> str:
    return ln.__version__


class Net(ln.Network):
    def __init__(self, workload: Workload) -> None:
        super().__init__(name=workload.name)
        self.workload = workload
        self.parts = {}
        for step in workload.steps:
            if step.op == "dense":
                layer = ln.layers.Dense(step.arrays[0].shape[1], activation=step.activation)
            elif step.op == "conv":
                size, _, _, filters = step.arrays[0].shape
                layer = ln.layers.Conv2D(filters, size, step.stride, "same", activation=step.activation)
            elif step.op == "depthwise":
                layer = ln.layers.DepthwiseConv2D(
                    step.arrays[0].shape[0], step.stride, "same", activation=step.activation
                )
            elif step.op == "batch_norm":
                layer = ln.layers.BatchNormalization(epsilon=EPSILON)
            else:
                continue
            self.parts[step.output] = self.track_layer(layer)

    def call(self, inputs: Any) -> Any:
        values = {"x": inputs}
        for step in self.workload.steps:
            source = values[step.inputs[0]]
            if step.op == "add":
                values[step.output] = source + values[step.inputs[1]]
            elif step.op == "relu":
                values[step.output] = ln.nn.relu(source)
            else:
                values[step.output] = self.parts[step.output](source)
        return values[self.workload.result]


def network(workload: Workload) -> Net:
    ln.reset_naming()  # each batch size makes a network of the workload's name anew
    net = Net(workload)
    net(np.zeros((1, *workload.shape), np.float32))
    for step in workload.steps:
        if step.arrays:
            kernel, *others = step.arrays
            net.parts[step.output].set_weights([kernel[..., None] if step.op == "depthwise" else kernel, *others])
    return net


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    net = network(workload)
    predictor = ln.Predictor(net)
    predict = predictor.predict
    result = np.empty((len(x), *workload.result_shape), np.float32)
    types = () if workload.images else ("bfloat16", "int8")  # kernels of convolutions are kept in float32
    small = {f"layernet {weights}": ln.Predictor(net, weights=weights).predict for weights in types}
    return {
        "layernet": lambda: predict(x),
        "layernet out=": lambda: predict(x, out=result),
        "layernet eager": lambda: net(x),
        **{name: partial(call, x) for name, call in small.items()},
    }


def train(training: Training, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    def optimizer() -> Any:
        return ln.optimizers.Adam(training.learning_rate, training.beta1, training.beta2, training.epsilon)

    net, adam = network(training.workload), optimizer()
    inputs, targets = ln.constant(x), ln.constant(y)

    def tape() -> float:
        with ln.GradientTape() as record:
            loss = ln.losses.mean_squared_error(targets, net(inputs))
        variables = net.trainable_variables
        adam.apply_gradients(zip(record.gradient(loss, variables), variables, strict=True))
        return float(loss)

    calls = {"layernet tape": tape}
    if hasattr(ln, "TrainStep"):
        step = ln.TrainStep(network(training.workload), ln.losses.mean_squared_error, optimizer())
        calls["layernet"] = lambda: float(step(x, y))
    return calls


def overheads() -> dict[str, tuple[Callable[[], Any], int]]:
    a, b = (ln.constant(np.ones((1, 1), np.float32)) for _ in range(2))
    count = 100

    def recorded() -> Any:
        with ln.GradientTape() as tape:
            tape.watch(a)
            y = a
            for _ in range(count):
                y = ln.add(y, b)
        return y

    return {"eager add 1x1": (lambda: ln.add(a, b), 1), "recorded add 1x1": (recorded, count)}
