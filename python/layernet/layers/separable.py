"""DepthwiseConv2D, SeparableConv1D and SeparableConv2D: filters of single channels, mixed afterwards or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import constraints, initializers, nn, regularizers
from layernet.errors import InvalidArgumentError
from layernet.layers.conv import Convolution, causal
from layernet.tensor import Tensor

__all__ = ["DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]


class _Depthwise(Convolution):
    """What layers with a filter for each channel share."""

    def __init__(
        self,
        *windows: Any,
        depth_multiplier: int,
        depthwise_initializer: Any,
        depthwise_regularizer: Any,
        depthwise_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*windows, **kwargs)
        self.depth_multiplier = int(depth_multiplier)
        if self.depth_multiplier < 1:
            raise InvalidArgumentError(
                f"{self._who()}: expected a depth_multiplier of at least 1, got {depth_multiplier!r}."
            )
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.depthwise_kernel: Any = None

    def build_filters(self, channels: int) -> None:
        """Make the kernel `[window.., in, depth_multiplier]`."""
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }


class DepthwiseConv2D(_Depthwise):
    """Each channel convolved with filters of its own: `y[k * m + q] = activation(x[k] * kernel[k, q] + bias)`.

    Variables: depthwise_kernel `[height, width, in, depth_multiplier]`, and bias `[in * depth_multiplier]` unless
    `use_bias` is false.

    Args:
        kernel_size: Height and width of the filters; one number means both.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same" (zeros around, the odd one at the end).
        depth_multiplier: Filters m for each channel, default 1.
        data_format: "channels_last" (default) for `[n, height, width, in]` or "channels_first".
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        depthwise_initializer: None (default) means Glorot's uniform distribution.
        bias_initializer: Default zeros.
        depthwise_regularizer: Function of the kernel that gives a loss, or its name.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        depthwise_constraint: Function that optimizers apply to the kernel after each step, or its name.
        bias_constraint: The same for the bias.
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not four axes.

    Example:
        >>> import layernet as ln
        >>> ln.layers.DepthwiseConv2D(3, depth_multiplier=2)(ln.ones((1, 5, 5, 3))).shape
        (1, 3, 3, 6)
    """

    _rank = 2

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        dilation_rate: int | Sequence[int] = 1,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            depth_multiplier=depth_multiplier,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
            activity_regularizer=activity_regularizer,
            trainable=trainable,
            name=name,
            **kwargs,
        )

    def output_channels(self, channels: int | None) -> Any:
        """So many for each of the input's."""
        return None if channels is None else channels * self.depth_multiplier

    def convolve(self, x: Any, activation: str, alpha: float) -> Tensor:
        """Apply the filters to `[n, height, width, in]`."""
        return nn.depthwise_conv2d(
            x,
            self.depthwise_kernel,
            self.strides,
            self.padding,
            self.dilation_rate,
            bias=self.bias,
            activation=activation,
            alpha=alpha,
        )


class _SeparableConv(_Depthwise):
    """What the separable convolutions of one and two dimensions share."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            depth_multiplier=depth_multiplier,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
            activity_regularizer=activity_regularizer,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.filters = int(filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.pointwise_kernel: Any = None

    def build_filters(self, channels: int) -> None:
        """Make the kernels `[window.., in, depth_multiplier]` and `[1.., in * depth_multiplier, filters]`."""
        super().build_filters(channels)
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel",
            (*[1] * self._rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )

    def output_channels(self, channels: int | None) -> Any:
        """The filters."""
        return self.filters

    def convolve(self, x: Any, activation: str, alpha: float) -> Tensor:
        """Apply both kernels to `[n, ..., in]`."""
        x, padding = causal(self, x)
        convolve = nn.separable_conv1d if self._rank == 1 else nn.separable_conv2d
        return convolve(
            x,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            padding,
            self.dilation_rate,
            bias=self.bias,
            activation=activation,
            alpha=alpha,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }


class SeparableConv1D(_SeparableConv):
    """Convolution of each channel over one axis, then of all channels at each step: `activation((x * d) @ p + bias)`.

    Variables: depthwise_kernel `[width, in, depth_multiplier]`, pointwise_kernel `[1, in * depth_multiplier, filters]`,
    and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Width of the filters.
        strides: Step between outputs, default 1.
        padding: "valid" (default), "same" (zeros on both sides, the odd one at the end) or "causal" (zeros before).
        data_format: "channels_last" (default) for `[n, steps, in]` or "channels_first" for `[n, in, steps]`.
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        depth_multiplier: Filters for each channel, default 1.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        depthwise_initializer: None (default) means Glorot's uniform distribution.
        pointwise_initializer: The same for the second kernel.
        bias_initializer: Default zeros.
        depthwise_regularizer: Function of the first kernel that gives a loss, or its name.
        pointwise_regularizer: The same for the second kernel.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        depthwise_constraint: Function that optimizers apply to the first kernel after each step, or its name.
        pointwise_constraint: The same for the second kernel.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not three axes.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.SeparableConv1D(5, 3, padding="causal", name="s")
        >>> layer(ln.ones((1, 4, 2))).shape
        (1, 4, 5)
        >>> [v.shape for v in layer.variables]
        [(3, 2, 1), (1, 2, 5), (5,)]
    """

    _rank = 1
    _paddings = ("valid", "same", "causal")


class SeparableConv2D(_SeparableConv):
    """Convolution of each channel over two axes, then of all channels at each place: `activation((x * d) @ p + bias)`.

    Variables: depthwise_kernel `[height, width, in, depth_multiplier]`, pointwise_kernel
    `[1, 1, in * depth_multiplier, filters]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the filters; one number means both.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same" (zeros around, the odd one at the end).
        data_format: "channels_last" (default) for `[n, height, width, in]` or "channels_first".
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        depth_multiplier: Filters for each channel, default 1.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        depthwise_initializer: None (default) means Glorot's uniform distribution.
        pointwise_initializer: The same for the second kernel.
        bias_initializer: Default zeros.
        depthwise_regularizer: Function of the first kernel that gives a loss, or its name.
        pointwise_regularizer: The same for the second kernel.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        depthwise_constraint: Function that optimizers apply to the first kernel after each step, or its name.
        pointwise_constraint: The same for the second kernel.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not four axes.

    Reference:
        Chollet, "Xception: deep learning with depthwise separable convolutions", 2017.

    Example:
        >>> import layernet as ln
        >>> ln.layers.SeparableConv2D(6, 3, strides=2, padding="same")(ln.ones((1, 8, 8, 3))).shape
        (1, 4, 4, 6)
    """

    _rank = 2
