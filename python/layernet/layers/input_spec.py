"""InputSpec: what a layer expects of an input, and the words for what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet.errors import DTypeError, InvalidArgumentError, ShapeError
from layernet.tensor import DTypeLike, as_dtype

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer expects of one input. Everything left out is free.

    Args:
        dtype: Element type.
        shape: Sizes of all axes, None for any size.
        ndim: Number of axes.
        max_ndim: Largest number of axes.
        min_ndim: Smallest number of axes.
        axes: Sizes of some axes, `{axis: size}`; negative axes count from the end.

    Example:
        >>> import layernet as ln
        >>> ln.InputSpec(min_ndim=2, axes={-1: 8})
        InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: DTypeLike | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape or ())
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def problem(self, value: Any) -> tuple[type[InvalidArgumentError], str] | None:
        """What is wrong with `value`: an error class and "expected ..., got ...", or None."""
        shape = tuple(value.shape)
        expected = None
        if self.ndim is not None and len(shape) != self.ndim:
            expected = f"{self.ndim} axes"
        elif self.max_ndim is not None and len(shape) > self.max_ndim:
            expected = f"at most {self.max_ndim} axes"
        elif self.min_ndim is not None and len(shape) < self.min_ndim:
            expected = f"at least {self.min_ndim} axes"
        elif self.dtype is not None and value.dtype != self.dtype:
            return DTypeError, f"expected an input of dtype {self.dtype.name}, got {value.dtype.name}"
        else:
            for axis, size in (*self.axes.items(), *enumerate(self.shape or ())):
                if size is not None and not -len(shape) <= axis < len(shape):
                    expected = f"an axis {axis}"
                elif size is not None and shape[axis] not in (size, None):
                    expected = f"size {size} on axis {axis}"
        if expected is None:
            return None
        return ShapeError, f"expected an input with {expected}, got shape {list(shape)}"

    def __repr__(self) -> str:
        parts: dict[str, Any] = {"dtype": self.dtype and self.dtype.name, "shape": self.shape, "ndim": self.ndim}
        parts.update(max_ndim=self.max_ndim, min_ndim=self.min_ndim, axes=self.axes or None)
        return f"InputSpec({', '.join(f'{key}={value!r}' for key, value in parts.items() if value is not None)})"
