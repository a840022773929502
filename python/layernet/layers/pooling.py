"""Max and average pooling over one to three axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import nn
from layernet.layers.base import Layer, Shape
from layernet.layers.conv import channels_first, channels_last, checked_padding, checked_sizes, windowed_shape
from layernet.layers.input_spec import InputSpec
from layernet.layers.reshaping import checked_data_format

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pooling(Layer):
    """What all poolings share."""

    _rank = 0
    _pool = staticmethod(nn.max_pool)

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = checked_sizes(self, "pool_size", pool_size, self._rank)
        self.strides = self.pool_size if strides is None else checked_sizes(self, "strides", strides, self._rank)
        self.padding = checked_padding(self, padding, ("valid", "same"))
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Any) -> Any:
        """Pool."""
        if self.data_format == "channels_last":
            return self._pool(inputs, self.pool_size, self.strides, self.padding)
        return channels_first(self._pool(channels_last(inputs), self.pool_size, self.strides, self.padding))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape with the pooled sizes."""
        axis = -1 if self.data_format == "channels_last" else 1
        return windowed_shape(input_shape, self.pool_size, self.strides, self.padding, axis, input_shape[axis])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class MaxPooling1D(_Pooling):
    """The largest element of each window over one axis.

    Args:
        pool_size: Size of a window, default 2.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding never wins.
        data_format: "channels_last" (default) for `[n, steps, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.MaxPooling1D(2)(ln.constant([[[1.0], [3.0], [2.0], [2.0]]])).numpy().ravel()
        array([3., 2.], dtype=float32)
    """

    _rank = 1


class MaxPooling2D(_Pooling):
    """The largest element of each window over two axes.

    Args:
        pool_size: Height and width of a window, default 2; one number means both.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding never wins.
        data_format: "channels_last" (default) for `[n, height, width, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.MaxPooling2D(2)(ln.ones((1, 4, 6, 3))).shape
        (1, 2, 3, 3)
    """

    _rank = 2


class MaxPooling3D(_Pooling):
    """The largest element of each window over three axes.

    Args:
        pool_size: Depth, height and width of a window, default 2; one number means all three.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding never wins.
        data_format: "channels_last" (default) for `[n, depth, height, width, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.MaxPooling3D((1, 2, 2))(ln.ones((1, 3, 4, 6, 2))).shape
        (1, 3, 2, 3, 2)
    """

    _rank = 3


class AveragePooling1D(_Pooling):
    """The mean of each window over one axis.

    Args:
        pool_size: Size of a window, default 2.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding does not enter the mean.
        data_format: "channels_last" (default) for `[n, steps, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.AveragePooling1D(2)(ln.constant([[[1.0], [3.0], [2.0], [2.0]]])).numpy().ravel()
        array([2., 2.], dtype=float32)
    """

    _rank = 1
    _pool = staticmethod(nn.avg_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window over two axes.

    Args:
        pool_size: Height and width of a window, default 2; one number means both.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding does not enter the mean.
        data_format: "channels_last" (default) for `[n, height, width, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.AveragePooling2D(2, padding="same")(ln.ones((1, 3, 3, 1))).numpy().ravel()
        array([1., 1., 1., 1.], dtype=float32)
    """

    _rank = 2
    _pool = staticmethod(nn.avg_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window over three axes.

    Args:
        pool_size: Depth, height and width of a window, default 2; one number means all three.
        strides: Step between windows; None (default) means the window's size.
        padding: "valid" (default) or "same"; padding does not enter the mean.
        data_format: "channels_last" (default) for `[n, depth, height, width, channels]` or "channels_first".
        name: Name of the layer.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Sizes that are not positive, an unknown padding or data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.AveragePooling3D(2, padding="same")(ln.ones((1, 1, 3, 1, 1))).numpy().ravel()
        array([1., 1.], dtype=float32)
    """

    _rank = 3
    _pool = staticmethod(nn.avg_pool)
