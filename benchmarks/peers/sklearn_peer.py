"""scikit-learn's MLPRegressor: plain MLPs with one hidden activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor

from workloads import Array, Training, Workload


def version() -> str:
    return sklearn.__version__


def regressor(workload: Workload, **settings: Any) -> MLPRegressor | None:
    hidden = workload.steps[:-1]
    activations = {step.activation for step in hidden}
    if (
        any(step.op != "dense" for step in workload.steps)
        or not activations <= {"relu", "tanh"}
        or len(activations) != 1
    ):
        return None
    widths = tuple(step.arrays[0].shape[1] for step in hidden)
    model = MLPRegressor(hidden_layer_sizes=widths, activation=activations.pop(), alpha=0.0, **settings)
    units = workload.steps[-1].arrays[0].shape[1]
    model.partial_fit(
        np.zeros((2, workload.features), np.float32), np.zeros((2, units) if units > 1 else 2, np.float32)
    )
    model.coefs_ = [step.arrays[0].copy() for step in workload.steps]
    model.intercepts_ = [step.arrays[1].copy() for step in workload.steps]
    return model


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    model = regressor(workload)
    if model is None:
        return {}
    return {"sklearn": lambda: model.predict(x).reshape(len(x), -1)}


def train(training: Training, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    """Its loss is half the mean squared error; a step costs the same."""
    model = regressor(training.workload, learning_rate_init=training.learning_rate, batch_size=training.batch)
    if model is None:
        return {}
    # The optimizer of the first partial_fit points at the arrays that were replaced: it makes a new one.
    del model._optimizer
    targets = y[:, 0] if y.shape[1] == 1 else y

    def call() -> float:
        model.partial_fit(x, targets)
        return 2 * model.loss_

    return {"sklearn": call}
