"""LayerNormalization: normalises each row by its own statistics."""

from __future__ import annotations

from typing import Any

from layernet import constraints, initializers, nn, ops, regularizers
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import Tensor

__all__ = ["LayerNormalization"]


class LayerNormalization(Layer):
    """Normalisation over the last axis: `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`.

    Mean and variance (divisor n) are those of each row, in training and inference alike.

    Variables, `[size of the last axis]` each: gamma, beta.

    Args:
        epsilon: Added to the variance, default 0.001.
        center: Whether to add beta, default True.
        scale: Whether to multiply by gamma, default True.
        beta_initializer: Default zeros.
        gamma_initializer: Default ones.
        beta_regularizer: Function of beta that gives a loss, or its name.
        gamma_regularizer: The same for gamma.
        beta_constraint: Function that optimizers apply to beta after each step, or its name.
        gamma_constraint: The same for gamma.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: At the first call, an unknown last size.

    Reference:
        Ba, Kiros and Hinton, "Layer normalization", 2016.

    Example:
        >>> import layernet as ln
        >>> ln.layers.LayerNormalization(epsilon=0.0)(ln.constant([[1.0, 3.0]])).numpy()
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Any = None
        self.beta: Any = None
        self._size = 0

    def build(self, input_shape: Shape) -> None:
        """Make gamma and beta for rows of `input_shape[-1]` elements."""
        size = input_shape[-1] if input_shape else None
        if size is None:
            raise ValueError(f"{self._who()}: expected an input with a known last dimension, got {list(input_shape)}.")
        self._size = size
        self.input_spec = InputSpec(min_ndim=1, axes={-1: size})
        if self.scale:
            self.gamma = self.add_weight(
                "gamma", (size,), None, self.gamma_initializer, self.gamma_regularizer, constraint=self.gamma_constraint
            )
        if self.center:
            self.beta = self.add_weight(
                "beta", (size,), None, self.beta_initializer, self.beta_regularizer, constraint=self.beta_constraint
            )
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Normalise `[..., n]`."""
        gamma = self.gamma if self.scale else ops.ones((self._size,), inputs.dtype)
        beta = self.beta if self.center else ops.zeros((self._size,), inputs.dtype)
        return nn.layer_normalization(inputs, gamma, beta, self.epsilon)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
