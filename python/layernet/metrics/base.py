"""What metric objects share: a state of variables, changed by ops, so that a traced step updates it as well.

States are float64: a count in float32 would stop at 16.7 million rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from layernet import _core, symbolic
from layernet.config import Configurable
from layernet.losses import _NO_CLASS, _weights
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops
from layernet.variable import Variable

__all__ = ["Metric", "complement", "first_of_rows", "highest", "number", "quotient", "row_weights"]


class Metric(Configurable):
    """What all metric objects share: a state that batches change, and a result that is read off it.

    A subclass makes its state with `add_variable`, and defines `update_state` and `result` from ops.

    Args:
        name: What the metric is called in histories; None (default) derives it from the class: "mean_squared_error".

    Attributes:
        variables: The state.

    Example:
        >>> import layernet as ln
        >>> class Highest(ln.metrics.Metric):
        ...     def __init__(self, name="highest"):
        ...         super().__init__(name)
        ...         self.value = self.add_variable()
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ln.maximum(self.value, ln.cast(ln.reduce_max(y_pred), "float64")))
        ...     def result(self):
        ...         return ln.identity(self.value)
        >>> metric = Highest()
        >>> metric.update_state([0.0, 0.0], [1.0, 3.0])
        >>> float(metric.result())
        3.0
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        self.variables: list[Variable] = []

    def add_variable(self, shape: Sequence[int] = (), name: str = "state") -> Variable:
        """A part of the state: float64, 0 at first and after `reset_state`.

        Args:
            shape: Default a single number.
            name: Default "state".
        """
        state = Variable(np.zeros(shape), trainable=False, name=f"{self.name}/{name}")
        self.variables.append(state)
        return state

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch.

        Args:
            args, kwargs: `y_true, y_pred, sample_weight=None`: targets, predictions, and one number per row, which None
                means to be 1. `Mean` and `Sum` take `values, sample_weight=None`.

        Raises:
            ShapeError: Shapes that do not agree.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected the metric to define update_state. Define it.")

    def result(self) -> Tensor:
        """The value for all batches since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__}: expected the metric to define result. Define it.")

    def reset_state(self) -> None:
        """Forget all batches."""
        with symbolic.eagerly():
            for state in self.variables:
                state.assign(np.zeros(state.shape))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """`update_state`, then `result`."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def number(value: Any) -> Tensor:
    """The value as float64, the type of states."""
    return value if value.dtype is _core.float64 else _ops.cast(value, dtype=_core.float64)


def complement(value: Tensor) -> Tensor:
    """1 - value."""
    return _ops.affine(value, scale=-1.0, shift=1.0)


def quotient(a: Any, b: Any) -> Tensor:
    """a / b, and 0 where b is 0."""
    none = _ops.equal(b, 0.0)
    return _ops.where(none, _ops.zeros_like(b), _ops.divide(a, _ops.where(none, _ops.ones_like(b), b)))


def highest(values: Tensor, axis: int = -1) -> Tensor:
    """The class of each row of one-hot targets or scores: where it is highest. A row with a NaN has none."""
    top = _ops.reduce_max(values, axis=[axis], all=False)
    nothing = _core.constant(_NO_CLASS, dtype=_core.int64)
    return _ops.where(_ops.equal(top, top), _ops.argmax(values, axis=axis), nothing)


def first_of_rows(values: Tensor) -> Tensor:
    """One element of each row, `[rows]`."""
    corner = (slice(None), *[slice(0, 1)] * (len(values.shape) - 1))
    first = values[corner]
    return _ops.reshape(first, shape=[-1])


def row_weights(sample_weight: TensorLike | None, values: Tensor) -> Tensor:
    """One weight for each row, `[rows, 1]`, float64."""
    rows = first_of_rows(values)
    weights = _ops.ones_like(rows) if sample_weight is None else _weights(sample_weight, rows)
    return _ops.expand_dims(_ops.multiply(_ops.ones_like(rows), weights), axis=-1)
