"""Flatten, Reshape, Permute, RepeatVector: the same numbers in another shape, the batch axis kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from layernet import ops
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import INTEGER, Tensor

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """All axes but the batch axis made into one: `[n, a, b, ...]` becomes `[n, a * b * ...]`.

    Args:
        data_format: "channels_last" (default), or "channels_first": then axis 1 is moved to the end before.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown data format.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Flatten()(ln.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Tensor:
        """Flatten `[n, ...]`."""
        if self.data_format == "channels_first":
            inputs = ops.transpose(inputs, [0, *range(2, inputs.ndim), 1])
        rows, size = self.compute_output_shape(inputs.shape)
        return ops.reshape(inputs, [-1 if rows is None else rows, -1 if size is None else size])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(n, a * b * ...)`, the second None if a size is unknown."""
        sizes = [size for size in input_shape[1:] if size is not None]
        return (input_shape[0], math.prod(sizes) if len(sizes) == len(input_shape) - 1 else None)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Rows in another shape: `[n, ...]` becomes `[n, *target_shape]`.

    Args:
        target_shape: Shape of a row, or one size; one may be -1, which means what is left.
        **kwargs: As for `Layer`.

    Raises:
        ShapeError: When called, an input with another number of elements in a row.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Reshape((2, -1))(ln.ones((5, 6))).shape
        (5, 2, 3)
    """

    def __init__(self, target_shape: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = (target_shape,) if isinstance(target_shape, INTEGER) else target_shape
        self.target_shape = tuple(int(size) for size in sizes)
        if self.target_shape.count(-1) > 1:
            raise InvalidArgumentError(f"{self._who()}: expected at most one -1, got {self.target_shape}.")

    def call(self, inputs: Any) -> Tensor:
        """Reshape `[n, ...]`."""
        rows, *row = self.compute_output_shape(inputs.shape)
        return ops.reshape(inputs, [-1 if size is None else size for size in (rows, *row)])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(n, *target_shape)` with -1 replaced, by None if a size is unknown."""
        sizes = [size for size in input_shape[1:] if size is not None]
        known = math.prod(size for size in self.target_shape if size != -1)
        if len(sizes) < len(input_shape) - 1:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        total = math.prod(sizes)
        fits = total == known if -1 not in self.target_shape else known > 0 and total % known == 0
        if not fits:
            raise ShapeError(
                f"{self._who()}: expected rows that can be made into shape {list(self.target_shape)}, "
                f"got shape {list(input_shape)}."
            )
        return (input_shape[0], *(total // known if size == -1 else size for size in self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Axes of a row in another order: axis i of the output is axis `dims[i - 1]` of the input.

    Args:
        dims: The axes of a row, counted from 1, each once.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Not the numbers from 1 to their count.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Permute((2, 1))(ln.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(int(axis) for axis in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise InvalidArgumentError(
                f"{self._who()}: expected the axes 1 to {len(self.dims)} in some order, got {self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Tensor:
        """Permute the axes of `[n, ...]`."""
        return ops.transpose(inputs, [0, *self.dims])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The sizes in the new order."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Rows repeated as steps of a sequence: `[rows, features]` becomes `[rows, n, features]`.

    Args:
        n: How often.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A negative number.

    Example:
        >>> import layernet as ln
        >>> ln.layers.RepeatVector(2)(ln.constant([[1.0, 3.0]])).numpy()
        array([[[1., 3.],
                [1., 3.]]], dtype=float32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if n < 0:
            raise InvalidArgumentError(f"{self._who()}: expected n of at least 0, got {n}.")
        self.n = int(n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Tensor:
        """Repeat the rows of `[rows, features]`."""
        return ops.tile(ops.expand_dims(inputs, 1), [1, self.n, 1])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(rows, n, features)`."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "n": self.n}


def checked_data_format(layer: Layer, data_format: str) -> str:
    """`data_format` in lower case, if it is a known one."""
    if str(data_format).lower() not in ("channels_last", "channels_first"):
        raise InvalidArgumentError(
            f"{layer._who()}: expected the data format 'channels_last' or 'channels_first', got {data_format!r}."
        )
    return data_format.lower()
