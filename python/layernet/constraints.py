"""Conditions on weights: Keras' constraints, applied by an optimizer after each of its steps.

A constraint is called with a variable or tensor and returns the nearest allowed (or a rescaled) value. Norms are taken
along `axis`: axis 0 of a kernel `[in, out]` gives one norm per unit, and for a convolution's kernel `[h, w, in, out]`
axis `[0, 1, 2]` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet.config import Configurable, Registry
from layernet.tensor import INTEGER, Tensor, TensorLike
from layernet.tensor import core_ops as _ops

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

# Added to every norm, so that a zero vector stays zero. The value of Keras (backend.epsilon()).
_EPSILON = 1e-7


class Constraint(Configurable):
    """What all constraints share. Subclasses define `__call__` and, when they have arguments, `get_config`.

    Example:
        >>> import layernet as ln
        >>> class Rounded(ln.constraints.Constraint):
        ...     def __call__(self, weights):
        ...         return ln.round(weights)
        >>> Rounded()(ln.constant([0.2, 1.7])).numpy()
        array([0., 2.], dtype=float32)
    """

    def __call__(self, weights: TensorLike) -> Tensor:
        """The allowed value made from `weights`, of the same shape."""
        raise NotImplementedError(f"{type(self).__name__}: expected the constraint to define __call__. Define it.")


class NonNeg(Constraint):
    """Negative weights become 0: `w * [w >= 0]`.

    Example:
        >>> import layernet as ln
        >>> ln.constraints.NonNeg()(ln.constant([1.0, -2.0])).numpy().clip(0)
        array([1., 0.], dtype=float32)
    """

    def __call__(self, weights: TensorLike) -> Tensor:
        return _ops.relu(weights)


class MaxNorm(Constraint):
    """Vectors longer than `max_value` are shortened to it: `w * clip(n, 0, max_value) / (1e-7 + n)`, n the norm.

    Args:
        max_value: Largest norm, default 2.
        axis: Axis or axes of one vector, default 0.

    Reference:
        Srivastava et al., "Dropout", 2014, section 5.1.

    Example:
        >>> import layernet as ln
        >>> ln.constraints.MaxNorm(1.0)(ln.constant([[3.0, 0.3], [4.0, 0.4]])).numpy().round(3)
        array([[0.6, 0.3],
               [0.8, 0.4]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, weights: TensorLike) -> Tensor:
        norms = _norms(weights, self.axis)
        return _scaled(weights, _ops.clip(norms, min=0.0, max=self.max_value), norms)

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """Vectors get length 1: `w / (1e-7 + n)`, n the norm.

    Args:
        axis: Axis or axes of one vector, default 0.

    Example:
        >>> import layernet as ln
        >>> ln.constraints.UnitNorm()(ln.constant([3.0, 4.0])).numpy().round(3)
        array([0.6, 0.8], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, weights: TensorLike) -> Tensor:
        return _ops.divide(weights, _ops.affine(_norms(weights, self.axis), shift=_EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Lengths are pulled into an interval: `w * (rate * clip(n, min_value, max_value) + (1 - rate) * n) / (1e-7 + n)`.

    Args:
        min_value: Smallest norm, default 0.
        max_value: Largest norm, default 1.
        rate: 1 (default) keeps to the interval after each step; less moves that part of the way.
        axis: Axis or axes of one vector, default 0.

    Example:
        >>> import layernet as ln
        >>> ln.constraints.MinMaxNorm(0.5, 1.0)(ln.constant([[3.0, 0.03], [4.0, 0.04]])).numpy().round(3)
        array([[0.6, 0.3],
               [0.8, 0.4]], dtype=float32)
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, weights: TensorLike) -> Tensor:
        norms = _norms(weights, self.axis)
        clipped = _ops.clip(norms, min=self.min_value, max=self.max_value)
        wanted = _ops.add(_ops.affine(clipped, scale=self.rate), _ops.affine(norms, scale=1.0 - self.rate))
        return _scaled(weights, wanted, norms)

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

_registry = Registry(
    "constraint",
    {
        "MaxNorm": MaxNorm,
        "max_norm": MaxNorm,
        "NonNeg": NonNeg,
        "non_neg": NonNeg,
        "UnitNorm": UnitNorm,
        "unit_norm": UnitNorm,
        "MinMaxNorm": MinMaxNorm,
        "min_max_norm": MinMaxNorm,
    },
)

get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize


def _norms(weights: TensorLike, axis: int | Sequence[int]) -> Tensor:
    axes = [axis] if isinstance(axis, INTEGER) else list(axis)
    return _ops.sqrt(_ops.reduce_sum(_ops.square(weights), axis=axes, all=False, keepdims=True))


def _scaled(weights: TensorLike, wanted: Tensor, norms: Tensor) -> Tensor:
    return _ops.multiply(weights, _ops.divide(wanted, _ops.affine(norms, shift=_EPSILON)))
