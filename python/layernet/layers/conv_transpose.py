"""Conv2DTranspose and Conv3DTranspose: the transposes of convolutions, which make images larger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import constraints, initializers, nn, regularizers
from layernet.layers.base import Shape
from layernet.layers.conv import Convolution
from layernet.tensor import Tensor

__all__ = ["Conv2DTranspose", "Conv3DTranspose"]


class _ConvTranspose(Convolution):
    """What the transposed convolutions of two and three dimensions share."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
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
            1,
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
        """Make the kernel `[window.., filters, in]`."""
        self.kernel = self.add_weight(
            "kernel",
            (*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def output_channels(self, channels: int | None) -> Any:
        """The filters."""
        return self.filters

    def convolve(self, x: Any, activation: str, alpha: float) -> Tensor:
        """Spread `[n, ..., in]` by the kernel; the op has neither bias nor activation."""
        transpose = nn.conv2d_transpose if self._rank == 2 else nn.conv3d_transpose
        shape = (None, *self._sizes(x.shape[1:-1]), self.filters)
        y = transpose(x, self.kernel, shape, self.strides, self.padding)
        if self.bias is not None:
            y = nn.bias_add(y, self.bias)
        return y if activation == "linear" else self.activation(y)

    def _sizes(self, sizes: Sequence[int | None]) -> list[int | None]:
        """Sizes of the output for those of the input."""
        more = [
            0 if self.padding == "same" else max(k - s, 0) for k, s in zip(self.kernel_size, self.strides, strict=True)
        ]
        return [None if n is None else n * s + m for n, s, m in zip(sizes, self.strides, more, strict=True)]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape with the sizes times strides ("valid": and what kernels reach beyond) and `filters` channels."""
        shape = list(input_shape)
        inner = slice(1, -1) if self._channels == -1 else slice(2, None)
        shape[inner] = self._sizes(shape[inner])
        shape[self._channels] = self.filters
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {
            **super().get_config(),
            "filters": self.filters,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
        }
        del config["dilation_rate"]
        return config


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over two axes: `y[s p + i, s q + j] = activation(sum_pq kernel[i, j] @ x[p, q] + bias)`.

    Sizes of the output: "same" gives `size * stride`, "valid" `size * stride + max(kernel_size - stride, 0)`.
    Variables: kernel `[height, width, filters, in]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Height and width of the filters; one number means both.
        strides: Step s between the places to which neighbours of the input go, default 1.
        padding: "valid" (default) or "same": that of the convolution whose transpose this is.
        data_format: "channels_last" (default) for `[n, height, width, in]` or "channels_first".
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
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, an input that has
            not four axes.

    Reference:
        Zeiler et al., "Deconvolutional networks", 2010.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Conv2DTranspose(8, 3, strides=2, padding="same")(ln.ones((1, 4, 5, 2))).shape
        (1, 8, 10, 8)
    """

    _rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over three axes, as `Conv2DTranspose` over two.

    Variables: kernel `[depth, height, width, filters, in]`, and bias `[filters]` unless `use_bias` is false.

    Args:
        filters: Number of output channels.
        kernel_size: Depth, height and width of the filters; one number means all three.
        strides: Step between the places to which neighbours of the input go, default 1.
        padding: "valid" (default) or "same": that of the convolution whose transpose this is.
        data_format: "channels_last" (default) for `[n, depth, height, width, in]` or "channels_first".
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
        ValueError: Sizes that are not positive, an unknown padding or data format; at the first call, an input that has
            not five axes.

    Reference:
        Zeiler et al., "Deconvolutional networks", 2010.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Conv3DTranspose(1, 3)(ln.ones((1, 2, 3, 4, 2))).shape
        (1, 4, 5, 6, 1)
    """

    _rank = 3
