"""Masking: marks the steps of a sequence that hold nothing."""

from __future__ import annotations

from typing import Any

from layernet import ops
from layernet.layers.base import Layer, Shape
from layernet.tensor import Tensor

__all__ = ["Masking"]


class Masking(Layer):
    """Steps all of whose features equal `mask_value` are masked: the mask is `any(x != mask_value)` over the last axis.

    The output is the input with masked steps set to 0.

    Args:
        mask_value: Default 0.
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.Masking()
        >>> layer.compute_mask(ln.constant([[[0.0, 0.0], [0.0, 2.0]]])).numpy()
        array([[False,  True]])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def call(self, inputs: Any) -> Tensor:
        """`[..., steps, features]` with masked steps set to 0."""
        kept = ops.reduce_any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(kept, inputs, ops.zeros_like(inputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """`[..., steps]`, true where a step is kept."""
        return ops.reduce_any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "mask_value": self.mask_value}
