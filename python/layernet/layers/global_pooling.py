"""Global pooling: one number for each channel of a sequence, an image or a volume."""

from __future__ import annotations

from typing import Any

from layernet import ops
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.layers.reshaping import checked_data_format
from layernet.tensor import Tensor

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class _GlobalPooling(Layer):
    """What the six share."""

    _rank = 0
    _reduce = staticmethod(ops.reduce_mean)

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs: Any) -> Tensor:
        """Reduce all axes but those of the batch and the channels."""
        first = 1 if self.data_format == "channels_last" else 2
        return self._reduce(inputs, axis=list(range(first, first + self._rank)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(n, channels)`."""
        return (input_shape[0], input_shape[-1 if self.data_format == "channels_last" else 1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "data_format": self.data_format}


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over the steps: `[n, steps, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, steps]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalAveragePooling1D()(ln.constant([[[1.0], [3.0]]])).numpy()
        array([[2.]], dtype=float32)
    """

    _rank = 1


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean over an image: `[n, height, width, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalAveragePooling2D()(ln.ones((2, 4, 4, 3))).shape
        (2, 3)
    """

    _rank = 2


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of a volume: `[n, depth, height, width, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, depth, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalAveragePooling3D()(ln.ones((2, 4, 4, 4, 3))).shape
        (2, 3)
    """

    _rank = 3


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest element of the steps: `[n, steps, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, steps]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalMaxPooling1D()(ln.constant([[[1.0], [3.0]]])).numpy()
        array([[3.]], dtype=float32)
    """

    _rank = 1
    _reduce = staticmethod(ops.reduce_max)


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest element of an image: `[n, height, width, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalMaxPooling2D()(ln.ones((2, 4, 4, 3))).shape
        (2, 3)
    """

    _rank = 2
    _reduce = staticmethod(ops.reduce_max)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest element of a volume: `[n, depth, height, width, channels]` becomes `[n, channels]`.

    Args:
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, depth, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.GlobalMaxPooling3D()(ln.ones((2, 4, 4, 4, 3))).shape
        (2, 3)
    """

    _rank = 3
    _reduce = staticmethod(ops.reduce_max)
