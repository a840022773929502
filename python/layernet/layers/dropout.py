"""Dropout: random zeros while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layernet import nn, ops, random
from layernet.errors import DTypeError, InvalidArgumentError
from layernet.layers.base import Layer, Shape

__all__ = ["Dropout"]


class Dropout(Layer):
    """Sets a random share of the inputs to 0 while training: `y = x / (1 - rate)` with probability `1 - rate`, else 0.

    Args:
        rate: The share to drop, in `[0, 1)`, default 0.5.
        noise_shape: Shape of the random choice, which broadcasts to the input's; None in it means the input's size.
        seed: None (default) draws from `ln.random_state()`; a number gives the layer a generator of its own.
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        InvalidArgumentError: A rate outside of `[0, 1)`.
        DTypeError: A rate that is not a number.

    Reference:
        Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.Dropout(0.5, seed=1)
        >>> x = ln.ones((1000,))
        >>> layer(x).numpy().mean().item(), sorted(set(layer(x, training=True).numpy().tolist()))
        (1.0, [0.0, 2.0])
    """

    def __init__(
        self,
        rate: float = 0.5,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(rate, (int, float, np.number)):
            raise DTypeError(f"{self._who()}: expected a rate in [0, 1), got {rate!r}.")
        if not 0 <= rate < 1:
            raise InvalidArgumentError(f"{self._who()}: expected a rate in [0, 1), got {rate}.")
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True
        self._state = None if seed is None else random.new_state(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Apply dropout if `training`; else return the inputs."""
        if not training or self.rate == 0:
            return inputs
        state = random.random_state() if self._state is None else self._state
        return ops.multiply(inputs, nn.dropout_mask(state, inputs, self.rate, self.noise_shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
