"""The ops under TensorFlow's names: typed, documented, one line each. All numbers are produced in C++.

Every function takes tensors, variables, arrays, numbers and nested lists, and computes at once. Given a symbol (what
`ln.Input` and symbolic calls return) it records itself instead and returns a symbol with the shape inferred. Binary ops
broadcast as numpy does; their operands must agree in dtype, and numbers, lists and arrays are converted to the dtype of
the tensor beside them.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layernet import random
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.tensor import (
    INTEGER,
    DTypeLike,
    Symbol,
    Tensor,
    TensorLike,
    as_dtype,
    constant,
    convert_to_tensor,
    core_ops,
    from_numpy,
)

__all__ = [
    "abs",
    "add",
    "argmax",
    "argmin",
    "assign",
    "assign_add",
    "assign_sub",
    "broadcast_to",
    "cast",
    "ceil",
    "clip_by_value",
    "concat",
    "constant",
    "convert_to_tensor",
    "cos",
    "divide",
    "equal",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "fill",
    "floor",
    "floordiv",
    "from_numpy",
    "gather",
    "greater",
    "greater_equal",
    "identity",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "moving_average",
    "multiply",
    "negative",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "pow",
    "random_normal",
    "random_uniform",
    "range",
    "reciprocal",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "reduce_variance",
    "reshape",
    "round",
    "rsqrt",
    "scatter_add",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "slice",
    "split",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stack",
    "stop_gradient",
    "subtract",
    "tanh",
    "tile",
    "transpose",
    "truncated_normal",
    "unstack",
    "where",
    "zeros",
    "zeros_like",
]

Axis = int | Sequence[int] | None

# --- making tensors ---------------------------------------------------------------------------------------------------


def zeros(shape: int | Sequence[int], dtype: DTypeLike = "float32") -> Tensor:
    """A tensor of zeros.

    Args:
        shape: Its sizes, or one number for one axis.
        dtype: Its element type, default float32.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.zeros((1, 2)).numpy()
        array([[0., 0.]], dtype=float32)
    """
    return constant(0, dtype=dtype, shape=_sizes(shape))


def ones(shape: int | Sequence[int], dtype: DTypeLike = "float32") -> Tensor:
    """A tensor of ones.

    Args:
        shape: Its sizes, or one number for one axis.
        dtype: Its element type, default float32.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.ones((1, 2)).numpy()
        array([[1., 1.]], dtype=float32)
    """
    return constant(1, dtype=dtype, shape=_sizes(shape))


def fill(shape: int | Sequence[int], value: float, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor with one number everywhere.

    Args:
        shape: Its sizes, or one number for one axis.
        value: The number.
        dtype: Its element type; None (default) takes that of the number.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.fill((3,), 7).numpy()
        array([7, 7, 7], dtype=int32)
    """
    return constant(value, dtype=dtype, shape=_sizes(shape))


def eye(rows: int, columns: int | None = None, dtype: DTypeLike = "float32") -> Tensor:
    """The identity matrix.

    Args:
        rows: Number of rows.
        columns: Number of columns, default as many as rows.
        dtype: Element type, default float32.

    Returns:
        A tensor `[rows, columns]`.

    Example:
        >>> import layernet as ln
        >>> ln.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return constant(np.eye(rows, columns), dtype=dtype)


def range(start: float, limit: float | None = None, delta: float = 1, dtype: DTypeLike | None = None) -> Tensor:
    """Numbers from `start` up to, not including, `limit`.

    Args:
        start: The first number; when it is the only argument, the limit, and the first number is 0.
        limit: Where to stop.
        delta: Step, default 1.
        dtype: Element type; None (default) is int32 for ints and float32 for floats.

    Returns:
        A vector.

    Example:
        >>> import layernet as ln
        >>> ln.range(3).numpy()
        array([0, 1, 2], dtype=int32)
    """
    if delta == 0:
        raise InvalidArgumentError("range: expected a step other than 0, got delta=0.")
    first, last = (0, start) if limit is None else (start, limit)
    values = np.arange(first, last, delta)
    return constant(values, dtype=dtype or ("int32" if values.dtype.kind == "i" else "float32"))


# --- elementwise, one operand -----------------------------------------------------------------------------------------


def negative(x: TensorLike) -> Tensor:
    """The opposite: `y = -x`.

    Args:
        x: A tensor of numbers, any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.negative([1.0, -2.0]).numpy()
        array([-1.,  2.], dtype=float32)
    """
    return core_ops.negative(x)


def abs(x: TensorLike) -> Tensor:
    """The absolute value; the gradient at 0 is 0: `y = |x|`.

    Args:
        x: A tensor of numbers, any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.abs([1.0, -2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return core_ops.abs(x)


def sign(x: TensorLike) -> Tensor:
    """The sign: `y = -1, 0 or 1`.

    Args:
        x: A tensor of numbers, any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.sign([3.0, 0.0, -2.0]).numpy()
        array([ 1.,  0., -1.], dtype=float32)
    """
    return core_ops.sign(x)


def square(x: TensorLike) -> Tensor:
    """The square: `y = x * x`.

    Args:
        x: A tensor of numbers, any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.square([1.0, -2.0]).numpy()
        array([1., 4.], dtype=float32)
    """
    return core_ops.square(x)


def sqrt(x: TensorLike) -> Tensor:
    """The square root: `y = x ** 0.5`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.sqrt([4.0, 9.0]).numpy()
        array([2., 3.], dtype=float32)
    """
    return core_ops.sqrt(x)


def rsqrt(x: TensorLike) -> Tensor:
    """The reciprocal of the square root: `y = x ** -0.5`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.rsqrt([4.0, 16.0]).numpy()
        array([0.5 , 0.25], dtype=float32)
    """
    return core_ops.rsqrt(x)


def reciprocal(x: TensorLike) -> Tensor:
    """The reciprocal: `y = 1 / x`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.reciprocal([4.0, -2.0]).numpy()
        array([ 0.25, -0.5 ], dtype=float32)
    """
    return core_ops.reciprocal(x)


def exp(x: TensorLike) -> Tensor:
    """The exponential: `y = e ** x`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.exp([0.0, 1.0]).numpy()
        array([1.       , 2.7182817], dtype=float32)
    """
    return core_ops.exp(x)


def expm1(x: TensorLike) -> Tensor:
    """The exponential minus 1, exact near 0: `y = e ** x - 1`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.expm1([0.0, 1e-8]).numpy()
        array([0.e+00, 1.e-08], dtype=float32)
    """
    return core_ops.expm1(x)


def log(x: TensorLike) -> Tensor:
    """The natural logarithm: `y = ln x`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.log([1.0, 0.0]).numpy()
        array([  0., -inf], dtype=float32)
    """
    return core_ops.log(x)


def log1p(x: TensorLike) -> Tensor:
    """The logarithm of 1 + x, exact near 0: `y = ln(1 + x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.log1p([0.0, 1e-8]).numpy()
        array([0.e+00, 1.e-08], dtype=float32)
    """
    return core_ops.log1p(x)


def floor(x: TensorLike) -> Tensor:
    """The largest integer not above: `y = floor(x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.floor([1.5, -1.5]).numpy()
        array([ 1., -2.], dtype=float32)
    """
    return core_ops.floor(x)


def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below: `y = ceil(x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.ceil([1.5, -1.5]).numpy()
        array([ 2., -1.], dtype=float32)
    """
    return core_ops.ceil(x)


def round(x: TensorLike) -> Tensor:
    """The nearest integer, halves to the even one: `y = round(x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.round([0.5, 1.5, -1.7]).numpy()
        array([ 0.,  2., -2.], dtype=float32)
    """
    return core_ops.round(x)


def sin(x: TensorLike) -> Tensor:
    """The sine: `y = sin x, x in radians`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.sin([0.0]).numpy()
        array([0.], dtype=float32)
    """
    return core_ops.sin(x)


def cos(x: TensorLike) -> Tensor:
    """The cosine: `y = cos x, x in radians`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.cos([0.0]).numpy()
        array([1.], dtype=float32)
    """
    return core_ops.cos(x)


def erf(x: TensorLike) -> Tensor:
    """The error function: `y = 2 / sqrt(pi) * integral of exp(-t * t) from 0 to x`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.erf([0.0, 10.0]).numpy()
        array([0., 1.], dtype=float32)
    """
    return core_ops.erf(x)


def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent: `y = (e**x - e**-x) / (e**x + e**-x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.tanh([0.0, 20.0]).numpy()
        array([0., 1.], dtype=float32)
    """
    return core_ops.tanh(x)


def sigmoid(x: TensorLike) -> Tensor:
    """The logistic function: `y = 1 / (1 + e**-x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.sigmoid([0.0, 100.0]).numpy()
        array([0.5, 1. ], dtype=float32)
    """
    return core_ops.sigmoid(x)


def logical_not(x: TensorLike) -> Tensor:
    """Not: `y = not x`.

    Args:
        x: A bool tensor, any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.logical_not([True, False]).numpy()
        array([False,  True])
    """
    return core_ops.logical_not(x)


def zeros_like(x: TensorLike) -> Tensor:
    """Zeros of the same shape: `y = 0`.

    Args:
        x: A tensor.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.zeros_like([1.0, 2.0]).numpy()
        array([0., 0.], dtype=float32)
    """
    return core_ops.zeros_like(x)


def ones_like(x: TensorLike) -> Tensor:
    """Ones of the same shape: `y = 1`.

    Args:
        x: A tensor.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.ones_like([1.0, 2.0]).numpy()
        array([1., 1.], dtype=float32)
    """
    return core_ops.ones_like(x)


def identity(x: TensorLike) -> Tensor:
    """A new tensor with the same values: `y = x`.

    Args:
        x: A tensor, symbol, variable or array.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.identity([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return core_ops.identity(x)


def stop_gradient(x: TensorLike) -> Tensor:
    """The same values, a constant to gradient tapes: `y = x, dy/dx = 0`.

    Args:
        x: A tensor.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.stop_gradient([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return core_ops.stop_gradient(x)


def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """The same numbers in another element type.

    Args:
        x: A tensor of any shape.
        dtype: The new type. Floats are cut towards 0 and limited to an integer type's range, NaN becomes 0; to bool is
            `x != 0`.

    Returns:
        A tensor of x's shape.

    Example:
        >>> import layernet as ln
        >>> ln.cast([1.7, -1.7], "int32").numpy()
        array([ 1, -1], dtype=int32)
    """
    return core_ops.cast(x, dtype=as_dtype(dtype))


def clip_by_value(t: TensorLike, clip_value_min: float, clip_value_max: float) -> Tensor:
    """Values moved into an interval: `y = min(max(t, low), high)`; NaN stays NaN.

    Args:
        t: A tensor of numbers, any shape.
        clip_value_min: The smallest value; for integers an integer.
        clip_value_max: The largest value, likewise.

    Returns:
        A tensor of t's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.clip_by_value([-2.0, 0.5, 2.0], 0.0, 1.0).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    t = convert_to_tensor(t)
    if not t.dtype.is_integer:
        return core_ops.clip(t, min=clip_value_min, max=clip_value_max)
    if not clip_value_min <= clip_value_max:
        raise InvalidArgumentError(
            f"clip_by_value: expected clip_value_min <= clip_value_max, got {clip_value_min} and {clip_value_max}."
        )
    return core_ops.minimum(core_ops.maximum(t, clip_value_min), clip_value_max)


# --- changing variables -----------------------------------------------------------------------------------------------


def assign(variable: Any, value: TensorLike) -> None:
    """Replace a variable's value: `v = value`; in a symbolic call an effect of the graph.

    Args:
        variable: A variable.
        value: A tensor of its shape and dtype.

    Returns:
        Nothing.

    Raises:
        ShapeError: Another shape.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.ops.assign(v, [3.0])
        >>> v.numpy()
        array([3.], dtype=float32)
    """
    core_ops.assign(variable, value)


def assign_add(variable: Any, value: TensorLike) -> None:
    """Add to a variable: `v = v + value`; in a symbolic call an effect of the graph.

    Args:
        variable: A variable.
        value: A tensor of its shape and dtype.

    Returns:
        Nothing.

    Raises:
        ShapeError: Another shape.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.ops.assign_add(v, [3.0])
        >>> v.numpy()
        array([4.], dtype=float32)
    """
    core_ops.assign_add(variable, value)


def assign_sub(variable: Any, value: TensorLike) -> None:
    """Subtract from a variable: `v = v - value`; in a symbolic call an effect of the graph.

    Args:
        variable: A variable.
        value: A tensor of its shape and dtype.

    Returns:
        Nothing.

    Raises:
        ShapeError: Another shape.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.ops.assign_sub(v, [3.0])
        >>> v.numpy()
        array([-2.], dtype=float32)
    """
    core_ops.assign_sub(variable, value)


def moving_average(variable: Any, value: TensorLike, momentum: float) -> None:
    """Move an average: `v = momentum * v + (1 - momentum) * value`; in a symbolic call an effect of the graph.

    Args:
        variable: A variable.
        value: A tensor of its shape and dtype.
        momentum: Weight of the old value, in [0, 1].

    Returns:
        Nothing.

    Raises:
        ShapeError: Another shape.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.ops.moving_average(v, [3.0], 0.5)
        >>> v.numpy()
        array([2.], dtype=float32)
    """
    core_ops.moving_average(variable, value, momentum=momentum)


# --- elementwise, two operands ----------------------------------------------------------------------------------------


def add(x: TensorLike, y: TensorLike) -> Tensor:
    """The sum: `x + y`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.add([1.0, 2.0], 10.0).numpy()
        array([11., 12.], dtype=float32)
    """
    return core_ops.add(x, y)


def subtract(x: TensorLike, y: TensorLike) -> Tensor:
    """The difference: `x - y`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.subtract([1.0, 2.0], 1.0).numpy()
        array([0., 1.], dtype=float32)
    """
    return core_ops.subtract(x, y)


def multiply(x: TensorLike, y: TensorLike) -> Tensor:
    """The product, element by element: `x * y`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.multiply([1.0, 2.0], [3.0, 4.0]).numpy()
        array([3., 8.], dtype=float32)
    """
    return core_ops.multiply(x, y)


def divide(x: TensorLike, y: TensorLike) -> Tensor:
    """The quotient: `x / y`.

    Args:
        x: A floating tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.divide([1.0, 3.0], 2.0).numpy()
        array([0.5, 1.5], dtype=float32)
    """
    return core_ops.divide(x, y)


def floordiv(x: TensorLike, y: TensorLike) -> Tensor:
    """The quotient rounded down: `floor(x / y)`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.floordiv([7, -7], 2).numpy()
        array([ 3, -4], dtype=int32)
    """
    return core_ops.floordiv(x, y)


def mod(x: TensorLike, y: TensorLike) -> Tensor:
    """The rest with the sign of y: `x - floor(x / y) * y`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.mod([7, -7], 2).numpy()
        array([1, 1], dtype=int32)
    """
    return core_ops.mod(x, y)


def pow(x: TensorLike, y: TensorLike) -> Tensor:
    """The power: `x ** y`.

    Args:
        x: A floating tensor; or integers, when y is one Python int of at least 0.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.
        ValueError: Integers with a negative exponent.

    Example:
        >>> import layernet as ln
        >>> ln.pow([2.0, 3.0], 2.0).numpy()
        array([4., 9.], dtype=float32)
    """
    if type(y) is int:
        x = convert_to_tensor(x)
        if x.dtype.is_integer:
            return x**y
    return core_ops.power(x, y)


def maximum(x: TensorLike, y: TensorLike) -> Tensor:
    """The larger one; NaN if either is: `max(x, y)`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.maximum([1.0, 5.0], 3.0).numpy()
        array([3., 5.], dtype=float32)
    """
    return core_ops.maximum(x, y)


def minimum(x: TensorLike, y: TensorLike) -> Tensor:
    """The smaller one; NaN if either is: `min(x, y)`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.minimum([1.0, 5.0], 3.0).numpy()
        array([1., 3.], dtype=float32)
    """
    return core_ops.minimum(x, y)


def equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether equal: `x == y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.equal([1.0, 2.0], 2.0).numpy()
        array([False,  True])
    """
    return core_ops.equal(x, y)


def not_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether different: `x != y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.not_equal([1.0, 2.0], 2.0).numpy()
        array([ True, False])
    """
    return core_ops.not_equal(x, y)


def less(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether less: `x < y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.less([1.0, 2.0], 2.0).numpy()
        array([ True, False])
    """
    return core_ops.less(x, y)


def less_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether less or equal: `x <= y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.less_equal([1.0, 2.0], 2.0).numpy()
        array([ True,  True])
    """
    return core_ops.less_equal(x, y)


def greater(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether greater: `x > y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.greater([1.0, 2.0], 2.0).numpy()
        array([False, False])
    """
    return core_ops.greater(x, y)


def greater_equal(x: TensorLike, y: TensorLike) -> Tensor:
    """Whether greater or equal: `x >= y`.

    Args:
        x: A tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.greater_equal([1.0, 2.0], 2.0).numpy()
        array([False,  True])
    """
    return core_ops.greater_equal(x, y)


def logical_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Both: `x and y`.

    Args:
        x: A bool tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.logical_and([True, False], [True, True]).numpy()
        array([ True, False])
    """
    return core_ops.logical_and(x, y)


def logical_or(x: TensorLike, y: TensorLike) -> Tensor:
    """At least one: `x or y`.

    Args:
        x: A bool tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.logical_or([True, False], [True, True]).numpy()
        array([ True,  True])
    """
    return core_ops.logical_or(x, y)


def logical_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Exactly one: `x != y`.

    Args:
        x: A bool tensor.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ShapeError: The shapes do not broadcast.
        DTypeError: The dtypes differ.

    Example:
        >>> import layernet as ln
        >>> ln.logical_xor([True, False], [True, True]).numpy()
        array([False,  True])
    """
    return core_ops.logical_xor(x, y)


def squared_difference(x: TensorLike, y: TensorLike) -> Tensor:
    """The square of the difference: `(x - y) ** 2`.

    Args:
        x: A tensor of numbers.
        y: The same, of a shape that broadcasts with x's.

    Returns:
        A tensor of the broadcast shape.

    Example:
        >>> import layernet as ln
        >>> ln.squared_difference([1.0, 2.0], 4.0).numpy()
        array([9., 4.], dtype=float32)
    """
    return core_ops.square(core_ops.subtract(x, y))


def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> Tensor:
    """Elements of one or another tensor: `x if condition else y`.

    Args:
        condition: A bool tensor.
        x: A tensor.
        y: A tensor of x's dtype. All three shapes broadcast.

    Returns:
        A tensor of the broadcast shape.

    Example:
        >>> import layernet as ln
        >>> ln.where([True, False], [1.0, 2.0], [3.0, 4.0]).numpy()
        array([1., 4.], dtype=float32)
    """
    return core_ops.where(condition, x, y)


# --- reductions -------------------------------------------------------------------------------------------------------


def _reduce(name: str, x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    op: Callable[..., Tensor] = getattr(core_ops, name)
    if axis is None:
        return op(x, keepdims=keepdims)
    return op(x, axis=[axis] if isinstance(axis, INTEGER) else list(axis), all=False, keepdims=keepdims)


def reduce_sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum; 0 over nothing.

    Args:
        x: A tensor of numbers.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([4., 6.], dtype=float32)
    """
    return _reduce("reduce_sum", x, axis, keepdims)


def reduce_mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean.

    Args:
        x: A floating tensor.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_mean([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
        array([1.5, 3.5], dtype=float32)
    """
    return _reduce("reduce_mean", x, axis, keepdims)


def reduce_max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element; NaN if there is one.

    Args:
        x: A tensor of numbers.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_max([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([3., 4.], dtype=float32)
    """
    return _reduce("reduce_max", x, axis, keepdims)


def reduce_min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element; NaN if there is one.

    Args:
        x: A tensor of numbers.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_min([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([1., 2.], dtype=float32)
    """
    return _reduce("reduce_min", x, axis, keepdims)


def reduce_prod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product; 1 over nothing.

    Args:
        x: A tensor of numbers.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_prod([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
        array([ 2., 12.], dtype=float32)
    """
    return _reduce("reduce_prod", x, axis, keepdims)


def reduce_variance(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance about the mean: `mean((x - mean(x)) ** 2)`.

    Args:
        x: A floating tensor.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> ln.reduce_variance([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
        array([0.25, 0.25], dtype=float32)
    """
    return _reduce("reduce_variance", x, axis, keepdims)


def reduce_logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials, without overflow: `ln sum e**x`.

    Args:
        x: A floating tensor.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> float(ln.reduce_logsumexp([1000.0]))
        1000.0
    """
    return _reduce("reduce_logsumexp", x, axis, keepdims)


def reduce_any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true.

    Args:
        x: A bool tensor.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> bool(ln.reduce_any([True, False]))
        True
    """
    return _reduce("reduce_any", x, axis, keepdims)


def reduce_all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true.

    Args:
        x: A bool tensor.
        axis: An axis or several; negative ones count from the end. None (default) means all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> bool(ln.reduce_all([True, False]))
        False
    """
    return _reduce("reduce_all", x, axis, keepdims)


def argmax(x: TensorLike, axis: int = 0) -> Tensor:
    """Where the largest element is; the first of equal ones, and NaN before all.

    Args:
        x: A tensor of numbers.
        axis: The axis to search, default 0.

    Returns:
        An int64 tensor without that axis.

    Example:
        >>> import layernet as ln
        >>> ln.argmax([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
        array([1, 1])
    """
    return core_ops.argmax(x, axis=axis)


def argmin(x: TensorLike, axis: int = 0) -> Tensor:
    """Where the smallest element is; the first of equal ones, and NaN before all.

    Args:
        x: A tensor of numbers.
        axis: The axis to search, default 0.

    Returns:
        An int64 tensor without that axis.

    Example:
        >>> import layernet as ln
        >>> ln.argmin([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
        array([0, 0])
    """
    return core_ops.argmin(x, axis=axis)


# --- shapes -----------------------------------------------------------------------------------------------------------


def reshape(tensor: TensorLike, shape: TensorLike) -> Tensor:
    """The same elements, row by row, in another shape.

    Args:
        tensor: A tensor.
        shape: The new sizes; one may be -1, which means what is left. `ln.shape(x)` may be given.

    Returns:
        A tensor.

    Raises:
        ShapeError: The number of elements differs.

    Example:
        >>> import layernet as ln
        >>> ln.reshape([1, 2, 3, 4], [2, -1]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return core_ops.reshape(tensor, shape=_sizes(shape))


def _sizes(shape: Any) -> Any:
    """A shape as the list an attribute wants, of numbers and of symbols that stand for sizes."""
    if isinstance(shape, Symbol):
        return [shape[i] for i in builtins.range(len(shape))]
    return [shape] if isinstance(shape, INTEGER) else list(shape)


def transpose(a: TensorLike, perm: Sequence[int] | None = None) -> Tensor:
    """The axes in another order.

    Args:
        a: A tensor.
        perm: For each axis of the result, the axis of `a`; None (default) reverses them.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    a = convert_to_tensor(a)
    return core_ops.transpose(a, perm=list(perm) if perm is not None else [*builtins.range(a.ndim)][::-1])


def expand_dims(x: TensorLike, axis: int) -> Tensor:
    """One more axis, of size 1.

    Args:
        x: A tensor.
        axis: Its place in the result; negative ones count from the end.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.expand_dims([1.0, 2.0], 0).shape
        (1, 2)
    """
    return core_ops.expand_dims(x, axis=axis)


def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """Without axes of size 1.

    Args:
        x: A tensor.
        axis: The axes to leave out; None (default) means all of size 1.

    Returns:
        A tensor.

    Raises:
        ShapeError: An axis that has another size.

    Example:
        >>> import layernet as ln
        >>> ln.squeeze([[1.0, 2.0]]).shape
        (2,)
    """
    return core_ops.squeeze(x, axes=[] if axis is None else [axis] if isinstance(axis, INTEGER) else list(axis))


def concat(values: Sequence[TensorLike], axis: int) -> Tensor:
    """Tensors joined along an axis.

    Args:
        values: Tensors of one dtype, alike in all sizes but that of `axis`.
        axis: The axis; negative ones count from the end.

    Returns:
        A tensor.

    Raises:
        ShapeError: Other sizes differ.

    Example:
        >>> import layernet as ln
        >>> ln.concat([[[1, 2]], [[3, 4]]], 0).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return core_ops.concat(list(values), axis=axis)


def stack(values: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors joined along a new axis.

    Args:
        values: Tensors of one shape and dtype.
        axis: The place of the new axis, default 0.

    Returns:
        A tensor.

    Raises:
        ShapeError: The shapes differ.

    Example:
        >>> import layernet as ln
        >>> ln.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    return core_ops.stack(list(values), axis=axis)


def split(value: TensorLike, num_or_size_splits: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """A tensor cut into pieces along an axis.

    Args:
        value: A tensor.
        num_or_size_splits: The number of equal pieces, or the size of each.
        axis: The axis, default 0.

    Returns:
        A list of tensors.

    Raises:
        ShapeError: The sizes do not add up to the axis, or it does not divide evenly.

    Example:
        >>> import layernet as ln
        >>> [t.numpy().tolist() for t in ln.split([1, 2, 3], [1, 2])]
        [[1], [2, 3]]
    """
    value = convert_to_tensor(value)
    if not isinstance(num_or_size_splits, INTEGER):
        sizes = list(num_or_size_splits)
    else:
        size, number = value.shape[axis], num_or_size_splits
        if size is None or number < 1 or size % number:
            raise ShapeError(
                f"split: expected an axis that divides into {number} equal pieces, got size {size}. Give the sizes."
            )
        sizes = [size // number] * number
    pieces: Any = core_ops.split(value, sizes=sizes, axis=axis)
    return list(pieces) if isinstance(pieces, tuple) else [pieces]


def unstack(value: TensorLike, axis: int = 0) -> list[Tensor]:
    """The slices along an axis, without that axis.

    Args:
        value: A tensor.
        axis: The axis, default 0; its size must be known.

    Returns:
        A list of tensors.

    Example:
        >>> import layernet as ln
        >>> [t.numpy().tolist() for t in ln.unstack([[1, 2], [3, 4]], axis=1)]
        [[1, 3], [2, 4]]
    """
    value = convert_to_tensor(value)
    return [squeeze(piece, axis) for piece in split(value, value.shape[axis], axis)]


def slice(x: TensorLike, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """A box cut out of a tensor; Python's indexing `x[1:, ::2]` does more.

    Args:
        x: A tensor.
        begin: The first index on each axis.
        size: How many on each axis; -1 means all that follow.

    Returns:
        A tensor of shape `size`.

    Example:
        >>> import layernet as ln
        >>> ln.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy()
        array([[2, 3],
               [5, 6]], dtype=int32)
    """
    box = zip(begin, size, strict=True)
    piece: Tensor = convert_to_tensor(x)[tuple(builtins.slice(b, None if n == -1 else b + n) for b, n in box)]
    return piece


def pad(tensor: TensorLike, paddings: int | Sequence[Sequence[int]], constant_values: float = 0.0) -> Tensor:
    """A tensor with a margin.

    Args:
        tensor: A tensor.
        paddings: For each axis, how many elements before and after; one number counts for all axes and both ends.
        constant_values: The number to put there, default 0.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.pad([1, 2], [[1, 2]]).numpy()
        array([0, 1, 2, 0, 0], dtype=int32)
    """
    if isinstance(paddings, INTEGER):
        tensor = convert_to_tensor(tensor)
        paddings = [(paddings, paddings)] * tensor.ndim
    try:
        before, after = zip(*((int(first), int(last)) for first, last in paddings), strict=True)
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"pad: expected a pair (before, after) of integers for each axis, or one integer for all, got {paddings!r}."
        ) from None
    return core_ops.pad(tensor, before=list(before), after=list(after), value=constant_values)


def tile(x: TensorLike, multiples: int | Sequence[int]) -> Tensor:
    """A tensor repeated along its axes.

    Args:
        x: A tensor.
        multiples: How often, for each axis; one number repeats along the last axis, as in numpy.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> ln.tile([1, 2], [2]).numpy()
        array([1, 2, 1, 2], dtype=int32)
    """
    if isinstance(multiples, INTEGER):
        x = convert_to_tensor(x)
        multiples = [1] * (x.ndim - 1) + [int(multiples)]
    return core_ops.tile(x, multiples=list(multiples))


def broadcast_to(x: TensorLike, shape: Sequence[int]) -> Tensor:
    """A tensor repeated, as numpy broadcasts, to a shape.

    Args:
        x: A tensor.
        shape: The shape, to which x's broadcasts.

    Returns:
        A tensor.

    Raises:
        ShapeError: The shapes do not broadcast.

    Example:
        >>> import layernet as ln
        >>> ln.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return core_ops.broadcast_to(x, shape=_sizes(shape))


def shape(x: TensorLike) -> Tensor:
    """The sizes of a tensor as a tensor; the way to a batch size that is not known yet.

    Args:
        x: A tensor or symbol.

    Returns:
        An int64 vector.

    Example:
        >>> import layernet as ln
        >>> ln.shape([[1.0, 2.0]]).numpy()
        array([1, 2])
    """
    return core_ops.shape(x)


def gather(params: TensorLike, indices: TensorLike, axis: int = 0) -> Tensor:
    """Slices picked by index.

    Args:
        params: A tensor.
        indices: An integer tensor of any shape. Negative ones count from the end. One outside of `[-size, size)` gives
            NaN, or 0 in integers, and no gradient.
        axis: The axis of `params` that is indexed, default 0.

    Returns:
        A tensor in which `axis` is replaced by the axes of `indices`.

    Example:
        >>> import layernet as ln
        >>> ln.gather([10.0, 20.0, 30.0], [2, 0]).numpy()
        array([30., 10.], dtype=float32)
    """
    return core_ops.gather(params, indices, axis=axis)


def scatter_add(x: TensorLike, indices: TensorLike, updates: TensorLike) -> Tensor:
    """A tensor with something added to rows picked by index; repeated indices add up.

    Args:
        x: A tensor `[rows, ...]`.
        indices: An integer vector `[n]`. Negative ones count from the end; one outside of `[-rows, rows)` adds nothing.
        updates: A tensor `[n, ...]`.

    Returns:
        A tensor of x's shape.

    Example:
        >>> import layernet as ln
        >>> ln.scatter_add([0.0, 0.0], [1, 1], [2.0, 3.0]).numpy()
        array([0., 5.], dtype=float32)
    """
    return core_ops.scatter_add(x, indices, updates)


def one_hot(
    indices: TensorLike, depth: int, on_value: float = 1.0, off_value: float = 0.0, dtype: DTypeLike = "float32"
) -> Tensor:
    """Vectors with one element set.

    Args:
        indices: An integer tensor; an index outside of `[0, depth)` sets nothing.
        depth: Length of the vectors, which are the last axis of the result.
        on_value: The element set, default 1.
        off_value: The others, default 0.
        dtype: Element type, default float32.

    Returns:
        A tensor `[..., depth]`.

    Example:
        >>> import layernet as ln
        >>> ln.one_hot([1, 0], 3).numpy()
        array([[0., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    return core_ops.one_hot(indices, depth=depth, on=on_value, off=off_value, dtype=as_dtype(dtype))


# --- products ---------------------------------------------------------------------------------------------------------


def matmul(a: TensorLike, b: TensorLike, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """The matrix product: `y = a @ b` over the last two axes; leading axes broadcast.

    Args:
        a: A floating tensor `[..., m, k]`, or `[..., k, m]` to be transposed.
        b: A floating tensor `[..., k, n]`, or `[..., n, k]` to be transposed.
        transpose_a: Whether to swap the last two axes of `a`.
        transpose_b: Whether to swap the last two axes of `b`.

    Returns:
        A tensor `[..., m, n]`.

    Raises:
        ShapeError: Fewer than two axes, or inner sizes that differ.

    Example:
        >>> import layernet as ln
        >>> ln.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
        array([[11.]], dtype=float32)
    """
    return core_ops.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)


# --- random numbers ---------------------------------------------------------------------------------------------------


def _draw(name: str, shape: Sequence[int], dtype: DTypeLike, seed: int | None, **options: float) -> Tensor:
    """Random numbers from the state of the process or a fresh one; half types are drawn in float32 and rounded."""
    state = random.random_state() if seed is None else random.new_state(seed)
    wanted = as_dtype(dtype)
    drawn = as_dtype("float32") if wanted.is_floating and wanted.itemsize < 4 else wanted
    values: Tensor = getattr(core_ops, name)(state, shape=_sizes(shape), dtype=drawn, **options)
    return values if drawn == wanted else core_ops.cast(values, dtype=wanted)


def random_uniform(
    shape: Sequence[int],
    minval: float = 0,
    maxval: float | None = None,
    dtype: DTypeLike = "float32",
    seed: int | None = None,
) -> Tensor:
    """Uniformly distributed numbers in `[minval, maxval)`.

    Args:
        shape: Shape of the result.
        minval: Lower bound, default 0.
        maxval: Upper bound; default 1 for floats, needed for integers.
        dtype: Element type, default float32; int32 and int64 too.
        seed: None (default) draws from `ln.random_state()`; a number gives the same result at every call.

    Returns:
        A tensor.

    Raises:
        InvalidArgumentError: Integers without `maxval`.

    Example:
        >>> import layernet as ln
        >>> x = ln.random_uniform((100,), -1.0, 1.0, seed=1).numpy()
        >>> bool((x >= -1).all() and (x < 1).all())
        True
    """
    if as_dtype(dtype).is_integer:
        if maxval is None:
            raise InvalidArgumentError("random_uniform: expected maxval for integers, got None. Give the upper bound.")
        return _draw("random_int", shape, dtype, seed, low=int(minval), high=int(maxval))
    return _draw("random_uniform", shape, dtype, seed, low=float(minval), high=1.0 if maxval is None else float(maxval))


def random_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32", seed: int | None = None
) -> Tensor:
    """Normally distributed numbers.

    Args:
        shape: Shape of the result.
        mean: Mean, default 0.
        stddev: Standard deviation, default 1.
        dtype: Element type, default float32.
        seed: None (default) draws from `ln.random_state()`; a number gives the same result at every call.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> x = ln.random_normal((1000,), mean=5.0, stddev=0.1, seed=1).numpy()
        >>> bool(abs(x.mean() - 5.0) < 0.02)
        True
    """
    return _draw("random_normal", shape, dtype, seed, mean=float(mean), stddev=float(stddev))


def truncated_normal(
    shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32", seed: int | None = None
) -> Tensor:
    """Normally distributed numbers, none further than two standard deviations from the mean.

    Args:
        shape: Shape of the result.
        mean: Mean, default 0.
        stddev: Standard deviation before cutting, default 1.
        dtype: Element type, default float32.
        seed: None (default) draws from `ln.random_state()`; a number gives the same result at every call.

    Returns:
        A tensor.

    Example:
        >>> import layernet as ln
        >>> x = ln.truncated_normal((1000,), mean=5.0, stddev=0.1, seed=1).numpy()
        >>> bool(abs(x.mean() - 5.0) < 0.02)
        True
    """
    return _draw("random_truncated_normal", shape, dtype, seed, mean=float(mean), stddev=float(stddev))
