"""Activation: an elementwise function as a layer."""

from __future__ import annotations

from typing import Any

from layernet import activations
from layernet.layers.base import Layer, Shape
from layernet.tensor import Tensor

__all__ = ["Activation"]


class Activation(Layer):
    """An activation function as a layer: `y = activation(x)`.

    Args:
        activation: A name or a function.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Activation("relu")(ln.constant([-1.0, 2.0])).numpy()
        array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        result: Tensor = self.activation(inputs)
        return result

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
