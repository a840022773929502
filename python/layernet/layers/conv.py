"""Conv1D, Conv2D and Conv3D: convolution layers, that is, cross-correlation with trained filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import activations, constraints, initializers, nn, ops, regularizers
from layernet.errors import DTypeError, InvalidArgumentError, ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.layers.reshaping import checked_data_format
from layernet.tensor import INTEGER, Tensor, as_dtype

__all__ = ["Conv1D", "Conv2D", "Conv3D"]


class Convolution(Layer):
    """What all convolutions share: windows, the order of axes, bias and activation.

    A subclass makes its filters in `build_filters`, tells the channels of its output in `output_channels` and applies
    filters, bias and the activation that the op has to inputs with the channels last in `convolve`.
    """

    _rank = 0
    _paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str,
        dilation_rate: int | Sequence[int],
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        /,  # so that Layer refuses what a subclass has not
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = checked_sizes(self, "kernel_size", kernel_size, self._rank)
        self.strides = checked_sizes(self, "strides", strides, self._rank)
        self.padding = checked_padding(self, padding, self._paddings)
        self.data_format = checked_data_format(self, data_format)
        self.dilation_rate = checked_sizes(self, "dilation_rate", dilation_rate, self._rank)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self._rank + 2)
        self.bias: Any = None

    @property
    def _channels(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build_filters(self, channels: int) -> None:
        """Make the filters for so many channels of the input."""
        raise NotImplementedError

    def output_channels(self, channels: int | None) -> Any:
        """Channels of the output for those of the input; None if they hang on unknown ones."""
        raise NotImplementedError

    def convolve(self, x: Any, activation: str, alpha: float) -> Tensor:
        """Apply filters, bias and an activation of the op to `[n, ..., channels]`."""
        raise NotImplementedError

    def build(self, input_shape: Shape) -> None:
        """Make filters and bias for the input's channels."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise InvalidArgumentError(
                f"{self._who()}: expected strides or dilation_rate to be 1, "
                f"got {self.strides} and {self.dilation_rate}."
            )
        if self.dtype is not None and not as_dtype(self.dtype).is_floating:
            raise DTypeError(
                f"{self._who()}: expected floating point inputs, got {self.dtype}. "
                'Convert them, e.g. ln.cast(x, "float32").'
            )
        channels = input_shape[self._channels]
        if channels is None:
            raise ShapeError(f"{self._who()}: expected a known number of channels, got shape {list(input_shape)}.")
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={self._channels: channels})
        self.build_filters(channels)
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                (self.output_channels(channels),),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Convolve, add the bias, apply the activation."""
        x = channels_last(inputs) if self._channels == 1 else inputs
        fused = activations.fused(self.activation)
        y = self.convolve(x, *fused) if fused is not None else self.activation(self.convolve(x, "linear", 1.0))
        return channels_first(y) if self._channels == 1 else y

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape with the convolved sizes and the filters' channels."""
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation_rate, self.kernel_size, strict=True)]
        channels = self.output_channels(input_shape[self._channels])
        return windowed_shape(input_shape, spans, self.strides, self.padding, self._channels, channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }


class _Conv(Convolution):
    """What the convolutions of one to three dimensions share."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
            activity_regularizer=activity_regularizer,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.filters = int(filters)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.kernel: Any = None

    def build_filters(self, channels: int) -> None:
        """Make the kernel `[window.., in, filters]`."""
        self.kernel = self.add_weight(
            "kernel",
            (*self.kernel_size, channels, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def output_channels(self, channels: int | None) -> Any:
        """The filters."""
        return self.filters

    def convolve(self, x: Any, activation: str, alpha: float) -> Tensor:
        """Apply the kernel to `[n, ..., in]`."""
        x, padding = causal(self, x)
        convolve = (nn.conv1d, nn.conv2d, nn.conv3d)[self._rank - 1]
        return convolve(
            x,
            self.kernel,
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
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
        }


class Conv1D(_Conv):
    """Convolution over one axis: `y[t] = activation(sum_i x[stride * t + dilation * i] @ kernel[i] + bias)`.

    Variables: kernel `[width, in, filters]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Width of the filters.
        strides: Step between outputs, default 1.
        padding: "valid" (default), "same" (zeros on both sides, the odd one at the end) or "causal" (zeros before).
        data_format: "channels_last" (default) for `[n, steps, in]` or "channels_first" for `[n, in, steps]`.
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        kernel_initializer: None (default) means Glorot's uniform distribution.
        bias_initializer: Default zeros.
        kernel_regularizer: Function of the kernel that gives a loss, or its name.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        kernel_constraint: Function that optimizers apply to the kernel after each step, or its name.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not three axes.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Conv1D(2, 3, padding="same")(ln.ones((1, 5, 4))).shape
        (1, 5, 2)
    """

    _rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over two axes: `y[p, q] = activation(sum_ij x[p + i, q + j] @ kernel[i, j] + bias)`, strides apart.

    Variables: kernel `[height, width, in, filters]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the filters; one number means both.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same" (zeros around, the odd one at the end).
        data_format: "channels_last" (default) for `[n, height, width, in]` or "channels_first".
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        kernel_initializer: None (default) means Glorot's uniform distribution.
        bias_initializer: Default zeros.
        kernel_regularizer: Function of the kernel that gives a loss, or its name.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        kernel_constraint: Function that optimizers apply to the kernel after each step, or its name.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not four axes.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Conv2D(8, 3, strides=2, activation="relu")(ln.ones((1, 9, 9, 3))).shape
        (1, 4, 4, 8)
    """

    _rank = 2


class Conv3D(_Conv):
    """Convolution over three axes: `y[o, p, q] = activation(sum_hij x[o + h, p + i, q + j] @ kernel[h, i, j] + bias)`.

    Variables: kernel `[depth, height, width, in, filters]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Depth, height and width of the filters; one number means all three.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same" (zeros around, the odd one at the end).
        data_format: "channels_last" (default) for `[n, depth, height, width, in]` or "channels_first".
        dilation_rate: Step between the elements of a filter, default 1; not together with strides.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        kernel_initializer: None (default) means Glorot's uniform distribution.
        bias_initializer: Default zeros.
        kernel_regularizer: Function of the kernel that gives a loss, or its name.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        kernel_constraint: Function that optimizers apply to the kernel after each step, or its name.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, strides together
            with dilation or an input that has not five axes.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Conv3D(4, (1, 3, 3), padding="same")(ln.ones((1, 2, 5, 5, 3))).shape
        (1, 2, 5, 5, 4)
    """

    _rank = 3


def checked_sizes(layer: Layer, what: str, value: Any, rank: int) -> tuple[int, ...]:
    """One positive number for each of `rank` axes, from such a number or a sequence of them."""
    try:
        sizes = (int(value),) * rank if isinstance(value, INTEGER) else tuple(int(size) for size in value)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) != rank or min(sizes) < 1:
        raise InvalidArgumentError(f"{layer._who()}: expected {rank} positive numbers as {what}, got {value!r}.")
    return sizes


def checked_padding(layer: Layer, padding: Any, known: tuple[str, ...]) -> str:
    """`padding` in lower case, if it is a known one."""
    if str(padding).lower() not in known:
        raise InvalidArgumentError(f"{layer._who()}: expected padding to be one of {known}, got {padding!r}.")
    return str(padding).lower()


def causal(layer: Convolution, x: Any) -> tuple[Any, str]:
    """`x` and the padding for the op: "causal" padding becomes zeros before the first step."""
    if layer.padding != "causal":
        return x, layer.padding
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return ops.pad(x, [(0, 0), (before, 0), (0, 0)]), "valid"


def channels_last(x: Any) -> Tensor:
    """`[n, channels, ...]` as `[n, ..., channels]`."""
    return ops.transpose(x, [0, *range(2, x.ndim), 1])


def channels_first(x: Any) -> Tensor:
    """`[n, ..., channels]` as `[n, channels, ...]`."""
    return ops.transpose(x, [0, x.ndim - 1, *range(1, x.ndim - 1)])


def windowed_shape(
    shape: Shape, spans: Sequence[int], strides: Sequence[int], padding: str, axis: int, channels: int | None
) -> Shape:
    """The shape after windows of given spans have moved over the inner axes."""
    first = 1 if axis == -1 else 2
    sizes = list(shape)
    for i, (span, stride) in enumerate(zip(spans, strides, strict=True), first):
        size = sizes[i]
        if size is not None:
            sizes[i] = -(-(size if padding in ("same", "causal") else size - span + 1) // stride)
    sizes[axis] = channels
    return tuple(sizes)
