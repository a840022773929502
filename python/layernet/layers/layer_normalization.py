"""LayerNormalization: normalises each row by its own statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from layernet import constraints, initializers, nn, ops, regularizers
from layernet.errors import ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import INTEGER, Tensor

__all__ = ["LayerNormalization"]


class LayerNormalization(Layer):
    """Normalisation over the last axis, or others: `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`.

    Mean and variance (divisor n) are those of the elements along the axes, in training and inference alike.

    Variables, with the sizes of the axes as shape: gamma, beta.

    Args:
        axis: The axis to normalise over, or a list of axes, default -1.
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
        ValueError: At the first call, an unknown size of an axis, or an axis that the input does not have.

    Reference:
        Ba, Kiros and Hinton, "Layer normalization", 2016.

    Example:
        >>> import layernet as ln
        >>> ln.layers.LayerNormalization(epsilon=0.0)(ln.constant([[1.0, 3.0]])).numpy()
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
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
        self.axis: int | list[int] = int(axis) if isinstance(axis, INTEGER) else [int(one) for one in axis]
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
        self._sizes: list[int] = []

    def _axes_of(self, rank: int) -> list[int]:
        """The axes of an input of that rank, counted from its start, in order."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if not axes or any(not -rank <= axis < rank for axis in axes) or len({a % rank for a in axes}) < len(axes):
            raise ShapeError(f"{self._who()}: expected distinct axes of an input of {rank} axes, got {self.axis}.")
        return sorted(axis % rank for axis in axes)

    def build(self, input_shape: Shape) -> None:
        """Make gamma and beta for the input's sizes along the axes."""
        rank = len(input_shape)
        axes = self._axes_of(rank)
        sizes = [input_shape[axis] for axis in axes]
        if None in sizes:
            raise ShapeError(f"{self._who()}: expected known sizes on axis {self.axis}, got {list(input_shape)}.")
        self._sizes = cast("list[int]", sizes)
        if self.axis == -1:
            self.input_spec = InputSpec(min_ndim=1, axes={-1: sizes[0]})
        else:
            self.input_spec = InputSpec(ndim=rank, axes=dict(zip(axes, sizes, strict=True)))
        if self.scale:
            self.gamma = self.add_weight(
                "gamma",
                self._sizes,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                "beta",
                self._sizes,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Normalise: the axes go to the end, where they are one row."""
        gamma = self.gamma if self.scale else ops.ones(self._sizes, inputs.dtype)
        beta = self.beta if self.center else ops.zeros(self._sizes, inputs.dtype)
        if self.axis == -1:
            return nn.layer_normalization(inputs, gamma, beta, self.epsilon)
        axes = self._axes_of(inputs.ndim)
        order = [axis for axis in range(inputs.ndim) if axis not in axes] + axes
        moved = ops.transpose(inputs, order)
        row = [math.prod(self._sizes)]
        rows, gamma, beta = (ops.reshape(x, shape) for x, shape in ((moved, [-1, *row]), (gamma, row), (beta, row)))
        sizes = [-1 if size is None else size for size in moved.shape]
        y = ops.reshape(nn.layer_normalization(rows, gamma, beta, self.epsilon), sizes)
        return ops.transpose(y, [order.index(axis) for axis in range(inputs.ndim)])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
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
