"""BatchNormalization: normalises channels by statistics of the batch, or by their moving averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from layernet import constraints, initializers, nn, ops, regularizers, symbolic
from layernet.errors import ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import INTEGER, Tensor, as_dtype

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """Normalisation of channels: `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`.

    With `training=True` mean and variance are those of the batch, and the moving averages follow:
    `moving = momentum * moving + (1 - momentum) * batch`. Otherwise the moving averages are used and left alone. The
    variance that enters the moving average has the divisor n - 1 where `fused` holds, else n. While `trainable` is
    false the averages do not move.

    Variables, `[channels]` each: gamma, beta, moving_mean, moving_variance.

    Args:
        axis: The axis of the channels, or a list of axes, default -1.
        momentum: Weight of the old average, default 0.99.
        epsilon: Added to the variance, default 0.001.
        center: Whether to add beta, default True.
        scale: Whether to multiply by gamma, default True.
        beta_initializer: Default zeros.
        gamma_initializer: Default ones.
        moving_mean_initializer: Default zeros.
        moving_variance_initializer: Default ones.
        beta_regularizer: Function of beta that gives a loss, or its name.
        gamma_regularizer: The same for gamma.
        beta_constraint: Function that optimizers apply to beta after each step, or its name.
        gamma_constraint: The same for gamma.
        trainable: Whether gamma and beta count as trainable, default True.
        name: Prefix of the variables' names.
        renorm: Only False: batch renormalisation is not done.
        virtual_batch_size: Only None: statistics are those of the whole batch.
        fused: Whether the moving variance is that of TensorFlow's fused op; None (default) means for inputs of four
            axes. True refuses others.
        **kwargs: As for `Layer`.

    Raises:
        NotImplementedError: `renorm` or `virtual_batch_size` is given.
        ValueError: At the first call, an axis that the input does not have, an unknown size, or an input that has not
            the channels on axis 1 or 3 of four while `fused` is true.
        TypeError: At the first call, an axis that is neither a number nor a list.

    Reference:
        Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
        shift", 2015.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.BatchNormalization(momentum=0.5, epsilon=0.0)
        >>> layer(ln.constant([[1.0], [3.0]]), training=True).numpy().ravel()
        array([-1.,  1.], dtype=float32)
        >>> float(layer.moving_mean[0]), float(layer.moving_variance[0])
        (1.0, 1.0)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        renorm: bool = False,
        virtual_batch_size: int | None = None,
        fused: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        if renorm:
            raise NotImplementedError(
                f"{self._who()}: expected renorm=False, got {renorm!r}: batch renormalisation is not done. Leave "
                "it out, or take LayerNormalization, which does not depend on the batch at all."
            )
        if virtual_batch_size is not None:
            raise NotImplementedError(
                f"{self._who()}: expected virtual_batch_size=None, got {virtual_batch_size!r}: statistics are those of "
                "the whole batch. Leave it out, or call the layer on parts of the batch."
            )
        self.axis: Any = list(axis) if isinstance(axis, (list, tuple)) else axis
        if isinstance(axis, INTEGER):
            self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.fused = fused
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Shape) -> None:
        """Make the variables for inputs whose axis `axis` has the channels."""
        rank = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, INTEGER) else self.axis
        if not isinstance(axes, list) or not all(isinstance(axis, INTEGER) for axis in axes):
            raise TypeError(f"{self._who()}: expected a number or a list of numbers as axis, got {self.axis!r}.")
        if not axes or any(not -rank <= axis < rank for axis in axes) or len({a % rank for a in axes}) < len(axes):
            raise ShapeError(f"{self._who()}: expected axes of an input of shape {list(input_shape)}, got {self.axis}.")
        self._axes = sorted(axis % rank for axis in axes)
        if self.fused and (rank != 4 or self._axes not in ([1], [3])):
            raise ShapeError(
                f"{self._who()}: expected channels on axis 1 or 3 of four with fused=True, "
                f"got axis {self.axis} of shape {list(input_shape)}. Leave out 'fused'."
            )
        self._sampled = rank == 4 if self.fused is None else bool(self.fused)
        sizes = [input_shape[axis] for axis in self._axes]
        if None in sizes:
            raise ShapeError(f"{self._who()}: expected known sizes on axis {self.axis}, got {list(input_shape)}.")
        channels = cast("list[int]", sizes)
        self.input_spec = InputSpec(ndim=rank, axes=dict(zip(self._axes, sizes, strict=True)))
        # Half types keep their statistics in float32.
        wanted = as_dtype(self.dtype or "float32")
        kind = as_dtype("float32") if wanted.itemsize < 4 else wanted
        self._computes_in = kind
        if self.scale:
            self.gamma = self.add_weight(
                "gamma",
                channels,
                dtype=kind,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                "beta",
                channels,
                dtype=kind,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self.add_weight(
            "moving_mean",
            channels,
            dtype=kind,
            initializer=self.moving_mean_initializer,
            trainable=False,
            partitioner=False,  # updated as one
        )
        self.moving_variance = self.add_weight(
            "moving_variance",
            channels,
            dtype=kind,
            initializer=self.moving_variance_initializer,
            trainable=False,
            partitioner=False,  # updated as one
        )
        self._ones, self._zeros = ops.ones(channels, kind), ops.zeros(channels, kind)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Tensor:
        """Normalise; with `training` by the statistics of the batch, which then move the averages."""
        if len(self._axes) > 1:
            return self._over_several_axes(inputs, training)
        gamma = self._ones if self.gamma is None else self.gamma
        beta = self._zeros if self.beta is None else self.beta
        x, axis = self._widened(inputs), self._axes[0]
        if not training:
            mean, variance = self.moving_mean, self.moving_variance
            return self._narrowed(nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon, axis))
        y, mean, variance = nn.batch_normalization_training(x, gamma, beta, self.epsilon, axis)
        if self.trainable:
            self._move(inputs, mean, ops.multiply(variance, _sample_factor(x, axis)) if self._sampled else variance)
        return self._narrowed(y)

    def _over_several_axes(self, inputs: Any, training: bool) -> Tensor:
        """The same with statistics for each combination of channels."""
        x = self._widened(inputs)
        rest = [axis for axis in range(x.ndim) if axis not in self._axes]

        def expanded(value: Any) -> Any:
            for axis in rest:
                value = ops.expand_dims(value, axis)
            return value

        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = nn.moments(x, rest)
            if self.trainable:
                self._move(inputs, mean, variance)
        factor = ops.rsqrt(ops.add(variance, self.epsilon))
        if self.gamma is not None:
            factor = ops.multiply(factor, self.gamma)
        y = ops.multiply(ops.subtract(x, expanded(mean)), expanded(factor))
        return self._narrowed(y if self.beta is None else ops.add(y, expanded(self.beta)))

    def _move(self, inputs: Any, mean: Tensor, variance: Tensor) -> None:
        before = symbolic.effect_count()
        ops.moving_average(self.moving_mean, ops.stop_gradient(mean), self.momentum)
        ops.moving_average(self.moving_variance, ops.stop_gradient(variance), self.momentum)
        self.add_update(symbolic.effects_since(before), inputs=inputs)

    def _widened(self, inputs: Any) -> Any:
        return inputs if inputs.dtype == self._computes_in else ops.cast(inputs, self._computes_in)

    def _narrowed(self, outputs: Tensor) -> Tensor:
        dtype = as_dtype(self.dtype or "float32")
        return outputs if outputs.dtype == dtype else ops.cast(outputs, dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "fused": self.fused,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def _sample_factor(x: Any, axis: int) -> Any:
    """n / (n - 1) for the n elements of a channel; 1 for a single one."""
    if x.shape[0] is not None:
        count = 1
        for i, size in enumerate(x.shape):
            count *= size if i != axis else 1
        return count / max(count - 1, 1)
    sizes = ops.cast(ops.shape(x), x.dtype)
    n = ops.divide(ops.reduce_prod(sizes), float(x.shape[axis]))
    return ops.divide(n, ops.maximum(ops.subtract(n, 1.0), 1.0))
