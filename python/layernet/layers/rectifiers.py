"""Activations with parameters, as layers: ReLU, LeakyReLU, ELU, PReLU, ThresholdedReLU, Softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from layernet import constraints, initializers, nn, ops, regularizers
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import INTEGER, Tensor

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]


class _Elementwise(Layer):
    """What the layers share: they keep shape and mask."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        return tuple(input_shape)


class ReLU(_Elementwise):
    """`y = min(max(x, 0), max_value)`.

    Args:
        max_value: The largest output, not negative; None (default) for no limit.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative limit.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ReLU(6.0)(ln.constant([-1.0, 2.0, 8.0])).numpy()
        array([0., 2., 6.], dtype=float32)
    """

    def __init__(self, max_value: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_value is not None and not max_value >= 0:
            raise InvalidArgumentError(f"{self._who()}: expected a max_value of at least 0, got {max_value}.")
        self.max_value = max_value

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        y = nn.relu(inputs)
        return y if self.max_value is None else ops.minimum(y, self.max_value)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "max_value": self.max_value}


class LeakyReLU(_Elementwise):
    """`y = x` where x > 0, else `alpha * x`.

    Args:
        alpha: Slope on the left, default 0.3.
        **kwargs: As for `Layer`.

    Reference:
        Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.

    Example:
        >>> import layernet as ln
        >>> ln.layers.LeakyReLU(0.5)(ln.constant([-1.0, 2.0])).numpy()
        array([-0.5,  2. ], dtype=float32)
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        return nn.leaky_relu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}


class ELU(_Elementwise):
    """`y = x` where x > 0, else `alpha * (exp(x) - 1)`.

    Args:
        alpha: Minus the limit on the left, default 1.
        **kwargs: As for `Layer`.

    Reference:
        Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units",
        2015.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ELU()(ln.constant([-100.0, 2.0])).numpy()
        array([-1.,  2.], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        return nn.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(_Elementwise):
    """`y = x` where x > 0, else `alpha * x`, with a learned alpha for each feature.

    Variable: alpha, of the shape of a row, with 1 for shared axes.

    Args:
        alpha_initializer: Default zeros.
        alpha_regularizer: Function of alpha that gives a loss, or its name.
        alpha_constraint: Function that optimizers apply to alpha after each step, or its name.
        shared_axes: Axes that share one alpha, counted with the batch axis as 0: [1, 2] for images gives one for each
            channel. A number or a list; None (default) for none.
        **kwargs: As for `Layer`.

    Raises:
        ShapeError: At the first call, an unknown size of an axis that is not shared, or a shared axis that the rows do
            not have.

    Reference:
        He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.PReLU(alpha_initializer=ln.initializers.Constant(0.25))
        >>> layer(ln.constant([[-1.0, 2.0]])).numpy()
        array([[-0.25,  2.  ]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None
        if shared_axes is not None:
            axes = [shared_axes] if isinstance(shared_axes, INTEGER) else shared_axes
            self.shared_axes = [int(axis) for axis in axes]
        self.alpha: Any = None

    def build(self, input_shape: Shape) -> None:
        """Make alpha for rows of this shape."""
        shared = self.shared_axes or []
        if any(not 1 <= axis < len(input_shape) for axis in shared):
            raise ShapeError(
                f"{self._who()}: expected shared_axes from 1 to {len(input_shape) - 1} for an input of shape "
                f"{list(input_shape)}, got {shared}."
            )
        shape = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in shape:
            raise ShapeError(
                f"{self._who()}: expected known sizes of axes that do not share alpha, got {list(input_shape)}. "
                "Name the others in shared_axes."
            )
        self.alpha = self.add_weight(
            "alpha",
            cast("list[int]", shape),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {axis: size for axis, size in enumerate(input_shape) if axis > 0 and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        return ops.where(ops.greater(inputs, 0), inputs, ops.multiply(self.alpha, inputs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ThresholdedReLU(_Elementwise):
    """`y = x` where x > theta, else 0.

    Args:
        theta: The threshold, not negative, default 1.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative threshold.

    Reference:
        Konda, Memisevic and Krueger, "Zero-bias autoencoders and the benefits of co-adapting features", 2014.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ThresholdedReLU()(ln.constant([0.5, 2.0])).numpy()
        array([0., 2.], dtype=float32)
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not theta >= 0:
            raise InvalidArgumentError(f"{self._who()}: expected a theta of at least 0, got {theta}.")
        self.theta = float(theta)

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        # Asked this way round, NaN stays NaN.
        return ops.where(ops.less_equal(inputs, self.theta), ops.zeros_like(inputs), inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "theta": self.theta}


class Softmax(_Elementwise):
    """`y_i = exp(x_i) / sum_j exp(x_j)` along one axis.

    Args:
        axis: Default -1.
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Softmax()(ln.constant([[0.0, 0.0]])).numpy()
        array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        """Apply the function."""
        return nn.softmax(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
