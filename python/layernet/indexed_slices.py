"""IndexedSlices: the gradient of a table of which only some rows were read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core

__all__ = ["IndexedSlices"]


class IndexedSlices:
    """A tensor that is 0 but for some of its rows: `dense[indices[i]] += values[i]` for every i.

    It is what `GradientTape.gradient` gives for a variable that was read by `gather` alone (an `Embedding`'s table), so
    that the cost of a gradient and of its step hangs on the rows read and not on the size of the table. Optimizers take
    it as it is; where a tensor is wanted, it turns into one.

    Args:
        values: `[k, ...]`, the rows.
        indices: `[k]` integers, their numbers; a number may come again, and its rows add up.
        dense_shape: The shape of the tensor.

    Attributes:
        values: The rows.
        indices: Their numbers.
        dense_shape: The shape of the tensor, as a tuple; also `shape`.
        dtype: The element type.

    Example:
        >>> import layernet as ln
        >>> slices = ln.IndexedSlices([[1.0, 2.0], [10.0, 20.0]], [2, 2], (3, 2))
        >>> ln.convert_to_tensor(slices).numpy()
        array([[ 0.,  0.],
               [ 0.,  0.],
               [11., 22.]], dtype=float32)
    """

    def __init__(self, values: Any, indices: Any, dense_shape: tuple[int, ...]) -> None:
        tensors = (_core.Tensor, _core.Symbol)
        self.values = values if isinstance(values, tensors) else _core.constant(values)
        self.indices = indices if isinstance(indices, tensors) else _core.constant(indices, dtype=_core.int64)
        self.dense_shape = tuple(dense_shape)
        self._like: Any = None  # a variable of that shape, where there is one

    @classmethod
    def of(cls, variable: _core.Variable, values: Any, indices: Any) -> IndexedSlices:
        """The gradient of a variable."""
        slices = cls(values, indices, variable.shape)
        slices._like = variable
        return slices

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole."""
        return self.dense_shape

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self.values.dtype

    def to_dense(self) -> Any:
        """The whole tensor.

        Raises:
            ShapeError: Rows that are not like those of the shape, or another number of indices.
        """
        if self._like is not None:
            return _core.ops.gather_grad(self.values, self._like, self.indices)
        zeros = _core.constant(np.zeros(self.dense_shape, "float32"))
        if self.dtype is not _core.float32:
            zeros = _core.ops.cast(zeros, dtype=self.dtype)
        return _core.ops.scatter_add(zeros, self.indices, self.values)

    def numpy(self) -> npt.NDArray[Any]:
        """The whole tensor as an array."""
        return np.asarray(self.to_dense())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __repr__(self) -> str:
        return f"IndexedSlices({list(self.values.shape)} of {list(self.dense_shape)}, {self.dtype.name})"
