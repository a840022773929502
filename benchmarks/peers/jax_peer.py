"""JAX, jitted, waiting for each result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from workloads import EPSILON, PRODUCTS, Array, Training, Workload

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": lambda x: jax.nn.gelu(x, approximate=False)}


def version() -> str:
    return jax.__version__


def forward(workload: Workload, parameters: dict[str, Any], x: Any) -> Any:
    values = {"x": x}
    for step in workload.steps:
        source = values[step.inputs[0]]
        if step.op == "dense":
            kernel, bias = parameters[step.output]
            y = source @ kernel + bias
            if step.activation:
                y = ACTIVATIONS[step.activation](y)
        elif step.op in PRODUCTS:
            kernel, bias = parameters[step.output]
            groups = 1
            if step.op == "depthwise":
                kernel, groups = kernel[:, :, None], source.shape[-1]
            y = jax.lax.conv_general_dilated(
                source,
                kernel,
                (step.stride, step.stride),
                "SAME",
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
                feature_group_count=groups,
            )
            y = y + bias
            if step.activation:
                y = ACTIVATIONS[step.activation](y)
        elif step.op == "batch_norm":
            gamma, beta, mean, variance = parameters[step.output]
            y = (source - mean) * (gamma / jnp.sqrt(variance + EPSILON)) + beta
        elif step.op == "add":
            y = source + values[step.inputs[1]]
        else:
            y = ACTIVATIONS[step.op](source)
        values[step.output] = y
    return values[workload.result]


def parameters_of(workload: Workload) -> dict[str, Any]:
    return {step.output: tuple(map(jnp.asarray, step.arrays)) for step in workload.steps if step.arrays}


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    parameters, rows = parameters_of(workload), jnp.asarray(x)
    # Weights closed over become constants of the compiled program; very large ones are passed instead.
    if workload.weight_bytes < 16_000_000:
        compiled = jax.jit(lambda rows: forward(workload, parameters, rows)).lower(rows).compile()
        return {"jax": lambda: compiled(rows).block_until_ready()}
    compiled = jax.jit(lambda parameters, rows: forward(workload, parameters, rows)).lower(parameters, rows).compile()
    return {"jax": lambda: compiled(parameters, rows).block_until_ready()}


def train(training: Training, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    workload, b1, b2 = training.workload, training.beta1, training.beta2

    def step(state: Any, x: Any, y: Any) -> Any:
        parameters, first, second, count = state
        loss, gradient = jax.value_and_grad(lambda p: jnp.mean((forward(workload, p, x) - y) ** 2))(parameters)
        count = count + 1
        rate = training.learning_rate * jnp.sqrt(1 - b2**count) / (1 - b1**count)
        first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradient)
        second = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, second, gradient)
        parameters = jax.tree.map(
            lambda p, m, s: p - rate * m / (jnp.sqrt(s) + training.epsilon), parameters, first, second
        )
        return (parameters, first, second, count), loss

    parameters = parameters_of(workload)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(0))
    compiled = jax.jit(step, donate_argnums=0)
    inputs, targets = jnp.asarray(x), jnp.asarray(y)

    def call() -> float:
        nonlocal state
        state, loss = compiled(state, inputs, targets)
        return float(loss)

    return {"jax": call}


def overheads() -> dict[str, tuple[Callable[[], Any], int]]:
    a, b = jnp.ones((1, 1)), jnp.ones((1, 1))
    return {"eager add 1x1": (lambda: jnp.add(a, b).block_until_ready(), 1)}
