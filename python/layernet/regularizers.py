"""Penalties on weights: Keras' regularizers, added to a loss to keep weights small.

A regularizer is called with a variable or tensor and returns a scalar that can be differentiated.
"""

from __future__ import annotations

from typing import Any

from layernet.config import Configurable, Registry
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops

__all__ = ["L1L2", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "serialize"]


class Regularizer(Configurable):
    """What all regularizers share. Subclasses define `__call__` and, when they have arguments, `get_config`.

    Example:
        >>> import layernet as ln
        >>> class Largest(ln.regularizers.Regularizer):
        ...     def __call__(self, weights):
        ...         return ln.reduce_max(ln.abs(weights))
        >>> float(Largest()(ln.constant([1.0, -3.0])))
        3.0
    """

    def __call__(self, weights: TensorLike) -> Tensor:
        """The penalty of `weights`, a scalar."""
        raise NotImplementedError(f"{type(self).__name__}: expected the regularizer to define __call__. Define it.")


class L1L2(Regularizer):
    """`l1 * sum |w| + l2 * sum w^2`, without a half.

    Args:
        l1: Factor of the absolute values, 0 or more, default 0.
        l2: Factor of the squares, 0 or more, default 0.

    Raises:
        ValueError: A factor that is not a finite number of 0 or more.

    Reference:
        Zou and Hastie, "Regularization and variable selection via the elastic net", 2005, eq. 3.

    Example:
        >>> import layernet as ln
        >>> float(ln.regularizers.L1L2(l1=0.5, l2=2.0)(ln.constant([1.0, -2.0])))
        11.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)

    def __call__(self, weights: TensorLike) -> Tensor:
        if self.l1 and self.l2:
            return _ops.add(self._absolute(weights), self._squared(weights))
        return self._absolute(weights) if self.l1 else self._squared(weights)

    def _absolute(self, weights: TensorLike) -> Tensor:
        return _ops.affine(_ops.reduce_sum(_ops.abs(weights)), scale=self.l1)

    def _squared(self, weights: TensorLike) -> Tensor:
        return _ops.affine(_ops.reduce_sum(_ops.square(weights)), scale=self.l2)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 - Keras' name of the argument
    """`l * sum |w|`.

    Args:
        l: 0 or more, default 0.01.

    Example:
        >>> import layernet as ln
        >>> ln.regularizers.l1(0.5)
        L1L2(l1=0.5, l2=0.0)
    """
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741 - Keras' name of the argument
    """`l * sum w^2`.

    Args:
        l: 0 or more, default 0.01.

    Example:
        >>> import layernet as ln
        >>> ln.regularizers.l2(0.5)
        L1L2(l1=0.0, l2=0.5)
    """
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """`l1 * sum |w| + l2 * sum w^2`.

    Args:
        l1: 0 or more, default 0.01.
        l2: 0 or more, default 0.01.

    Example:
        >>> import layernet as ln
        >>> ln.regularizers.l1_l2()
        L1L2(l1=0.01, l2=0.01)
    """
    return L1L2(l1=l1, l2=l2)


_registry = Registry("regularizer", {"L1L2": L1L2, "l1": l1, "l2": l2, "l1_l2": l1_l2})

get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize


def _factor(name: str, value: float) -> float:
    factor = float(value)
    if not 0.0 <= factor < float("inf"):
        raise ValueError(f"L1L2: expected {name} to be a finite number of 0 or more, got {value!r}.")
    return factor
