"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from layernet.fitting import Trainable
from layernet.layers.base import Layer, parameters_of
from layernet.layers.conv import Convolution
from layernet.layers.dense import Dense
from layernet.layers.reshaping import Flatten, Reshape

__all__ = ["Sequential"]


class Sequential(Trainable):
    """Layers and functions applied one after the other.

    Layers are tracked, functions only called. `training` goes, as second argument, to those that take it. `compile`,
    `fit`, `evaluate` and `predict` are those of `Model`.

    Args:
        layers_funcs: Layers and functions of one tensor.
        name: As for `Network`.

    Raises:
        TypeError: An element that is neither.

    Example:
        >>> import layernet as ln
        >>> import numpy as np
        >>> net = ln.Sequential([ln.layers.Dense(4), ln.nn.relu, ln.layers.Dense(1)], name="net")
        >>> net(np.ones((2, 3), "float32")).shape
        (2, 1)
        >>> [v.name for v in net.variables]
        ['net/dense/kernel:0', 'net/dense/bias:0', 'net/dense_1/kernel:0', 'net/dense_1/bias:0']
    """

    def __init__(
        self, layers_funcs: Iterable[Layer | Callable[..., Any]] | None = None, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self._members: list[tuple[bool, Callable[..., Any]]] = []  # (whether it takes `training`, member)
        for member in layers_funcs or ():
            self.add(member)

    def add(self, layer_func: Layer | Callable[..., Any]) -> None:
        """Append a layer or a function.

        Args:
            layer_func: A layer, or a function of one tensor and, if it has such a parameter, `training`.

        Raises:
            TypeError: Neither.
        """
        if isinstance(layer_func, Layer):
            self.track_layer(layer_func)
            parameters = parameters_of(layer_func.call)
        elif callable(layer_func):
            parameters = parameters_of(layer_func)
        else:
            raise TypeError(f"{self._who()}: expected a layer or a function, got {layer_func!r}.")
        self._members.append(("training" in parameters, layer_func))

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Apply all members in order.

        Args:
            inputs: What the first member takes.
            training: Passed on, unless it is None, to the members that take it.
        """
        for takes_training, member in self._members:
            inputs = member(inputs, training) if takes_training and training is not None else member(inputs)
        return inputs

    def _takes_floats(self) -> bool:
        """Whether the first member that looks at numbers, and does not only move them, takes floating ones only."""
        members = (member for _, member in self._members)
        looking = (member for member in members if not isinstance(member, (Flatten, Reshape)))
        return isinstance(next(looking, None), (Dense, Convolution))
