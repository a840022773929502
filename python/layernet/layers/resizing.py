"""ZeroPadding and UpSampling: sequences, images and volumes with more zeros around them, or with steps repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from layernet import ops
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.layers.reshaping import checked_data_format
from layernet.tensor import INTEGER, Tensor

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


class _Resizing(Layer):
    """What the layers share: the place of the spatial axes."""

    _rank = 0

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _first(self) -> int:
        """The first spatial axis."""
        return 1 if self.data_format == "channels_last" else 2

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **({} if self._rank == 1 else {"data_format": self.data_format})}


class _ZeroPadding(_Resizing):
    padding: Any

    def _pairs(self, padding: Any) -> list[tuple[int, int]]:
        """Zeros before and after, for each spatial axis, from a number or numbers or pairs."""
        pairs = [padding] * self._rank if isinstance(padding, INTEGER) else list(padding)
        if self._rank == 1 and not isinstance(padding, INTEGER):
            pairs = [padding]
        both = [(p, p) if isinstance(p, INTEGER) else tuple(p) for p in pairs]
        if len(both) != self._rank or any(len(p) != 2 or min(p) < 0 for p in both):
            raise InvalidArgumentError(
                f"{self._who()}: expected as padding a number of at least 0, or for each of {self._rank} axes "
                f"{'a pair' if self._rank == 1 else 'a number or a pair'}, got {padding!r}."
            )
        return [(int(before), int(after)) for before, after in both]

    def call(self, inputs: Any) -> Tensor:
        """Put the zeros around."""
        paddings = [(0, 0)] * inputs.ndim
        paddings[self._first : self._first + self._rank] = self._pairs(self.padding)
        return ops.pad(inputs, paddings)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape with longer spatial axes."""
        shape = list(input_shape)
        for axis, (before, after) in enumerate(self._pairs(self.padding), self._first):
            size = shape[axis]
            shape[axis] = None if size is None else size + before + after
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence: `[n, steps, channels]` becomes `[n, before + steps + after, channels]`.

    Args:
        padding: A number for both ends, or a pair (before, after), default 1.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative number, or no pair.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ZeroPadding1D((1, 0))(ln.constant([[[5.0]]])).numpy().ravel()
        array([0., 5.], dtype=float32)
    """

    _rank = 1

    def __init__(self, padding: int | Sequence[int] = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        [self.padding] = self._pairs(padding)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around an image: `[n, height, width, channels]`.

    Args:
        padding: A number for all sides, or two numbers (height, width), or two pairs ((top, bottom), (left, right)),
            default (1, 1).
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative number, another count of numbers, or an unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ZeroPadding2D(((1, 0), (0, 2)))(ln.ones((1, 4, 4, 3))).shape
        (1, 5, 6, 3)
    """

    _rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = tuple(self._pairs(padding))


class ZeroPadding3D(_ZeroPadding):
    """Zeros around a volume: `[n, depth, height, width, channels]`.

    Args:
        padding: A number for all sides, or three numbers or pairs, default (1, 1, 1).
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, depth, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative number, another count of numbers, or an unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.ZeroPadding3D((0, 1, (2, 0)))(ln.ones((1, 2, 2, 2, 3))).shape
        (1, 2, 4, 4, 3)
    """

    _rank = 3

    def __init__(self, padding: Any = (1, 1, 1), data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = tuple(self._pairs(padding))


class _UpSampling(_Resizing):
    size: Any

    def _sizes(self, size: int | Sequence[int]) -> tuple[int, ...]:
        sizes = (int(size),) * self._rank if isinstance(size, INTEGER) else tuple(int(s) for s in size)
        if len(sizes) != self._rank or min(sizes) < 1:
            raise InvalidArgumentError(
                f"{self._who()}: expected as size a number of at least 1, or {self._rank} of them, got {size!r}."
            )
        return sizes

    def call(self, inputs: Any) -> Tensor:
        """Repeat the steps, one spatial axis after the other: `[n, a, b]` as `[n, a, 1, b]` is repeated along the 1."""
        if None in self.compute_output_shape(inputs.shape)[1:]:
            raise ShapeError(f"{self._who()}: expected known sizes but for the batch, got {list(inputs.shape)}.")
        rows, *sizes = inputs.shape
        rows = -1 if rows is None else rows
        for place, times in enumerate(self._sizes(self.size), self._first - 1):
            before, after = math.prod(sizes[: place + 1]), math.prod(sizes[place + 1 :])
            sizes[place] *= times
            repeated = ops.tile(ops.reshape(inputs, [rows, before, 1, after]), [1, 1, times, 1])
            inputs = ops.reshape(repeated, [rows, *sizes])
        result: Tensor = inputs
        return result

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape with spatial axes times `size`."""
        shape = list(input_shape)
        for axis, times in enumerate(self._sizes(self.size), self._first):
            size = shape[axis]
            shape[axis] = None if size is None else size * times
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.size}


class UpSampling1D(_UpSampling):
    """Each step repeated: `[n, steps, channels]` becomes `[n, steps * size, channels]`.

    Args:
        size: How often, default 2.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A size below 1.
        ShapeError: When called, an unknown number of steps.

    Example:
        >>> import layernet as ln
        >>> ln.layers.UpSampling1D(2)(ln.constant([[[1.0], [3.0]]])).numpy().ravel()
        array([1., 1., 3., 3.], dtype=float32)
    """

    _rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        [self.size] = self._sizes(size)


class UpSampling2D(_UpSampling):
    """Each pixel repeated: `[n, height, width, channels]` becomes `[n, height * size[0], width * size[1], channels]`.

    Args:
        size: How often, a number or two, default (2, 2).
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A size below 1, or an unknown data format.
        ShapeError: When called, an unknown height or width.

    Example:
        >>> import layernet as ln
        >>> ln.layers.UpSampling2D((1, 2))(ln.constant([[[[1.0], [3.0]]]])).numpy().ravel()
        array([1., 1., 3., 3.], dtype=float32)
    """

    _rank = 2

    def __init__(self, size: int | Sequence[int] = (2, 2), data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = self._sizes(size)


class UpSampling3D(_UpSampling):
    """Each voxel repeated, as `UpSampling2D` does for images: `[n, depth, height, width, channels]`.

    Args:
        size: How often, a number or three, default (2, 2, 2).
        data_format: "channels_last" (default), or "channels_first" for `[n, channels, depth, height, width]`.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A size below 1, or an unknown data format.
        ShapeError: When called, an unknown size of a spatial axis.

    Example:
        >>> import layernet as ln
        >>> ln.layers.UpSampling3D(2)(ln.ones((1, 2, 3, 4, 5))).shape
        (1, 4, 6, 8, 5)
    """

    _rank = 3

    def __init__(
        self, size: int | Sequence[int] = (2, 2, 2), data_format: str = "channels_last", **kwargs: Any
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = self._sizes(size)
