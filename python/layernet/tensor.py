"""The value types, what may stand for a value, and how Python and numpy values become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from layernet import _core
from layernet.indexed_slices import IndexedSlices

__all__ = ["DType", "Symbol", "Tensor", "TensorLike", "as_dtype", "constant", "convert_to_tensor", "from_numpy"]

Tensor = _core.Tensor
Symbol = _core.Symbol
DType = _core.DType

DTypeLike: TypeAlias = "DType | str | npt.DTypeLike"
# What an op takes (bool and int are floats). An op on a Symbol returns a Symbol, although its type says Tensor.
TensorLike: TypeAlias = (
    "Tensor | Symbol | _core.Variable | IndexedSlices | npt.NDArray[Any] | np.generic | float | Sequence[Any]"
)
INTEGER = (int, np.integer)  # for isinstance: sizes and axes come from numpy too

core_ops = _core.ops
as_dtype = _core.as_dtype


def constant(value: TensorLike, dtype: DTypeLike | None = None, shape: Sequence[int] | None = None) -> Tensor:
    """A tensor with a copy of the given numbers.

    Python floats become float32, ints int32 and bools bool; arrays keep their dtype. Lists of Python numbers have one
    type for all: float32 if any is a float, else int32 if any is an int. A list that starts with a numpy scalar, an
    array or a tensor gets the dtype that numpy gives it.

    Args:
        value: A number, nested lists of numbers or an array.
        dtype: The tensor's dtype; None (default) takes it from `value`.
        shape: The tensor's shape; one number fills it, as many numbers as it has are put in row by row.

    Returns:
        A tensor.

    Raises:
        InvalidArgumentError: Objects, strings, complex numbers, lists of different lengths, integers that do not fit
            the dtype (`ln.cast` wraps them around), or a shape that does not fit.

    Example:
        >>> import layernet as ln
        >>> ln.constant([1, 2, 3, 4], dtype="float32", shape=(2, 2)).numpy()
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """
    return _core.constant(value, dtype=dtype, shape=shape)


def from_numpy(x: npt.NDArray[Any], copy: bool = True) -> Tensor:
    """A tensor with an array's numbers.

    Args:
        x: An array of a numeric type or bool.
        copy: False shares the array's memory. Nothing may write into the array afterwards: a tensor is a value.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> import numpy as np
        >>> ln.from_numpy(np.arange(3.0), copy=False).numpy()
        array([0., 1., 2.])
    """
    return _core.from_numpy(x, copy=copy)


def convert_to_tensor(value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """`value` as a tensor; tensors and symbols are returned as they are, variables are read.

    Args:
        value: A tensor, symbol, variable, array, number, nested lists of numbers or `IndexedSlices`.
        dtype: The dtype for numbers and lists; None (default) takes it from `value`.

    Returns:
        A tensor or symbol.

    Example:
        >>> import layernet as ln
        >>> ln.convert_to_tensor([1.0, 2.0]).dtype.name
        'float32'
    """
    if isinstance(value, (Tensor, Symbol)):
        return cast(Tensor, value)
    if isinstance(value, _core.Variable):
        return core_ops.identity(value)
    if isinstance(value, IndexedSlices):
        return cast(Tensor, value.to_dense())
    return _core.constant(value, dtype=dtype)
