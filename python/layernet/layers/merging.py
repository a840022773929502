"""Add, Subtract, Multiply, Average, Maximum, Concatenate: layers of several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from layernet import ops
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.layers.base import Layer, Shape
from layernet.tensor import Tensor, convert_to_tensor

__all__ = ["Add", "Average", "Concatenate", "Maximum", "Multiply", "Subtract"]


class _Merge(Layer):
    """Several inputs, broadcast against each other, made into one; masks are joined with "and"."""

    _most = 0  # the largest number of inputs; 0 means any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Check the number of inputs and their shapes."""
        is_list = len(input_shape) > 0 and isinstance(input_shape[0], (tuple, list))
        self._check_count(list(input_shape) if is_list else input_shape[:0])
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Sequence[Any]) -> Tensor:
        """Merge `[x1, x2, ...]`."""
        self._check_count(inputs)
        rank = max(x.ndim for x in inputs)
        # An input with fewer axes gets new ones after the batch axis.
        return self._merge([reduce(lambda x, _: ops.expand_dims(x, 1), range(rank - x.ndim), x) for x in inputs])

    def _merge(self, inputs: list[Any]) -> Tensor:
        raise NotImplementedError

    def _check_count(self, inputs: Any) -> None:
        count = len(inputs) or 1
        if count < 2 or (self._most and count > self._most):
            wanted = f"exactly {self._most}" if self._most else "two or more"
            raise InvalidArgumentError(f"{self._who()}: expected a list of {wanted} inputs, got {count}.")

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape to which all inputs broadcast."""
        rank = max(map(len, input_shape))
        padded = [(*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in input_shape]
        sizes: list[int | None] = []
        for column in zip(*padded, strict=True):
            known = {size for size in column if size not in (None, 1)}
            if len(known) > 1:
                raise ShapeError(f"{self._who()}: expected shapes that broadcast, got {_text(input_shape)}.")
            sizes.append(known.pop() if known else None if None in column else 1)
        return tuple(sizes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where all inputs that have a mask are valid."""
        masks = [one for one in mask or [] if one is not None]
        return reduce(ops.logical_and, masks) if masks else None


class Add(_Merge):
    """The sum of two or more inputs.

    Args:
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Add()([ln.constant([[1.0]]), ln.constant([[2.0]])]).numpy()
        array([[3.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Tensor:
        return _folded(ops.add, inputs)


class Subtract(_Merge):
    """The first input minus the second.

    Args:
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Subtract()([ln.constant([[1.0]]), ln.constant([[2.0]])]).numpy()
        array([[-1.]], dtype=float32)
    """

    _most = 2

    def _merge(self, inputs: list[Any]) -> Tensor:
        return ops.subtract(*inputs)


class Multiply(_Merge):
    """The product of two or more inputs, element by element.

    Args:
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Multiply()([ln.constant([[3.0]]), ln.constant([[2.0]])]).numpy()
        array([[6.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Tensor:
        return _folded(ops.multiply, inputs)


class Average(_Merge):
    """The mean of two or more inputs, element by element.

    Args:
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Average()([ln.constant([[1.0]]), ln.constant([[2.0]])]).numpy()
        array([[1.5]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Tensor:
        return ops.divide(_folded(ops.add, inputs), float(len(inputs)))


class Maximum(_Merge):
    """The largest of two or more inputs, element by element.

    Args:
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Maximum()([ln.constant([[1.0]]), ln.constant([[2.0]])]).numpy()
        array([[2.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Tensor:
        return _folded(ops.maximum, inputs)


class Concatenate(_Merge):
    """Two or more inputs joined along an axis.

    Args:
        axis: The axis, default the last.
        **kwargs: As for `Layer`.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Concatenate()([ln.constant([[1.0]]), ln.constant([[2.0, 3.0]])]).numpy()
        array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Sequence[Any]) -> Tensor:
        """Join `[x1, x2, ...]`."""
        self._check_count(inputs)
        return ops.concat(inputs, self.axis)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The sizes of the first input, added up along the axis."""
        first = list(input_shape[0])
        others = [[*s[: self.axis], *s[self.axis :][1:]] for s in input_shape]
        same_rank = all(len(s) == len(first) for s in input_shape) and -len(first) <= self.axis < len(first)
        if not same_rank or any(
            a != b and None not in (a, b) for row in others for a, b in zip(row, others[0], strict=True)
        ):
            raise ShapeError(
                f"{self._who()}: expected shapes alike but for axis {self.axis}, got {_text(input_shape)}."
            )
        sizes = [s[self.axis] for s in input_shape]
        known = [size for size in sizes if size is not None]
        first[self.axis] = sum(known) if len(known) == len(sizes) else None
        return tuple(first)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks joined along the axis, true for inputs without one."""
        if mask is None or all(one is None for one in mask):
            return None
        return ops.reduce_all(
            ops.concat([_full_mask(x, one) for x, one in zip(inputs, mask, strict=True)], self.axis), axis=-1
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


def _full_mask(x: Any, mask: Any) -> Tensor:
    """A mask of all of x's elements."""
    everything = ops.equal(ops.zeros_like(x), ops.zeros_like(x))
    if mask is None:
        return everything
    expand: Callable[[Any, int], Any] = lambda m, _: ops.expand_dims(m, -1)  # noqa: E731
    return ops.logical_and(everything, reduce(expand, range(x.ndim - mask.ndim), mask))


def _folded(op: Callable[[Any, Any], Tensor], inputs: list[Any]) -> Tensor:
    return reduce(op, inputs[1:], convert_to_tensor(inputs[0]))


def _text(shapes: Sequence[Shape]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)
