"""Partitioned variables: one variable of a layer kept as several, cut along one axis.

The pieces are variables like any other: they are listed, trained, saved and restored one by one, under TensorFlow's
names (`net/dense/kernel/part_0`). The layer that asked for the whole gets an object that reads as their concatenation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from layernet.errors import InvalidArgumentError, ShapeError
from layernet.naming import Partitioner
from layernet.tensor import DType, DTypeLike, Tensor, TensorLike, as_dtype, constant, core_ops
from layernet.variable import PieceOf, Variable, VariableAggregation, VariableSynchronization

__all__ = ["PartitionInfo", "PartitionedVariable", "fixed_size_partitioner", "variable_axis_size_partitioner"]


class PartitionInfo(NamedTuple):
    """What an initializer that asks for `partition_info` learns about the piece that it makes.

    Attributes:
        full_shape: Shape of the whole variable.
        var_offset: Where the piece starts in it, on each axis.
    """

    full_shape: tuple[int, ...]
    var_offset: tuple[int, ...]


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """A partitioner that cuts every variable into the same number of pieces, fewer where the axis is shorter.

    Args:
        num_shards: Number of pieces, 1 or more.
        axis: The axis to cut, default 0.

    Returns:
        A function of `shape` and `dtype` that gives the number of pieces along each axis.

    Raises:
        ValueError: A number below 1; when called, a shape without that axis.

    Reference: `tf.fixed_size_partitioner` of TensorFlow 1.10.

    Example:
        >>> import layernet as ln
        >>> ln.fixed_size_partitioner(3, axis=1)(shape=(4, 8), dtype="float32")
        [1, 3]
        >>> with ln.variable_scope("cut", partitioner=ln.fixed_size_partitioner(2)):
        ...     layer = ln.layers.Dense(2, use_bias=False)
        ...     y = layer(ln.ones((1, 3)))
        >>> [(v.name, v.shape) for v in layer.variables]
        [('cut/dense/kernel/part_0:0', (2, 2)), ('cut/dense/kernel/part_1:0', (1, 2))]
    """
    _at_least_one("fixed_size_partitioner", "num_shards", num_shards)

    def partitioner(shape: Sequence[int], dtype: DTypeLike = "float32") -> list[int]:
        pieces = [1] * len(shape)
        _check_axis("fixed_size_partitioner", axis, shape)
        pieces[axis] = max(1, min(num_shards, shape[axis]))
        return pieces

    return partitioner


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> Partitioner:
    """A partitioner that keeps each piece below a number of bytes, with as few pieces as that allows.

    A piece has `max(1, floor(max_shard_bytes / bytes of one slice))` slices of the axis; `max_shards` goes first.

    Args:
        max_shard_bytes: Bytes of a piece, 1 or more; a single slice may exceed it.
        axis: The axis to cut, default 0.
        bytes_per_string_element: Accepted and not used, since there are no variables of strings.
        max_shards: The most pieces to cut into; None (default) sets no limit.

    Returns:
        A function of `shape` and `dtype` that gives the number of pieces along each axis.

    Raises:
        ValueError: A number below 1; when called, a shape without that axis.

    Reference: `tf.variable_axis_size_partitioner` of TensorFlow 1.10.

    Example:
        >>> import layernet as ln
        >>> cut = ln.variable_axis_size_partitioner(64)
        >>> cut(shape=(10, 4), dtype="float32"), cut(shape=(10, 4), dtype="float64")
        ([3, 1], [5, 1])
    """
    _at_least_one("variable_axis_size_partitioner", "max_shard_bytes", max_shard_bytes)
    _at_least_one("variable_axis_size_partitioner", "bytes_per_string_element", bytes_per_string_element)
    if max_shards is not None:
        _at_least_one("variable_axis_size_partitioner", "max_shards", max_shards)

    def partitioner(shape: Sequence[int], dtype: DTypeLike = "float32") -> list[int]:
        pieces = [1] * len(shape)
        _check_axis("variable_axis_size_partitioner", axis, shape)
        size = shape[axis]
        if size > 1:
            slice_bytes = math.prod(shape) // size * as_dtype(dtype).itemsize
            slices = max(1, max_shard_bytes // max(1, slice_bytes))
            pieces[axis] = min(-(-size // slices), max_shards or size)
        return pieces

    return partitioner


class PartitionedVariable:
    """Several variables that read as one: their concatenation along an axis.

    `add_weight` makes one where a partitioner is given or in force. Ops take it like a variable; gradients reach each
    piece, which optimizers, `Saver` and the lists of a layer have as variables of their own. A constraint works on each
    piece by itself.

    Args:
        full_name: The name of the whole, without ":0".
        pieces: The variables, in order; at least one, of one axis or more, equal in all sizes except that of `axis`.
        axis: The axis along which they are put together.

    Raises:
        ValueError: No pieces.

    Example:
        >>> import layernet as ln
        >>> whole = ln.PartitionedVariable("w", [ln.Variable([1.0, 2.0]), ln.Variable([3.0])])
        >>> whole.shape, (whole * 2.0).numpy()
        ((3,), array([2., 4., 6.], dtype=float32))
        >>> with ln.GradientTape() as tape:
        ...     loss = ln.reduce_sum(ln.square(whole))
        >>> [g.numpy() for g in tape.gradient(loss, list(whole))]
        [array([2., 4.], dtype=float32), array([6.], dtype=float32)]
    """

    __array_priority__ = 1000  # array * variable is ours

    def __init__(self, full_name: str, pieces: Sequence[Variable], axis: int = 0) -> None:
        if not pieces:
            raise InvalidArgumentError(f"PartitionedVariable '{full_name}': expected at least one piece, got none.")
        if any(not piece.shape for piece in pieces):
            raise ShapeError(f"PartitionedVariable '{full_name}': expected pieces with axes, got a scalar.")
        self._full_name = full_name
        self._pieces = list(pieces)
        self.axis = axis

    @property
    def name(self) -> str:
        """The name of the whole; the pieces are called `<name>/part_<number>:0`."""
        return self._full_name

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self._pieces[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole."""
        shape = list(self._pieces[0].shape)
        shape[self.axis] = sum(piece.shape[self.axis] for piece in self._pieces)
        return tuple(shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._pieces[0].ndim

    @property
    def size(self) -> int:
        """Number of elements of the whole."""
        return sum(piece.size for piece in self._pieces)

    @property
    def trainable(self) -> bool:
        """Whether gradient tapes watch the pieces."""
        return self._pieces[0].trainable

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        """What optimizers apply to each piece."""
        return self._pieces[0].constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        """As given to `add_weight`."""
        return self._pieces[0].synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        """As given to `add_weight`."""
        return self._pieces[0].aggregation

    def __len__(self) -> int:
        return len(self._pieces)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._pieces)

    def value(self) -> Tensor:
        """The concatenation, read now."""
        if len(self._pieces) == 1:
            return self._pieces[0].value()
        whole: Tensor = core_ops.concat(self._pieces, axis=self.axis)
        return whole

    def as_tensor(self) -> Tensor:
        """The same as `value`, under TensorFlow's name."""
        return self.value()

    def __layernet_value__(self) -> Tensor:
        return self.value()

    def numpy(self) -> npt.NDArray[Any]:
        """An array of the whole."""
        return np.concatenate([piece.numpy() for piece in self._pieces], self.axis)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.numpy().astype(dtype or self.numpy().dtype, copy=False)

    def assign(self, value: TensorLike) -> PartitionedVariable:
        """Replace the values of all pieces by those of an array of the whole's shape.

        Args:
            value: Numbers of the whole's shape; converted to the dtype.

        Returns:
            The variable.

        Raises:
            ShapeError: Another shape.
        """
        whole = constant(np.asarray(value), dtype=self.dtype)
        if whole.shape != self.shape:
            raise ShapeError(
                f"variable '{self.name}': expected values of shape {list(self.shape)}, got {list(whole.shape)}."
            )
        begin = 0
        for piece in self._pieces:
            end = begin + piece.shape[self.axis]
            piece.assign(PieceOf(self.name, self.shape, self.axis, begin, end).cut(whole))
            begin = end
        return self

    def __getitem__(self, index: Any) -> Tensor:
        return self.value()[index]

    def __repr__(self) -> str:
        return (
            f"<PartitionedVariable '{self.name}' shape={self.shape} dtype={self.dtype.name}, {len(self)} pieces along "
            f"axis {self.axis}>"
        )


def _forward(name: str) -> None:
    def operator(self: PartitionedVariable, *others: Any) -> Any:
        return getattr(self.value(), name)(*others)

    operator.__name__ = name
    setattr(PartitionedVariable, name, operator)


for _symbol in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    _forward(f"__{_symbol}__")
    _forward(f"__r{_symbol}__")
for _symbol in ("lt", "le", "gt", "ge", "neg", "pos", "abs"):
    _forward(f"__{_symbol}__")


def partitioned(
    name: str,
    full_name: str,
    shape: tuple[int, ...],
    dtype: DType,
    partitioner: Partitioner,
    initial_value: Callable[[tuple[int, ...], PartitionInfo | None], Any],
    takes_info: bool,
    make: Callable[[str, tuple[int, ...], Callable[[], Any], PieceOf], Variable],
) -> PartitionedVariable:
    """The pieces that a partitioner asks for, made and put together.

    Args:
        name: The variable's name in its layer.
        full_name: Its name with the scope.
        shape: Shape of the whole, at least one axis.
        dtype: Element type.
        partitioner: Says how many pieces.
        initial_value: Function of a shape and of information on the piece.
        takes_info: Whether to ask it for each piece, as TensorFlow does. Otherwise it gives the whole, which is cut, so
            that a partitioned variable starts with the values of one that is not.
        make: Makes a piece of a name, a shape, a function that gives its initial value, and its place in the whole.

    Raises:
        ValueError: The partitioner does not give numbers of pieces for which the shape has room, or cuts two axes.
    """
    axis, count = _cut_of(full_name, shape, dtype, partitioner)
    whole: list[Any] = []

    def first_value(piece: PieceOf, piece_shape: tuple[int, ...]) -> Any:
        if takes_info:
            offset = tuple(piece.begin if i == axis else 0 for i in range(len(shape)))
            return initial_value(piece_shape, PartitionInfo(shape, offset))
        if not whole:
            whole.append(initial_value(shape, None))
        return piece.cut(whole[0])

    variables = []
    siblings: list[Any] = []
    size, longer = divmod(shape[axis], count)
    begin = 0
    for number in range(count):
        end = begin + size + (number < longer)
        piece = PieceOf(full_name, shape, axis, begin, end)
        piece.siblings = siblings
        piece_shape = (*shape[:axis], end - begin, *shape[axis + 1 :])

        def value(piece: PieceOf = piece, piece_shape: tuple[int, ...] = piece_shape) -> Any:
            return first_value(piece, piece_shape)

        variables.append(make(f"{name}/part_{number}", piece_shape, value, piece))
        begin = end
    siblings.clear()
    return PartitionedVariable(full_name, variables, axis)


def _cut_of(full_name: str, shape: tuple[int, ...], dtype: DType, partitioner: Partitioner) -> tuple[int, int]:
    """The axis that is cut, and into how many pieces."""
    pieces = list(partitioner(shape=shape, dtype=dtype))
    good = len(pieces) == len(shape) and all(isinstance(n, (int, np.integer)) and n >= 1 for n in pieces)
    if not good or any(n > max(1, size) for n, size in zip(pieces, shape, strict=True)):
        raise InvalidArgumentError(
            f"variable '{full_name}': expected the partitioner to give a number of pieces, 1 or more, for each axis of "
            f"{list(shape)}, got {pieces}."
        )
    cut = [axis for axis, count in enumerate(pieces) if count > 1]
    if len(cut) > 1:
        raise InvalidArgumentError(
            f"variable '{full_name}': expected a partitioner that cuts one axis, got pieces {pieces} for shape "
            f"{list(shape)}."
        )
    axis = cut[0] if cut else 0
    return axis, int(pieces[axis])


def _at_least_one(who: str, what: str, value: int) -> None:
    if value < 1:
        raise InvalidArgumentError(f"{who}: expected {what} >= 1, got {value}.")


def _check_axis(who: str, axis: int, shape: Sequence[int]) -> None:
    if not -len(shape) <= axis < len(shape):
        raise InvalidArgumentError(f"{who}: expected a variable with axis {axis}, got shape {list(shape)}.")
