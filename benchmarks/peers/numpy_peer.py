"""NumPy by hand: preallocated results, in-place passes; the training step keeps all parameters in one flat vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workloads import EPSILON, Array, Step, Training, Workload

try:
    from scipy.special import erf
except ImportError:
    erf = None


def version() -> str:
    return np.__version__


def activate(name: str | None, x: Array) -> None:
    """Apply the activation in place."""
    if name == "relu":
        np.maximum(x, 0, out=x)
    elif name == "tanh":
        np.tanh(x, out=x)
    elif name == "gelu":
        factor = erf(x * np.float32(0.5**0.5))
        factor += 1
        factor *= np.float32(0.5)
        x *= factor


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    if workload.images or (erf is None and any(step.activation == "gelu" for step in workload.steps)):
        return {}
    values: dict[str, Array] = {"x": x}
    for step in workload.steps:
        width = step.arrays[0].shape[-1] if step.arrays else values[step.inputs[0]].shape[1]
        values[step.output] = np.empty((len(x), width), np.float32)
    norms = {}
    for step in workload.steps:
        if step.op == "batch_norm":
            gamma, beta, mean, variance = step.arrays
            scale = gamma / np.sqrt(variance + np.float32(EPSILON))
            norms[step.output] = (scale, beta - mean * scale)

    def run(step: Step) -> None:
        source, y = values[step.inputs[0]], values[step.output]
        if step.op == "dense":
            np.dot(source, step.arrays[0], out=y)
            y += step.arrays[1]
            activate(step.activation, y)
        elif step.op == "batch_norm":
            scale, shift = norms[step.output]
            np.multiply(source, scale, out=y)
            y += shift
        elif step.op == "add":
            np.add(source, values[step.inputs[1]], out=y)
        elif step.op == "relu":
            np.maximum(source, 0, out=y)

    result = values[workload.result]
    steps = workload.steps

    def call() -> Array:
        for step in steps:
            run(step)
        return result

    if all(step.op == "dense" for step in steps):
        layers = [(values[s.inputs[0]], *s.arrays, values[s.output], s.activation) for s in steps]

        def dense_call() -> Array:
            for source, kernel, bias, y, activation in layers:
                np.dot(source, kernel, out=y)
                y += bias
                activate(activation, y)
            return result

        return {"numpy": dense_call}
    return {"numpy": call}


def train(training: Training, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    steps = training.workload.steps
    arrays = [array for step in steps for array in step.arrays]
    size = sum(array.size for array in arrays)
    parameters, gradient, first, second, update = (np.zeros(size, np.float32) for _ in range(5))
    weights, gradients = [], []
    start = 0
    for array in arrays:
        piece = slice(start, start + array.size)
        parameters[piece] = array.ravel()
        weights.append(parameters[piece].reshape(array.shape))
        gradients.append(gradient[piece].reshape(array.shape))
        start += array.size
    layers = [
        (weights[2 * i], weights[2 * i + 1], gradients[2 * i], gradients[2 * i + 1], s.activation)
        for i, s in enumerate(steps)
    ]
    outputs = [np.empty((len(x), step.arrays[0].shape[1]), np.float32) for step in steps]
    deltas = [np.empty_like(output) for output in outputs]
    count = 0

    def call() -> float:
        nonlocal count
        source = x
        for (kernel, bias, _, _, activation), output in zip(layers, outputs, strict=True):
            np.dot(source, kernel, out=output)
            np.add(output, bias, out=output)
            activate(activation, output)
            source = output
        delta = np.subtract(source, y, out=deltas[-1])
        loss = float(np.dot(delta.ravel(), delta.ravel())) / delta.size
        delta *= np.float32(2 / delta.size)
        for index in range(len(layers) - 1, -1, -1):
            kernel, _, kernel_gradient, bias_gradient, activation = layers[index]
            output = outputs[index]
            if activation == "tanh":
                np.multiply(output, output, out=output)
                np.subtract(1, output, out=output)
                delta *= output
            elif activation == "relu":
                delta *= output > 0
            np.dot((outputs[index - 1] if index else x).T, delta, out=kernel_gradient)
            np.sum(delta, axis=0, out=bias_gradient)
            if index:
                delta = np.dot(delta, kernel.T, out=deltas[index - 1])
        count += 1
        b1, b2 = training.beta1, training.beta2
        rate = training.learning_rate * (1 - b2**count) ** 0.5 / (1 - b1**count)
        first.__imul__(np.float32(b1))
        np.multiply(gradient, np.float32(1 - b1), out=update)
        first.__iadd__(update)
        np.multiply(gradient, gradient, out=update)
        update.__imul__(np.float32(1 - b2))
        second.__imul__(np.float32(b2))
        second.__iadd__(update)
        np.sqrt(second, out=update)
        update.__iadd__(np.float32(training.epsilon))
        np.divide(first, update, out=update)
        update.__imul__(np.float32(rate))
        np.subtract(parameters, update, out=parameters)
        return loss

    return {"numpy": call}


def overheads() -> dict[str, tuple[Callable[[], Any], int]]:
    a, b = np.ones((1, 1), np.float32), np.ones((1, 1), np.float32)
    return {"eager add 1x1": (lambda: np.add(a, b), 1)}
